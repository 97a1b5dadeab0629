"""Verify checkpoints: each signed, and each with the root that the stored leaves give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from compliance.trail import checkpoints, keys
from compliance.trail.findings import Findings, Verdict
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.key_history import KeyHistory


class NotAssessable(Exception):
    """The trail cannot be verified here: something it needs is not there."""


@dataclass(frozen=True)
class Witnessed:
    """What a checkpoint claims, and where it was kept."""

    size: int
    root: bytes
    source: str


class Checkpoints:
    """All checkpoints that can be found, waiting for the recomputed roots."""

    def __init__(self, *, origin: str, findings: Findings) -> None:
        self.origin = origin
        self.findings = findings
        self.count = 0
        self._expected: dict[int, list[Witnessed]] = {}
        self._signed: list[tuple[int, datetime]] = []
        self._position = 0
        self._last_good = 0

    def collect(self, cursor: CursorWrapper, outside: Iterable[tuple[str, str]]) -> None:
        """Read the checkpoints of the database and those kept outside of it."""
        cursor.execute(
            "SELECT size, root, note, signed_at FROM audit.checkpoint WHERE log_id = %s "
            "ORDER BY size",
            [LOG_ID],
        )
        rows = cursor.fetchall()
        outside = list(outside)
        if not rows and not outside:
            return
        history = _history()
        for size, root, text, signed_at in rows:
            found = self._open(text, history, f"checkpoint {size} of the database")
            self._signed.append((size, signed_at))
            self.count += 1
            if found and (found.size != size or found.root != bytes(root)):
                self._add(Verdict.TAMPERED, f"checkpoint {size}: its columns are not its note's")
        in_database = {size for size, _, _, _ in rows}
        newest = max(in_database, default=-1)
        for source, text in outside:
            found = self._open(text, history, source)
            if found and found.size not in in_database and found.size <= newest:
                self._add(Verdict.MISSING, f"{source} is not in the database any more")

    def signed_at(self, index: int) -> datetime | None:
        """Return when the first checkpoint over a leaf was signed; ask in order of leaves."""
        while self._position < len(self._signed) and self._signed[self._position][0] <= index:
            self._position += 1
        if self._position < len(self._signed):
            return self._signed[self._position][1]
        return None

    def is_due(self, size: int) -> bool:
        return size in self._expected

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

    def finish(self, size: int) -> None:
        """Name the checkpoints that cover more than there is."""
        for claimed in sorted(self._expected):
            if claimed <= size:  # a leaf below is missing, which has been named
                self.findings.notes.append(f"checkpoint {claimed} cannot be compared any more")
                continue
            for one in self._expected[claimed]:
                self._add(
                    Verdict.MISSING,
                    f"{one.source} covers {claimed} leaves and the log has {size}: "
                    "the end was cut off, or an old state restored",
                    index=size,
                )

    def _open(self, text: str, history: KeyHistory, source: str) -> Witnessed | None:
        try:
            found = checkpoints.opened(text, history).checkpoint
        except KeyRefused as error:
            self._add(Verdict.TAMPERED, f"{source}: {error}")
            return None
        if found.origin != self.origin:
            self._add(Verdict.FORK, f"{source} is of another log: {found.origin}")
            return None
        witnessed = Witnessed(found.size, found.root, source)
        self._expected.setdefault(found.size, []).append(witnessed)
        return witnessed

    def _add(self, verdict: Verdict, message: str, *, index: int | None = None) -> None:
        self.findings.add(verdict, message, index=index)


def outside(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the notes kept outside of the database: the published ones and the signer's own."""
    for path, text in checkpoints.published(folder):
        yield f"published {path.name}", text
    if latest := checkpoints.remembered():
        yield "the signer's own last checkpoint", latest


def _history() -> KeyHistory:
    try:
        return keys.history()
    except keys.KeyUnusable as error:
        raise NotAssessable(str(error)) from error
