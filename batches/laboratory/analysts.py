"""Know by which names the analysts of a result go: a LIMS gives a text, people are on record."""

import unicodedata

from batches.laboratory.models import Result
from compliance.access.models import User


def folded(name: str) -> str:
    """Return a name as it is compared: compatibility signs, case and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def names(person: User) -> frozenset[str]:
    return frozenset({folded(person.username), folded(person.full_name)})


def of(result: Result) -> frozenset[str]:
    """Return every name under which a result was obtained: in words, by entry, and by its run."""
    found = {folded(result.analyst)} - {""}
    for person in (result.entered_by, result.run and result.run.analyst):
        if person:
            found |= names(person)
    return frozenset(found)
