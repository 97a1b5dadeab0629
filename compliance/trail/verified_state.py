"""Keep what a verification has done on disk, so that another run goes on after a sudden end."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from secrets import token_bytes
from typing import Any

import msgspec

from compliance.trail.verifying.work import RangeJob, RangeResult

# Another name for each form that records of entries had (spill.RECORD, spill.key): what an older
# version of the product left is not gone on with, but verified again.
_SECRET, _LOCK = "secret.2", "lock"
_LENGTH = 32


@dataclass(frozen=True)
class Run:
    """A folder of one run: its secret, records of entries, results of ranges without a fault."""

    folder: Path
    secret: bytes

    def keep(self, job: RangeJob, result: RangeResult) -> None:
        """Keep the result of a range in which everything was in order."""
        if result.findings.counts or result.unopened or result.misplaced:
            return  # looked at again by the next run
        found = {one.name: getattr(result, one.name) for one in fields(result)}
        del found["findings"]
        path = self.folder / f"log{job.log_id}-{job.start:015}.result"
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.msgpack.encode({"job": asdict(job), "result": found}))
        partial.replace(path)

    def kept(self, jobs: list[RangeJob]) -> dict[RangeJob, RangeResult]:
        """Return the results that an interrupted run left of these jobs, the very same ones."""
        found = {}
        for job in jobs:
            path = self.folder / f"log{job.log_id}-{job.start:015}.result"
            if not path.exists() or not path.with_suffix(".records").exists():
                continue
            try:
                document = msgspec.msgpack.decode(path.read_bytes(), strict=False)
                if document["job"] == msgspec.msgpack.decode(msgspec.msgpack.encode(asdict(job))):
                    found[job] = _result(document["result"])
            except (msgspec.MsgspecError, LookupError, TypeError):
                continue  # cut off with the disk, say: the range is verified again
        return found


def _result(kept: dict[str, Any]) -> RangeResult:
    kept["hashes"] = tuple(kept["hashes"])
    kept["touched"] = {(table, record_id) for table, record_id in kept["touched"]}
    kept["documents"] = [tuple(one) for one in kept["documents"]]
    kept["first"] = None if kept["first"] is None else tuple(kept["first"])
    return RangeResult(**kept)


@contextmanager
def opened(parent: Path, *, resume: bool) -> Iterator[Run]:
    """Open the folder of a run, an interrupted one's with `resume`; it goes when the run ends well."""
    parent.mkdir(parents=True, exist_ok=True)
    with _alone(parent):
        left = _abandoned(parent)
        chosen = [folder for folder in left if len(_secret(folder)) == _LENGTH][: int(resume)]
        for stale in left:
            if stale not in chosen:
                shutil.rmtree(stale, ignore_errors=True)
        folder = chosen[0] if chosen else _made(parent)
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        yield Run(folder, _secret(folder))
        with _alone(parent):
            shutil.rmtree(folder)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Wait until no other run is choosing or taking away a folder: one half made looks abandoned."""
    with (parent / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(parent: Path) -> Path:
    folder = parent / f"run-{token_bytes(8).hex()}"
    folder.mkdir(mode=0o700)
    (folder / _SECRET).write_bytes(token_bytes(_LENGTH))
    return folder


def _secret(folder: Path) -> bytes:
    """Return the secret of a run; a run that was killed before it had one has no results either."""
    path = folder / _SECRET
    return path.read_bytes() if path.is_file() else b""


def _abandoned(parent: Path) -> list[Path]:
    """Return the folders that no running verification holds, the newest first."""
    found = []
    for folder in sorted(parent.glob("run-*"), key=os.path.getmtime, reverse=True):
        with suppress(OSError), (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.append(folder)
    return found
