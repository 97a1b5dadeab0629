"""django-simple-history: a copy of the row after each change, written by signals of Django."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from django.db import transaction
from simple_history.models import HistoricalRecords

from tests.bench.peers import actor
from tests.bench.peers.with_simple_history.models import Audited, Linked, Part


def prepare() -> None:
    actor.prepare()


@contextmanager
def block() -> Iterator[None]:
    """Open a transaction with an actor, as its middleware does for a request."""
    HistoricalRecords.context.request = SimpleNamespace(user=actor.actor())
    try:
        with transaction.atomic():
            yield
    finally:
        del HistoricalRecords.context.request


def captured() -> dict[str, int]:
    """Count the copies; a change of links copies the links, and the record once more."""
    links = Linked.history.model.tags.model.objects.count()
    return {"row": sum(model.history.count() for model in (Audited, Linked, Part)), "link": links}
