"""django-auditlog: entries written by signals of Django."""

from collections.abc import Iterator
from contextlib import contextmanager

from auditlog.context import set_actor
from auditlog.models import LogEntry
from django.db import transaction

from tests.bench.peers import actor


def prepare() -> None:
    actor.prepare()


@contextmanager
def block() -> Iterator[None]:
    """Open a transaction with an actor, as its middleware does for a request."""
    with transaction.atomic(), set_actor(actor.actor()):
        yield


def captured() -> dict[str, int]:
    """Count the rows that its entries tell of; one entry of a link names several."""
    links = LogEntry.objects.filter(changes__has_key="tags").values_list("changes", flat=True)
    return {
        "row": LogEntry.objects.exclude(changes__has_key="tags").count(),
        "link": sum(len(changes["tags"]["objects"]) for changes in links),
    }
