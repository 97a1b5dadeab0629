"""Let higher rooms say what a deviation quotes of its alert, beside what the alert itself says."""

from collections.abc import Callable

from twins.predictions.models import Alert

Quote = Callable[[Alert], list[str]]
_quotes: list[Quote] = []


def register(quote: Quote) -> None:
    """Add a function that gives paragraphs for the description of the deviation of an alert."""
    if quote not in _quotes:
        _quotes.append(quote)


def of(alert: Alert) -> list[str]:
    """Return all paragraphs about an alert that is being accepted."""
    return [paragraph for quote in _quotes for paragraph in quote(alert)]
