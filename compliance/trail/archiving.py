"""Copy sealed entries into archive files, and read and check what is archived."""

import bisect
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from compliance.trail import durable, log_events, recording, stored
from compliance.trail.findings import Fault, Verdict
from compliance.trail.recording import Actor
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import archive_file, merkle, subtrees, tiles
from compliance.trail.tlog.archive_file import Archive, Archived, ArchiveInvalid, Manifest

ALIAS = "owner"  # whose word it is that entries are in a file; no other role may give it
KIND = "archive"
SPAN = 1 << 16  # leaves a file; a perfect subtree, whose root is a stored node


class ArchiveConflict(Exception):
    """A file of that name is there, and it is not the archive of these leaves. Keep it."""


class NotArchived(LookupError):
    """No archive has this leaf."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Leaves [start, end) of a log that the log says are in an archive file."""

    log_id: int
    origin: str
    start: int
    end: int
    subtree_root: bytes
    sha256: bytes
    file: str


def spans(*, log_id: int | None = None, using: str = DEFAULT_DB_ALIAS) -> list[Span]:
    """Return what is archived, of one log or of all, in order."""
    with connections[using].cursor() as cursor:
        numbers = {one.origin: one.log_id for one in stored.described(cursor)}
    found = [
        Span(
            log_id=numbers[one["origin"]],
            origin=one["origin"],
            start=one["start"],
            end=one["end"],
            subtree_root=bytes.fromhex(one["subtree_root"]),
            sha256=bytes.fromhex(one["sha256"]),
            file=one["file"],
        )
        for one in log_events.documents(KIND, using=using)
        if one["origin"] in numbers
    ]
    chosen = [span for span in found if log_id in (None, span.log_id)]
    return sorted(chosen, key=lambda span: (span.log_id, span.start))


def archive(
    folder: Path,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    log_id: int = LOG_ID,
    span: int = SPAN,
    using: str = ALIAS,
) -> list[Span]:
    """Archive every whole span that a checkpoint covers; continue where an earlier run ended.

    First the file, synced, then the event: a crash between them leaves a file that the next run
    checks and adopts. Raise `ArchiveConflict` where other bytes are in its place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    while due := _next(log_id, span, using):
        path = folder / f"{log_id}-{due[0]:012}-{due[1]:012}.archive"
        manifest = _write(path, log_id, *due, using)
        with recording.into(log_id):
            log_events.record(
                KIND, _document(manifest, path), actor=actor, at=at, reason=reason, using=using
            )
        made.append(next(s for s in spans(log_id=log_id, using=using) if s.start == due[0]))
    return made


def read_body(index: int, *, log_id: int = LOG_ID, folder: Path | None = None) -> bytes:
    """Return the body of an archived entry.

    Raise `NotArchived`, `FileNotFoundError`, or `ArchiveInvalid` when it is not the sealed one.
    """
    return Reader(log_id, folder=folder).body(index)


class Reader:
    """Reads entries of one log from its archive files, each opened once."""

    def __init__(self, log_id: int, *, folder: Path | None = None) -> None:
        self._log_id = log_id
        self._folder = folder or default_folder()
        self._spans = spans(log_id=log_id)
        self._starts = [span.start for span in self._spans]
        self._opened: dict[str, Archive] = {}

    def body(self, index: int) -> bytes:
        """Return the body of an archived entry; raise as `read_body` does."""
        place = bisect.bisect_right(self._starts, index) - 1
        if place < 0 or index >= self._spans[place].end:
            raise NotArchived(f"leaf {index} is in no archive of log {self._log_id}")
        span = self._spans[place]
        if span.file not in self._opened:
            # Mapped for as long as it is read from: the map ends with its last view.
            self._opened[span.file] = Archive(opened(self._folder / span.file).data)
        return _of_span(self._opened[span.file], span).verified(index).body


def entries(span: Span, *, folder: Path | None = None) -> Iterator[Archived]:
    """Yield the entries of one archive file as they stand in it."""
    with opened((folder or default_folder()) / span.file) as content:
        yield from _of_span(Archive(content.data), span).entries()


def check_all(
    folder: Path, *, log_id: int | None = None, using: str = DEFAULT_DB_ALIAS
) -> Iterator[Fault]:
    """Yield what is wrong with the archive files that the log names, leaf by leaf."""
    for span in spans(log_id=log_id, using=using):
        yield from check_span(folder, span, using=using)


def check_span(folder: Path, span: Span, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[Fault]:
    """Yield what is wrong with one archive file: against itself, its event, the stored leaves."""
    try:
        with opened(folder / span.file) as content:
            yield from _faults(content, span, using)
    except FileNotFoundError:
        yield _fault(
            Verdict.MISSING,
            span,
            f"the archive {span.file} of leaves {span.start} to {span.end} is not there",
        )
    except ArchiveInvalid as error:
        yield _fault(Verdict.TAMPERED, span, f"{span.file}: {error}", error.index)


def default_folder() -> Path:
    """Return where archive files are when nobody says otherwise."""
    return Path(settings.ARCHIVES_DIR)


class opened:  # noqa: N801 -- used as a function: with archiving.opened(path)
    """Map a file into memory; close it at the end of the block."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():  # a pipe in its place would be waited for
            raise FileNotFoundError(f"there is no file {path}")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
        self.data = memoryview(self._map) if self._map else memoryview(b"")

    def __enter__(self) -> "opened":
        return self

    def __exit__(self, *_: object) -> None:
        # The map itself goes with its last view: an exception under way may still hold one.
        self._map = None
        self.data = memoryview(b"")


def _next(log_id: int, span: int, using: str) -> tuple[int, int] | None:
    start = max((one.end for one in spans(log_id=log_id, using=using)), default=0)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT max(size) FROM audit.checkpoint WHERE log_id = %s", [log_id])
        (signed,) = cursor.fetchone()
    if start % span:
        raise ArchiveConflict(f"the archives end at leaf {start}, which is no multiple of {span}")
    return (start, start + span) if start + span <= (signed or 0) else None


def _write(path: Path, log_id: int, start: int, end: int, using: str) -> Manifest:
    """Write the file, or adopt the one that a run before left; return its manifest."""
    with connections[using].cursor() as cursor:
        if not path.exists():
            manifest, data = _cut(cursor, log_id, start, end)
            durable.create(path, archive_file.written(manifest, data), mode=0o444)
        root = merkle.root_between(start, end, stored.reader(cursor, log_id=log_id))
        origin = stored.state(cursor, log_id=log_id).origin
    try:
        # Read back from the disk, whoever wrote it: the event vouches for what is there.
        with opened(path) as content:
            found = Archive(content.data)
            found.verify()
            manifest = found.manifest
    except ArchiveInvalid as error:
        raise ArchiveConflict(f"{path} is there and is not readable: {error}. Keep it") from error
    claimed = (manifest.origin, manifest.start, manifest.end, manifest.subtree_root)
    if claimed != (origin, start, end, root):
        raise ArchiveConflict(
            f"{path} is there and has leaves {manifest.start} to {manifest.end} of "
            f"{manifest.origin} under another root. Keep it"
        )
    return manifest


def _cut(cursor: CursorWrapper, log_id: int, start: int, end: int) -> tuple[Manifest, bytes]:
    reader = stored.reader(cursor, log_id=log_id)
    found = stored.leaves(cursor, log_id=log_id, start=start, end=end)
    leaves = [Archived(one.idx, one.previous, one.leaf_hash, one.body) for one in found]
    if [one.index for one in leaves] != list(range(start, end)):
        raise ArchiveInvalid("an entry is missing: run `trail verify`", index=start)
    size, note, token = _covering(cursor, log_id, end)
    data = archive_file.data_of(leaves)
    manifest = Manifest(
        origin=stored.state(cursor, log_id=log_id).origin,
        start=start,
        end=end,
        subtree_root=merkle.root_between(start, end, reader),
        checkpoint=note,
        proof=tuple(subtrees.consistency_proof(start, end, size, reader)),
        timestamp=token,
        sha256=sha256(data).digest(),
    )
    Archive(archive_file.written(manifest, data)).verify()
    return manifest, data


def _covering(cursor: CursorWrapper, log_id: int, end: int) -> tuple[int, str, bytes | None]:
    """Return the first checkpoint over these leaves that has a time-stamp token, else the first."""
    cursor.execute("SELECT to_regclass('audit.timestamp') IS NOT NULL")
    (has_tokens,) = cursor.fetchone()
    if has_tokens:
        cursor.execute(
            "SELECT size, note, tsr FROM audit.checkpoint JOIN audit.timestamp USING (log_id, size)"
            " WHERE log_id = %s AND size >= %s ORDER BY size LIMIT 1",
            [log_id, end],
        )
        if row := cursor.fetchone():
            return row[0], row[1], bytes(row[2])
    cursor.execute(
        "SELECT size, note FROM audit.checkpoint WHERE log_id = %s AND size >= %s "
        "ORDER BY size LIMIT 1",
        [log_id, end],
    )
    size, note = cursor.fetchone()
    return size, note, None


def _document(manifest: Manifest, path: Path) -> dict[str, int | str]:
    return {
        "v": 1,
        "origin": manifest.origin,
        "start": manifest.start,
        "end": manifest.end,
        "subtree_root": manifest.subtree_root.hex(),
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "file": path.name,
    }


def _of_span(found: Archive, span: Span) -> Archive:
    manifest = found.manifest
    if (manifest.origin, manifest.start, manifest.end) != (span.origin, span.start, span.end):
        raise ArchiveInvalid(
            f"it is the archive of leaves {manifest.start} to {manifest.end} of "
            f"{manifest.origin}, and stands in the place of leaves {span.start} to {span.end}",
            index=span.start,
        )
    return found


def _faults(content: opened, span: Span, using: str) -> Iterator[Fault]:
    found = _of_span(Archive(content.data), span)
    named = False
    for error in found.faults():
        named = True
        yield _fault(Verdict.TAMPERED, span, f"{span.file}: {error}", error.index)
    if found.manifest.subtree_root != span.subtree_root:
        named = True
        yield _fault(Verdict.TAMPERED, span, f"{span.file} has another root than was archived")
    for fault in _unlike_stored(found, span, using):
        named = True
        yield fault
    if not named and sha256(content.data).digest() != span.sha256:
        yield _fault(Verdict.TAMPERED, span, f"{span.file} has another checksum than was archived")


def _unlike_stored(found: Archive, span: Span, using: str) -> Iterator[Fault]:
    """Yield where the file is not what the database's own leaves say: those are never archived."""
    with connections[using].cursor() as cursor:
        reader = stored.reader(cursor, log_id=span.log_id)
        try:
            if merkle.root_between(span.start, span.end, reader) == found.manifest.subtree_root:
                return
        except tiles.HashMissing:
            pass
        cursor.execute(
            "SELECT idx, leaf_hash FROM audit.leaf WHERE log_id = %s AND idx >= %s AND idx < %s",
            [span.log_id, span.start, span.end],
        )
        kept = {index: bytes(leaf_hash) for index, leaf_hash in cursor.fetchall()}
    differing = (one.index for one in found.entries() if kept.get(one.index) != one.leaf_hash)
    index = next(differing, span.start)
    yield _fault(
        Verdict.TAMPERED, span, f"{span.file} and the stored leaves are not the same", index
    )


def _fault(verdict: Verdict, span: Span, message: str, index: int | None = None) -> Fault:
    return Fault(verdict=verdict, message=message, index=span.start if index is None else index)
