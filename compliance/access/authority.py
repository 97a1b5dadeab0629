"""Ask whether an actor may do something, before it is done (21 CFR 11.10(g))."""

from typing import Protocol

from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail.recording import Identity


class NotPermitted(Refused):
    """The actor's roles do not include this duty."""

    code = "not-permitted"
    status = 403


class Principal(Protocol):
    """A person or a device: an actor of the trail that has duties."""

    @property
    def duties(self) -> frozenset[Duty]: ...

    def trail_identity(self) -> Identity: ...


def demand(actor: Principal, duty: Duty) -> None:
    """Pass when one of the actor's roles has the duty, else raise `NotPermitted`."""
    if duty not in actor.duties:
        identity = actor.trail_identity()
        raise NotPermitted(
            f"{identity.name} ({identity.role}) may not {duty.replace('-', ' ')}; "
            "ask somebody whose role includes it"
        )


def demand_one(actor: Principal, *wanted: Duty) -> None:
    """Pass when the actor has one of the duties, else raise `NotPermitted` for the first."""
    if not actor.duties & set(wanted):
        demand(actor, wanted[0])
