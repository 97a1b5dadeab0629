"""Hold disclosed values against their commitments, and missing ones against redactions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from compliance.trail.tlog import commitment
from compliance.trail.verifier.contents import Opening
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Problem, Verdict


class Opened:
    """The values whose commitments are opened, by entry, path and commitment."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, str, str], str] = {}

    def put(self, index: int, path: str, commitment_hex: str, value: str) -> None:
        self._values[index, path, commitment_hex] = value

    def value(self, index: int, path: str, commitment_hex: str) -> str | None:
        """Return the disclosed value, or None."""
        return self._values.get((index, path, commitment_hex))


def open_all(openings: Sequence[Opening], seen: Mapping[int, Seen]) -> tuple[Opened, list[Problem]]:
    """Return what the openings disclose, and those that open nothing."""
    opened, problems = Opened(), []
    for one in openings:
        at = seen.get(one.index)
        digest = _commitment(one)
        if at is not None and digest in {c for path, c in commitments(at) if path == one.path}:
            opened.put(one.index, one.path, digest, one.value)
        else:
            problems.append(
                Problem(
                    verdict=Verdict.TAMPERED,
                    message=f"the value disclosed for {one.path} is not the one in the entry",
                    file="openings.json",
                    index=one.index,
                )
            )
    return opened, problems


def commitments(one: Seen) -> Iterator[tuple[str, str]]:
    """Yield path and commitment of every value of an entry that is committed to."""
    members: Mapping[str, Any] = one.members or {}
    for part in ("new", "old"):
        for column, value in members.get(part, {}).items():
            if commitment.is_commitment(value):
                yield f"{members['record']}.{column}", value["c"]


def check(seen: Iterable[Seen], opened: Opened, documents: Documents) -> set[int]:
    """Return the indices of entries with authorised redactions; problems go to the entries."""
    by_index = {one.index: one for one in seen}
    authorised = set(_authorised(by_index, documents))
    redacted = set()
    for one in by_index.values():
        if not one.is_sound:
            continue
        closed = {path for path, c in commitments(one) if opened.value(one.index, path, c) is None}
        withheld = sorted(path for path in closed if (one.index, path) not in authorised)
        if withheld:
            one.add(Verdict.MISSING_OPENING, f"withheld, not redacted: {', '.join(withheld)}")
        elif closed:
            redacted.add(one.index)
    return redacted


def _authorised(seen: Mapping[int, Seen], documents: Documents) -> Iterator[tuple[int, str]]:
    for number, redaction in documents.redactions.items():
        if number <= redaction.index:
            seen[number].add(Verdict.TAMPERED, "redacts an entry that was not there yet")
        elif not documents.may_redact(redaction.path, redaction.index):
            seen[number].add(
                Verdict.TAMPERED,
                f"{redaction.path} could not be redacted when entry {redaction.index} was written",
            )
        else:
            yield redaction.index, redaction.path


def _commitment(one: Opening) -> str:
    try:
        return commitment.commit(one.path, salt=one.salt, value=one.value).hex()
    except ValueError:  # longer than any path
        return ""
