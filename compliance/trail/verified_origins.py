"""Hold the logs of the database against those that were ever begun or signed."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from compliance.trail import (
    archiving,
    continuing,
    entry_form,
    keys,
    new_logs,
    stored,
    verified_checkpoints,
    verified_documents,
)
from compliance.trail.findings import Findings, Verdict
from compliance.trail.stored import Log
from compliance.trail.tlog import merkle, tiles
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.verifier.documents import Documents, old_log
from compliance.trail.verifying.source import LARGEST

_FIRST = (
    "SELECT e.body FROM audit.leaf l JOIN audit.entry e USING (entry_id) "  # noqa: S608 -- a number
    f"WHERE l.log_id = %s AND l.idx = 0 AND octet_length(e.body) <= {LARGEST}"
)
# Of each log that anything outside of the database knows: its notes there, and where they are.
Outside = Mapping[str, Sequence[tuple[str, str]]]


def outside() -> Outside:
    """Return the logs that left traces outside of the database, with their signed notes."""
    origins = {settings.LOG_ORIGIN, *new_logs.traces()}
    return {origin: verified_checkpoints.outside(origin) for origin in origins}


def check(cursor: CursorWrapper, found: Outside, findings: Findings) -> None:
    """Name logs that are gone, and those that are there although nobody began them."""
    logs = stored.described(cursor)
    told = list(verified_documents.told(cursor, new_logs.KIND))
    begun = {one["origin"]: one["is_parent"] for one in told}
    present = {settings.LOG_ORIGIN if one.log_id == settings.LOG_ID else one.origin for one in logs}
    for origin in sorted((set(begun) | set(found)) - present):
        if origin in begun or found[origin]:
            why = "an entry tells of its beginning" if origin in begun else "it was signed"
            findings.add(
                Verdict.MISSING, f"the log {origin} is not in the database any more: {why}"
            )
        else:  # a beginning that failed leaves them
            findings.notes.append(f"there are keys of {origin}, which signed nothing and is no log")
    names = {one.log_id: one.origin for one in logs}
    above: dict[int, bool] = {}  # by the number of a log, which is greater than of what it follows
    for one in logs:
        above[one.log_id] = begun.get(one.origin, above.get(one.follows or 0, False))
        if one.is_parent != above[one.log_id]:
            findings.add(
                Verdict.TAMPERED,
                f"{one.origin} (log {one.log_id}) has another place, below or above the others, "
                "than it began with",
            )
        if one.follows is not None and one.follows not in names:
            findings.add(
                Verdict.TAMPERED,
                f"{one.origin} (log {one.log_id}) continues a log {one.follows} that is not there",
            )
        if one.closed_by in names:
            findings.notes.append(
                f"{one.origin} is continued by {names[int(one.closed_by or 0)]}: acts for it go there"
            )
        # One that continues another says so itself: see `check_continued`.
        if one.log_id != settings.LOG_ID and one.origin not in begun and one.follows is None:
            findings.add(
                Verdict.TAMPERED,
                f"nobody began {one.origin} (log {one.log_id}): no event tells of it",
            )


def check_continued(
    cursor: CursorWrapper, documents: Mapping[int, Documents], findings: Findings
) -> None:
    """Name logs that took over from another one although nothing of that was lost.

    Acts for a log go to the one that follows it. So that nobody sends them elsewhere, its first
    entry has to say where the old log ended, and show a signed part of it that is not there. Say
    which other logs there are, too: what is in them is not in this one.
    """
    logs = {one.log_id: one for one in stored.described(cursor)}
    for one in logs.values():
        if one.follows in logs and (problem := _unlawful(cursor, one, logs, documents)):
            findings.add(
                Verdict.TAMPERED,
                f"nobody began {one.origin} (log {one.log_id}) in the place of "
                f"{logs[one.follows].origin}: {problem}",
            )
        if one.log_id != settings.LOG_ID:
            ends = stored.state(cursor, log_id=one.log_id).size if _has_state(cursor, one) else 0
            findings.notes.append(
                f"{one.origin} is a log of its own (log {one.log_id}), {ends} leaves"
            )


def _has_state(cursor: CursorWrapper, log: Log) -> bool:
    """Say whether the state of a log is there and can be read; else it is named by itself."""
    try:
        stored.state(cursor, log_id=log.log_id)
    except stored.Damaged:
        return False
    return True


def _unlawful(
    cursor: CursorWrapper, log: Log, logs: Mapping[int, Log], documents: Mapping[int, Documents]
) -> str:
    """Say why a log does not continue the one before it, or nothing."""
    old = logs[int(log.follows or 0)]
    told = verified_documents.told(cursor, continuing.KIND)
    event = next((one for one in told if one["old_origin"] == old.origin), None)
    if event is None:
        return "no event tells of it"
    if not (_has_state(cursor, log) and _has_state(cursor, old)):
        return ""
    is_sealed = stored.state(cursor, log_id=log.log_id).size > 0
    if is_sealed and _continued(cursor, log, documents) != old.origin:
        return "its first entry does not say so"
    end = stored.state(cursor, log_id=old.log_id)
    closed = (event["closed_size"], event["closed_root"], event["closed_chain"])
    if closed != (end.size, end.root.hex(), end.chain.hex()):
        return "that one does not end where it was closed"
    present = {one.origin for one in logs.values()}
    if set(event["lost_logs"]) - present:
        return ""
    return _not_lost(cursor, old, event)


def _continued(cursor: CursorWrapper, log: Log, documents: Mapping[int, Documents]) -> str | None:
    """Return the log that the first entry of another says it continues; not every run came by it."""
    if (found := documents.get(log.log_id)) and found.continues:
        return found.continues.origin
    cursor.execute(_FIRST, [log.log_id])
    row = cursor.fetchone()
    try:
        body = bytes(row[0]) if row else archiving.read_body(0, log_id=log.log_id)
        old = old_log(entry_form.parse(body))
    except (LookupError, OSError, ValueError):  # what cannot be read says nothing
        return None
    return old.origin if old else None


def _not_lost(cursor: CursorWrapper, old: Log, event: Mapping[str, Any]) -> str:
    """Say why the checkpoint that an event shows is of nothing that was lost, or nothing."""
    try:
        history = keys.history(None if old.log_id == settings.LOG_ID else old.origin)
        lost = history.open(event["old_checkpoint"])
    except (keys.KeyUnusable, KeyRefused) as error:
        return f"it shows no signed checkpoint of what was lost: {error}"
    if lost.size <= event["lost_from"]:
        return "nothing was lost after what it kept"
    state = stored.state(cursor, log_id=old.log_id)
    try:
        reader = stored.reader(cursor, log_id=old.log_id)
        is_there = lost.size <= state.size and merkle.root_at(lost.size, reader) == lost.root
    except tiles.HashMissing:
        return ""
    return f"the checkpoint of {lost.size} leaves that it calls lost is there" if is_there else ""
