"""django-easy-audit: events written by signals of Django, after the commit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from easyaudit.middleware import easyaudit
from easyaudit.models import CRUDEvent

from tests.bench.peers import actor

_LINKS = (CRUDEvent.M2M_ADD, CRUDEvent.M2M_REMOVE)


def prepare() -> None:
    actor.prepare()


@contextmanager
def block() -> Iterator[None]:
    """Open a transaction with an actor, as its middleware does for a request."""
    easyaudit.set_current_user(actor.actor())
    try:
        with transaction.atomic():
            yield
    finally:
        easyaudit.clear_request()


def captured() -> dict[str, int]:
    """Count the rows that its events tell of; one event of a link names several."""
    links = CRUDEvent.objects.filter(event_type__in=_LINKS)
    named = links.values_list("changed_fields", flat=True)
    return {
        "row": CRUDEvent.objects.exclude(event_type__in=_LINKS).count(),
        "link": sum(_named(changed) for changed in named),
    }


def _named(changed: str) -> int:
    return sum(len(pks) for pks in json.loads(changed.replace("'", '"')).values())
