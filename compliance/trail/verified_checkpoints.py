"""Verify checkpoints: each signed, and each with the root that the stored leaves give."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from compliance.trail import checkpoints, keys
from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.verifying import times

PUBLISHED = "published "
UNSIGNED = 3600  # seconds that a new log may have no checkpoint
_LAST_SECOND = 253402300799  # of the year 9999


class NotAssessable(Exception):
    """The trail cannot be verified here: something it needs is not there."""


@dataclass(frozen=True)
class Witnessed:
    """What a checkpoint claims, and where it was kept."""

    size: int
    root: bytes
    source: str
    at: int | None  # POSIX time, of keys that sign it


class Checkpoints:
    """All checkpoints of a log that can be found, waiting for the recomputed roots."""

    def __init__(self, *, log_id: int, origin: str, findings: Findings) -> None:
        self.log_id = log_id
        self._of = "" if log_id == settings.LOG_ID else f" of {origin}"
        self.origin = origin
        self.findings = findings
        self.count = 0
        self.is_signed = False
        self._expected: dict[int, list[Witnessed]] = {}
        self.signed: list[tuple[int, int]] = []  # size, and microseconds since 1970
        self._last_good = 0

    def collect(self, cursor: CursorWrapper, outside: Iterable[tuple[str, str]]) -> None:
        """Read the checkpoints of the database and those kept outside of it."""
        cursor.execute(_STORED, [self.log_id])
        rows = cursor.fetchall()
        outside = list(outside)
        self.is_signed = bool(rows or outside)
        if not rows and not outside:
            return
        history = self._history()
        if history is None:
            return
        for size, root, text, signed_at in rows:
            self.count += 1
            if size is None or root is None or text is None or signed_at is None:
                self._add(
                    Verdict.TAMPERED, f"checkpoint {size}{self._of}: a column of it is no value"
                )
                continue
            found = self._open(text, history, f"checkpoint {size}{self._of} of the database")
            moment = times.since_epoch(signed_at)
            self.signed.append((size, moment))
            if found and found.at and abs(moment - found.at * 1_000_000) > times.TOLERANCE:
                signed = datetime.fromtimestamp(min(found.at, _LAST_SECOND), UTC).isoformat()
                self._add(
                    Verdict.TAMPERED,
                    f"checkpoint {size}{self._of} was signed {signed}, and is shown as of "
                    f"{signed_at.astimezone(UTC).isoformat()}",
                )
            if found and (found.size != size or found.root != bytes(root)):
                self._add(
                    Verdict.TAMPERED, f"checkpoint {size}{self._of}: its columns are not its note's"
                )
        in_database = {size for size, _, _, _ in rows}
        newest = max(in_database, default=-1)
        for source, text in outside:
            found = self._open(text, history, source)
            if found is None or found.size in in_database:
                continue
            # The signer remembers before the database knows; what is published was stored first.
            if found.size <= newest or source.startswith(PUBLISHED):
                self._add(Verdict.MISSING, f"{source} is not in the database any more")

    @property
    def sizes(self) -> list[int]:
        """The sizes whose roots are waited for, in order."""
        return sorted(self._expected)

    def begin(self, size: int) -> None:
        """Leave out what an earlier run compared."""
        self._expected = {one: found for one, found in self._expected.items() if one > size}
        self._last_good = size

    def compare(self, size: int, root: bytes) -> None:
        """Compare the checkpoints of a size with the root that the stored leaves give."""
        wrong = [one for one in self._expected.pop(size) if one.root != root]
        for one in wrong:
            self._add(
                Verdict.FORK,
                f"{one.source} signs another history of {size} leaves than the one stored: "
                f"something from leaf {self._last_good} on was rewritten",
                index=self._last_good,
            )
        if not wrong:
            self._last_good = size

    def finish(self, size: int, earliest: int | None) -> None:
        """Name the checkpoints that cover more than there is, and a log that has none.

        `earliest` is the time of its first entry, in microseconds since 1970.
        """
        if size and not self.is_signed and self._is_due(earliest):
            self._add(
                Verdict.MISSING,
                f"no checkpoint of these {size} leaves{self._of} is here or published: nothing "
                "outside of the database says that this is the history that was written",
            )
        for claimed in sorted(self._expected):
            if claimed <= size:  # a leaf below is missing, which has been named
                self.findings.notes.append(
                    f"checkpoint {claimed}{self._of} cannot be compared any more"
                )
                continue
            for one in self._expected[claimed]:
                self._add(
                    Verdict.MISSING,
                    f"{one.source} covers {claimed} leaves and the log has {size}: "
                    "the end was cut off, or an old state restored",
                    index=size,
                )

    def _history(self) -> KeyHistory | None:
        """Return the keys of the log; without those of the installation's own, nothing is said."""
        try:
            return keys.history(None if self.log_id == settings.LOG_ID else self.origin)
        except keys.KeyUnusable as error:
            if self.log_id == settings.LOG_ID:
                raise NotAssessable(str(error)) from error
            self._add(Verdict.MISSING, f"the checkpoints{self._of} cannot be verified: {error}")
            return None

    def _is_due(self, earliest: int | None) -> bool:
        """Say whether the log should have been signed by now."""
        if (keys.folder(self.origin) / keys.PUBLIC).exists():
            return True
        return earliest is not None and earliest < (time.time() - UNSIGNED) * 1_000_000

    def _open(self, text: str, history: KeyHistory, source: str) -> Witnessed | None:
        try:
            found, at = history.timed(text)
        except KeyRefused as error:
            self._add(Verdict.TAMPERED, f"{source}: {error}")
            return None
        if found.origin != self.origin:
            self._add(Verdict.FORK, f"{source} is of another log: {found.origin}")
            return None
        witnessed = Witnessed(found.size, found.root, source, at)
        self._expected.setdefault(found.size, []).append(witnessed)
        return witnessed

    def _add(self, verdict: Verdict, message: str, *, index: int | None = None) -> None:
        self.findings.add(verdict, message, index=index)


_STORED = """
SELECT size, root, note,
    CASE WHEN signed_at >= '1970-01-01' AND signed_at < '9000-01-01' THEN signed_at END
FROM audit.checkpoint WHERE log_id = %s ORDER BY size
"""


def outside(origin: str) -> list[tuple[str, str]]:
    """Return the notes of a log kept outside of the database: published ones, the signer's own."""
    of = "" if origin == settings.LOG_ORIGIN else f" of {origin}"
    folder = keys.own_folder(Path(settings.PUBLISHED_DIR), origin)
    found = [(f"{PUBLISHED}{path.name}{of}", text) for path, text in checkpoints.published(folder)]
    if (latest := checkpoints.remembered(origin)) is not None:
        found.append((f"the signer's own last checkpoint{of}", latest))
    return found
