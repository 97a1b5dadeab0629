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
    MISSING_OPENING = "MISSING_OPENING"


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
    """All faults, counted; of each verdict the first ones are kept in full, and the earliest."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[Verdict] = field(default_factory=Counter)
    earliest: dict[Verdict, Fault] = field(default_factory=dict)
    _kept: Counter[Verdict] = field(default_factory=Counter)

    def add(
        self,
        verdict: Verdict,
        message: str,
        *,
        index: int | None = None,
        entry_id: int | None = None,
        record: str | None = None,
    ) -> None:
        self._keep(
            Fault(verdict=verdict, message=message, index=index, entry_id=entry_id, record=record)
        )
        self.counts[verdict] += 1

    def merge(self, other: "Findings") -> None:
        """Take over what another part of the work found."""
        for fault in (*other.faults, *other.earliest.values()):
            self._keep(fault)
        self.counts += other.counts
        self.notes += other.notes

    @property
    def all(self) -> tuple[Fault, ...]:
        """What is kept, each once."""
        return tuple(dict.fromkeys((*self.faults, *self.earliest.values())))

    def _keep(self, fault: Fault) -> None:
        if self._kept[fault.verdict] < KEPT:
            self._kept[fault.verdict] += 1
            self.faults.append(fault)
        known = self.earliest.get(fault.verdict)
        if fault.index is not None and (
            known is None or known.index is None or fault.index < known.index
        ):
            self.earliest[fault.verdict] = fault
