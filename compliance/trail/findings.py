"""Name what a verification can find, and collect all of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

KEPT = 1000


class Verdict(StrEnum):
    """What is wrong with an entry, a record, a checkpoint or the enforcement."""

    TAMPERED = "TAMPERED"
    MISSING = "MISSING"
    REORDERED = "REORDERED"
    NONCANONICAL = "NONCANONICAL"
    PROJECTION_MISMATCH = "PROJECTION_MISMATCH"
    TIME_OUT_OF_BRACKET = "TIME_OUT_OF_BRACKET"
    FORK = "FORK"
    DISABLED = "DISABLED"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong: where, and in words that can be shown."""

    verdict: Verdict
    message: str
    index: int | None = None
    entry_id: int | None = None
    record: str | None = None

    @property
    def place(self) -> str:
        """Where it is, as short as it can be said."""
        parts = []
        if self.index is not None:
            parts.append(f"leaf {self.index}")
        if self.entry_id is not None:
            parts.append(f"entry {self.entry_id}")
        if self.record is not None:
            parts.append(self.record)
        return ", ".join(parts) or "log"

    def __str__(self) -> str:
        return f"{self.verdict} {self.place}: {self.message}"


@dataclass
class Findings:
    """All faults, counted; the first ones are kept in full."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[Verdict] = field(default_factory=Counter)

    def add(
        self,
        verdict: Verdict,
        message: str,
        *,
        index: int | None = None,
        entry_id: int | None = None,
        record: str | None = None,
    ) -> None:
        self.counts[verdict] += 1
        if len(self.faults) < KEPT:
            self.faults.append(
                Fault(
                    verdict=verdict, message=message, index=index, entry_id=entry_id, record=record
                )
            )
