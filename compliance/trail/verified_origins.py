"""Hold the logs of the database against those that were ever begun or signed."""

from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from compliance.trail import continuing, new_logs, stored, verified_checkpoints, verified_documents
from compliance.trail.findings import Findings, Verdict

# Of each log that anything outside of the database knows: its notes there, and where they are.
Outside = Mapping[str, Sequence[tuple[str, str]]]


def outside() -> Outside:
    """Return the logs that left traces outside of the database, with their signed notes."""
    origins = {settings.LOG_ORIGIN, *new_logs.traces()}
    return {origin: verified_checkpoints.outside(origin) for origin in origins}


def check(cursor: CursorWrapper, found: Outside, findings: Findings) -> None:
    """Name logs that are gone, and those that are there although nobody began them."""
    logs = stored.described(cursor)
    begun = set(_told(cursor, new_logs.KIND, "origin"))
    present = {settings.LOG_ORIGIN if one.log_id == settings.LOG_ID else one.origin for one in logs}
    for origin in sorted((begun | set(found)) - present):
        if origin in begun or found[origin]:
            why = "an entry tells of its beginning" if origin in begun else "it was signed"
            findings.add(
                Verdict.MISSING, f"the log {origin} is not in the database any more: {why}"
            )
        else:  # a beginning that failed leaves them
            findings.notes.append(f"there are keys of {origin}, which signed nothing and is no log")
    continued = set(_told(cursor, continuing.KIND, "old_origin"))
    names = {one.log_id: one.origin for one in logs}
    for one in logs:
        if one.log_id == settings.LOG_ID or one.origin in begun:
            continue
        if one.follows is None or names.get(one.follows) not in continued:
            findings.add(
                Verdict.TAMPERED,
                f"nobody began {one.origin} (log {one.log_id}): no event tells of it",
            )


def _told(cursor: CursorWrapper, kind: str, member: str) -> Iterator[str]:
    names = (document.get(member) for document in verified_documents.told(cursor, kind))
    yield from (name for name in names if isinstance(name, str))
