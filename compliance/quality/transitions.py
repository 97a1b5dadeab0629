"""Hold a table of what may be done to a record in which state, and who may."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.db import models

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Machine:
    """One kind of record: its steps by state, the duty of each step, and the ways between states.

    `moves` is what the trigger `keep_states` of the table holds too; a state without moves is an
    end, and a record in it is never changed again.
    """

    model: type[models.Model]
    allowed: Mapping[str, frozenset[Any]]
    duties: Mapping[Any, Duty]
    moves: Mapping[str, frozenset[str]]
    refusal: Callable[[str], Refused]

    def permit(self, actor: Principal, step: StrEnum) -> None:
        """Pass when the actor's roles include the step, else raise `NotPermitted`."""
        authority.demand(actor, self.duties[step])

    def demand(self, record: Any, step: StrEnum) -> None:
        """Pass when the record's state allows the step, else raise the machine's refusal."""
        if step in self.allowed[record.state]:
            return
        may = ", ".join(sorted(self.allowed[record.state])) or "nothing any more"
        raise self.refusal(
            f"{record} is {record.get_state_display().lower()}: to {step} is not possible; "
            f"possible: {may}"
        )

    def take(self, record: M, step: StrEnum) -> M:
        """Demand the step of the state as stored; whoever else needs the record waits."""
        stored = type(record)._default_manager.select_for_update().get(pk=record.pk)
        self.demand(stored, step)
        return stored
