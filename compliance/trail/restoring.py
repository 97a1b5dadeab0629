"""Say what a restored database has lost: compare it with everything that remembers more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from compliance.trail import checkpoints, exported, keys, new_logs, stored
from compliance.trail.exported import Source
from compliance.trail.stored import State
from compliance.trail.tlog import merkle, tiles
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.key_history import KeyHistory


@dataclass(frozen=True, kw_only=True)
class Known:
    """A signed checkpoint, and who keeps it."""

    size: int
    root: bytes
    note: str
    source: str
    signed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A log as the database has it, against the largest checkpoints known of it.

    The first `common` leaves are those that were signed; `lost` are the checkpoints of a history
    that the database does not have, the largest one last. `refused` are notes nobody signed.
    """

    log_id: int
    origin: str
    size: int
    common: int
    kept: Known | None
    lost: tuple[Known, ...]
    lost_logs: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def is_lost(self) -> bool:
        """Whether anything is known that is not in the database."""
        return bool(self.lost or self.lost_logs)

    @property
    def lost_to(self) -> int:
        """One more than the last leaf that was signed and is lost."""
        return max((one.size for one in self.lost), default=self.common)

    def lines(self) -> list[str]:
        """Return what is lost, in words."""
        if not self.is_lost:
            return [f"Nothing is lost: {self.origin} has all {self.common} leaves ever signed"]
        found = [f"The log {origin} is not in the database any more" for origin in self.lost_logs]
        if self.lost:
            found += [
                f"{self.origin} has {self.size} leaves; leaves {self.common} to "
                f"{self.lost_to - 1} of its signed history are lost ({self.lost_to - self.common})",
                f"They were written between {_when(self.kept)} and {_when(self.lost[-1])}",
                *(f"Lost: checkpoint {one.size} ({one.source})" for one in self.lost),
            ]
            if self.size > self.common:
                found.append(
                    f"{self.size - self.common} leaves after {self.common} are of another history"
                )
        return found


def check(
    *,
    origin: str | None = None,
    source: Source | None = None,
    notes: Iterable[tuple[str, str]] = (),
    using: str = DEFAULT_DB_ALIAS,
) -> Restored:
    """Compare a log with the signer's memory, the published folder, an export and other notes."""
    log_id = stored.log_id_of(origin, using=using)
    history = keys.history(origin)
    known, refused = [], []
    with connections[using].cursor() as cursor:
        state = stored.state(cursor, log_id=log_id)
        texts = [*_own(cursor, log_id), *_outside(origin, log_id, source), *notes]
        for name, text in texts:
            try:
                known.append(_known(text, history, name))
            except KeyRefused as error:
                refused.append(f"{name}: {error}")
        known.sort(key=lambda one: one.size)
        kept = _last_kept(cursor, state, known)
    common = kept.size if kept else 0
    present = {one.origin for one in new_logs.described()}
    return Restored(
        log_id=log_id,
        origin=state.origin,
        size=state.size,
        common=common,
        kept=kept,
        lost=tuple(one for one in known if one.size > common),
        lost_logs=tuple(sorted(new_logs.traces() - present)),
        refused=tuple(refused),
    )


def _own(cursor: CursorWrapper, log_id: int) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT size, coalesce(note, '') FROM audit.checkpoint WHERE log_id = %s", [log_id]
    )
    return [(f"checkpoint {size} of the database", note) for size, note in cursor.fetchall()]


def _outside(origin: str | None, log_id: int, source: Source | None) -> Iterator[tuple[str, str]]:
    if (latest := checkpoints.remembered(origin)) is not None:
        yield "the signer's memory", latest
    folder = keys.own_folder(Path(settings.PUBLISHED_DIR), origin)
    for path, text in checkpoints.published(folder):
        yield f"published {path.name}", text
    if source is not None:
        for name, text in exported.checkpoints(source, log_id=log_id):
            yield f"export {name}", text


def _known(text: str, history: KeyHistory, source: str) -> Known:
    checkpoint = history.open(text)
    signed = history.signed_at(text)
    return Known(
        size=checkpoint.size,
        root=checkpoint.root,
        note=text,
        source=source,
        signed_at=None if signed is None else datetime.fromtimestamp(signed, UTC),
    )


def _last_kept(cursor: CursorWrapper, state: State, known: list[Known]) -> Known | None:
    """Return the largest checkpoint that the stored leaves lead to."""
    reader = stored.reader(cursor, log_id=state.log_id)
    for one in reversed(known):
        try:
            if one.size <= state.size and merkle.root_at(one.size, reader) == one.root:
                return one
        except tiles.HashMissing:
            continue
    return None


def _when(known: Known | None) -> str:
    if known is None:
        return "the beginning"
    return known.signed_at.isoformat() if known.signed_at else f"checkpoint {known.size}"
