"""Hold commitments of redactable values against what opens them."""

from collections.abc import Mapping
from typing import Any

from compliance.trail.tlog import commitment
from compliance.trail.verifying.source import Source
from compliance.trail.verifying.state import RangeState
from compliance.trail.verifying.work import CHUNK, Committed

# What a verification reads in the entries of the log about itself; all else it reads in their rows.
KINDS = ("origin", "redactable", "redaction", "seal", "timestamp")


def collect(state: RangeState, index: int, entry_id: int, members: Mapping[str, Any]) -> None:
    """Note the commitments that an entry makes, and what the log tells of redactions and seals."""
    record = f"{members['record']} {members['record_id']}"
    for column, value in members["new"].items():
        if isinstance(value, dict) and isinstance(value.get("c"), str):
            path = f"{members['record']}.{column}"
            state.committed.append((index, entry_id, path, value["c"], record, column))
    kind = members["new"].get("kind")
    if members["record"] == "trail_logevent" and members["op"] == "insert" and kind in KINDS:
        state.result.documents.append((index, kind, str(members["new"].get("document"))))


def check(source: Source, state: RangeState) -> None:
    """Look for the opening of every commitment of the range."""
    for at in range(0, len(state.committed), CHUNK):
        some = state.committed[at : at + CHUNK]
        rows = source.fetch(
            "SELECT entry_id, path, salt, value FROM audit.openings_of_entries(%s::bigint[])",
            [[entry_id for _, entry_id, *_ in some]],
        )
        openings = {
            (entry_id, path): (salt, value)
            for entry_id, path, salt, value in rows
            if salt is not None and value is not None
        }
        for index, entry_id, path, committed, record, _ in some:
            opening = openings.get((entry_id, path))
            if opening is None or not _opens(path, *opening, committed):
                state.result.unopened.append(Committed(index, entry_id, path, record))


def _opens(path: str, salt: bytes, value: str, committed: str) -> bool:
    try:
        return commitment.commit(path, salt=salt, value=value).hex() == committed
    except ValueError:  # planted: no commitment was ever made with such a salt
        return False
