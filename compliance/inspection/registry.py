"""Let the rooms register their inspection checks, one function an id."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from compliance.inspection.outcomes import Outcome
from compliance.inspection.snapshots import Snapshot

# Numbers of the rule pack: whole ones, and decimals as text.
Parameters = Mapping[str, int | str | list[str]]
Check = Callable[[Snapshot, Parameters], Outcome]


class CheckKnown(ValueError):
    """Two functions want the same id; ids are stored with what they found, so each means one thing."""


@dataclass
class Checks:
    """The checks of this installation by id."""

    _checks: dict[str, Check] = field(default_factory=dict)

    def register(self, check_id: str) -> Callable[[Check], Check]:
        """Register a check under the id that the rule pack describes; raise `CheckKnown`."""

        def enter(check: Check) -> Check:
            if check_id in self._checks:
                raise CheckKnown(f"a check {check_id} is registered already")
            self._checks[check_id] = check
            return check

        return enter

    def ids(self) -> frozenset[str]:
        return frozenset(self._checks)

    def __getitem__(self, check_id: str) -> Check:
        return self._checks[check_id]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._checks))


CHECKS = Checks()
