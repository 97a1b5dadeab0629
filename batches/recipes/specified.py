"""Ask whether a specification that a recipe names is in force; the laboratory answers (211.160(a))."""

from collections.abc import Callable

from batches.recipes.models import Product

# (product, code, version, whether it must be the one for release) -> why not, or the empty text
Answer = Callable[[Product, str, str, bool], str]
_answers: list[Answer] = []


def register(answer: Answer) -> Answer:
    """Declare who knows specifications; there is one such room."""
    if _answers:
        raise ValueError("somebody answers for specifications already")
    _answers.append(answer)
    return answer


def objection(product: Product, *, code: str, version: str, is_of_product: bool) -> str:
    """Return why a recipe of the product cannot rely on this specification, or the empty text."""
    if not _answers:
        raise LookupError("no room answers for specifications")
    return _answers[0](product, code, version, is_of_product)
