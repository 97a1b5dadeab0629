"""Accept what sources send: each version of each record once, the original as it was."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.db import models

from batches.exchange import sequences, sources
from batches.exchange.actions import Action
from batches.exchange.models import Source, SourceRecord
from batches.exchange.sources import Times
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.tlog import canonical
from compliance.written_once import Insertion, Lookup

# One record of a source at a time: its numbers and versions have an order.
_held = Lookup(Source, "id", ending="FOR NO KEY UPDATE")
_newest = Lookup(SourceRecord, "source", "record_id", ending="ORDER BY version DESC LIMIT 1")
_store = Insertion(SourceRecord)
M = TypeVar("M", bound=models.Model)


class VersionDiffers(Refused):
    """The source sent this version before, with other content."""

    code = "version-differs"


class VersionOutOfOrder(Refused):
    """A correction follows the newest version, one at a time."""

    code = "version-out-of-order"


class CorrectionUnexplained(Refused):
    """A correction says why, and who corrected."""

    code = "correction-unexplained"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One record as its source sent it; `content` is what its digest covers."""

    record_id: str
    kind: str
    content: bytes
    observed_at: datetime
    observed_text: str
    version: int = 1
    reason: str = ""
    corrected_by: str = ""
    sequence: int | None = None
    sent_at: datetime | None = None
    is_backfilled: bool = False
    is_content_kept: bool = True

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Accepted:
    """What was accepted now, or the same as it was accepted before."""

    record: SourceRecord
    is_repeated: bool


def content_of(members: dict[str, canonical.Value]) -> bytes:
    """Return the bytes that are digested: canonical JSON of all that is said about the record."""
    said = {name: value for name, value in members.items() if name not in ("sequence", "sent_at")}
    return canonical.dumps(said)


def message_id(source: Source, sent: Sent) -> str:
    """Return what names this version among all messages of its device, in 120 characters."""
    name = f"{source.code}:{sent.record_id}:{sent.version}"
    return name if len(name) <= 120 else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def accept(
    source: Source, *, sent: Sent, record: Callable[[], M], device: Device, received_at: datetime,
    at: datetime, observed_in: Callable[[M], datetime] | None = None,
) -> Accepted:  # fmt: skip
    """Record one version of one record, in one act; a repeat is answered as before.

    `record` makes the product's own record of it; `observed_in` reads there when it was observed,
    where the message does not say it. Raise `VersionDiffers`, `VersionOutOfOrder`,
    `CorrectionUnexplained`, `SequenceTaken`, `SequenceTooFar`, and what `record` raises.
    """
    if source.device_id != device.pk:
        raise sources.SourceNotYours(f"{source} is brought by another device than {device.name}")
    is_correction = sent.version > 1
    with recording.recording(
        Action.RECORD_CORRECTED if is_correction else Action.RECORD_ACCEPTED, actor=device, at=at,
        reason=_reason(source, sent),
    ):  # fmt: skip
        held = _held(source.pk)
        if held is None:
            raise Source.DoesNotExist(f"{source} is gone")
        previous = _newest(held.pk, sent.record_id)
        if known := _known(held, sent, previous):
            return Accepted(known, is_repeated=True)
        before = 0
        if sent.sequence is not None:
            before = sequences.highest(held)
            sequences.demand(held, sent.sequence, before=before)
        _demand_next(held, sent, previous)
        made = record()
        if observed_in is not None:
            observed_at = observed_in(made)
            sent = replace(sent, observed_at=observed_at, observed_text=observed_at.isoformat())
        kept = _keep(held, sent, previous, made, received_at=received_at, at=at)
        if sent.sequence is not None:
            sequences.note(held, sent.sequence, before=before, at=at)
    return Accepted(kept, is_repeated=False)


def _reason(source: Source, sent: Sent) -> str:
    if sent.version == 1:
        return f"{sent.kind} {sent.record_id} of {source}"
    if not sent.corrected_by.strip():
        raise CorrectionUnexplained(
            f"version {sent.version} of {sent.record_id} is a correction: say who corrected it"
        )
    return recording.demand_reason(sent.reason)


def _known(source: Source, sent: Sent, newest: SourceRecord | None) -> SourceRecord | None:
    if newest is None or newest.version < sent.version:
        return None
    known = newest
    if newest.version > sent.version:
        known = source.records.get(record_id=sent.record_id, version=sent.version)
    if known.content_digest != sent.digest:
        raise VersionDiffers(
            f"{known} was accepted at {known.recorded_at.isoformat()} with other content "
            f"({known.content_digest}); send a correction as the next version, with its reason"
        )
    return known


def _demand_next(source: Source, sent: Sent, newest: SourceRecord | None) -> None:
    expected = 1 if newest is None else newest.version + 1
    if sent.version != expected:
        raise VersionOutOfOrder(
            f"the next version of {sent.record_id} of {source} is {expected}, not {sent.version}"
        )


def _keep(
    source: Source, sent: Sent, previous: SourceRecord | None, made: models.Model, *,
    received_at: datetime, at: datetime,
) -> SourceRecord:  # fmt: skip
    judged = sources.judge(
        source,
        Times(sent.observed_at, sent.sent_at, received_at),
        is_backfilled=sent.is_backfilled,
    )
    return _store(
        SourceRecord(
            source=source,
            record_id=sent.record_id,
            version=sent.version,
            previous=previous,
            reason=sent.reason.strip(),
            corrected_by=sent.corrected_by.strip(),
            sequence=sent.sequence,
            kind=sent.kind,
            content=sent.content.decode() if sent.is_content_kept else "",
            content_digest=sent.digest,
            observed_text=sent.observed_text,
            observed_at=sent.observed_at,
            sent_at=sent.sent_at,
            received_at=received_at,
            recorded_at=at,
            is_late=judged.is_late,
            is_backfilled=judged.is_backfilled,
            is_clock_suspect=judged.is_clock_suspect,
            doubts=judged.doubts,
            subject=f"{made._meta.db_table} {made.pk}",
        )
    )
