"""Read entries that left the database from the archive files which the log names."""

import mmap
from pathlib import Path

from compliance.trail.tlog.archive_file import Archive
from compliance.trail.verifying.work import Archived, Plan


class Archives:
    """The archive files of a plan, each opened when the first of its entries is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._opened: dict[Path, Archive | None] = {}

    def body(self, log_id: int, index: int, entry_id: int | None) -> bytes | None:
        """Return the body of an entry that was detached, where a file has one in its place.

        Whether it is the sealed one is for its leaf to say, as for a body of the database.
        """
        if entry_id is None or entry_id // self._plan.partition not in self._plan.detached:
            return None
        for one in self._plan.archives:
            if one.log_id == log_id and one.start <= index < one.end:
                try:
                    found = self._archive(one)
                    return None if found is None else found.at(index).body
                except IndexError:
                    return None
        return None

    def _archive(self, one: Archived) -> Archive | None:
        if one.path not in self._opened:
            try:
                with one.path.open("rb") as file:
                    content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._opened[one.path] = Archive(memoryview(content))
            except (OSError, ValueError):  # not there, empty, or no archive
                self._opened[one.path] = None
        return self._opened[one.path]
