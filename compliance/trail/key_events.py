"""Exchange a key of the log, and let the log itself tell of it."""

import json
from dataclasses import dataclass
from datetime import datetime

from compliance.trail import keys, log_events, recording, stored
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.signer import delivery
from compliance.trail.tlog import key_documents
from compliance.trail.tlog.key_documents import Document, Event
from compliance.trail.tlog.keys import Verifier

KIND = "key"


@dataclass(frozen=True)
class Rotated:
    """One key followed by another: both sign the checkpoint of `size`."""

    old: Verifier
    new: Verifier
    size: int


def rotate(
    algorithm: int, *, actor: Actor, at: datetime, reason: str, origin: str | None = None
) -> Rotated:
    """Begin a new key of this type; the old one signs one more checkpoint, together with it.

    Holds the signer's lock, so that no checkpoint beyond the exchange is signed meanwhile: raise
    `AlreadyRunning` while a signer runs. It signs the common checkpoint when it starts again.
    """
    with delivery.signer(origin) as signer:
        old = next(one for one in keys.current(origin) if one.algorithm == algorithm)
        size = signer.last.checkpoint.size + 1 if signer.last else 1
        new = keys.make(algorithm, origin).verifier
        document = Document(
            event=Event.ROTATE, verifier=new, signed_by=old, from_size=size, to_size=size + 1
        )
        keys.enter(
            document.signed(
                keys.signer_of(old), origin=signer.history.origin, at=int(at.timestamp())
            ),
            origin,
        )
    deliver(actor=actor, at=at, reason=reason, origin=origin)
    return Rotated(old, new, size)


def deliver(*, actor: Actor, at: datetime, reason: str, origin: str | None = None) -> int:
    """Record in the log what the register has and the log does not; return how many."""
    recorded = set(
        LogEvent.objects.filter(kind=KIND).order_by("pk").values_list("document", flat=True)
    )
    missing = [document for document in keys.register(origin)[1] if document not in recorded]
    for document in missing:
        with recording.into(stored.log_id_of(origin)):
            log_events.record(
                KIND, json.loads(document), actor=actor, at=at, reason=reason, using=delivery.ALIAS
            )
    return len(missing)


def recorded(origin: str) -> list[Document]:
    """Return the documents about keys that the log has, in order, or raise `KeyRefused`."""
    found = LogEvent.objects.filter(kind=KIND).order_by("pk").values_list("document", flat=True)
    return [
        key_documents.parse(text, origin=origin)
        for text in found
        for told in log_events.readable(KIND, [text])
        if told["signed_by"].startswith(f"{origin}+")  # a key has its log's name
    ]
