"""Say what a verification found: verdicts, the places they are about, and what follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    VALID = "VALID"
    REDACTED_AUTHORISED = "REDACTED_AUTHORISED"
    UNANCHORED = "UNANCHORED"
    NOT_CHECKED = "NOT_CHECKED"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    MISSING_OPENING = "MISSING_OPENING"
    TIME_OUT_OF_BRACKET = "TIME_OUT_OF_BRACKET"
    NONCANONICAL = "NONCANONICAL"
    REORDERED = "REORDERED"
    TAMPERED = "TAMPERED"
    MISSING = "MISSING"
    FORK = "FORK"
    MALFORMED = "MALFORMED"
    UNUSABLE = "UNUSABLE"


class Exit(IntEnum):
    GOOD = 0
    FAULTY = 1
    MALFORMED = 2
    UNANCHORED = 3
    UNUSABLE = 4
    NOT_CHECKED = 5


# Of several problems of one entry, the first of these is its verdict.
OF_ENTRIES = (
    Verdict.TAMPERED,
    Verdict.REORDERED,
    Verdict.NONCANONICAL,
    Verdict.TIME_OUT_OF_BRACKET,
    Verdict.MISSING_OPENING,
)
FAULTS = frozenset({*OF_ENTRIES, Verdict.MISSING, Verdict.FORK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where."""

    verdict: Verdict
    message: str
    file: str | None = None
    index: int | None = None
    record: str | None = None
    record_id: str | None = None

    @property
    def place(self) -> str:
        """The place for people."""
        parts = [self.file] if self.file else []
        if self.index is not None:
            parts.append(f"entry {self.index}")
        if self.record:
            parts.append(f"{self.record} {self.record_id}")
        return ", ".join(parts) or "the bundle"


class Malformed(ValueError):
    """Bytes that are no evidence bundle, or no longer the one that was made; says where."""

    def __init__(self, message: str, *, file: str | None = None, index: int | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(verdict=Verdict.MALFORMED, message=message, file=file, index=index)


class Unusable(ValueError):
    """What was given beside the bundle cannot be used; says which file. The bundle is not judged."""

    def __init__(self, message: str, *, file: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(verdict=Verdict.UNUSABLE, message=message, file=file)


def exit_code(problems: Iterable[Problem]) -> Exit:
    """Return the one code that these problems lead to."""
    verdicts = {one.verdict for one in problems}
    if Verdict.UNUSABLE in verdicts:
        return Exit.UNUSABLE
    if Verdict.MALFORMED in verdicts:
        return Exit.MALFORMED
    if verdicts & FAULTS:
        return Exit.FAULTY
    if Verdict.NOT_CHECKED in verdicts:
        return Exit.NOT_CHECKED
    return Exit.UNANCHORED if verdicts else Exit.GOOD
