"""Tell higher rooms of a new alert, once it is committed."""

from collections.abc import Callable, Iterable

from twins.predictions.models import Alert

Listener = Callable[[int], None]
_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Add who wants to know: a function of an alert's id that queues and does nothing else."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(alerts: Iterable[Alert]) -> None:
    """Tell everybody of every alert."""
    for alert in alerts:
        for listener in _listeners:
            listener(alert.pk)
