"""Write into the log what it says about itself."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from compliance.trail import event_documents, recording
from compliance.trail.actions import Action
from compliance.trail.event_documents import EventMalformed
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.tlog import canonical


def record(
    kind: str,
    document: Mapping[str, canonical.Value],
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    action: Action = Action.LOG_EVENT,
    using: str = DEFAULT_DB_ALIAS,
) -> LogEvent:
    """Write an event with its entry; it is never changed."""
    with recording.recording(action, actor=actor, at=at, reason=reason, using=using):
        return write(kind, document, at=at, using=using)


def write(
    kind: str,
    document: Mapping[str, canonical.Value],
    *,
    at: datetime,
    using: str = DEFAULT_DB_ALIAS,
) -> LogEvent:
    """Write an event as part of the act under way."""
    return LogEvent.objects.using(using).create(
        kind=kind, document=canonical.dumps(dict(document)).decode(), recorded_at=at
    )


def documents(kind: str, *, using: str = DEFAULT_DB_ALIAS) -> list[dict[str, Any]]:
    """Return the documents of all events of a kind, in order.

    One that is malformed says nothing here: `trail verify` names it (`verified_documents.check`).
    """
    found = LogEvent.objects.using(using).filter(kind=kind).order_by("pk")
    return list(readable(kind, found.values_list("document", flat=True)))


def readable(kind: str, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what those of the documents say that are documents of this kind."""
    for text in texts:
        try:
            yield event_documents.parse(kind, text)
        except EventMalformed:
            continue
