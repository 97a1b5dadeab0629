"""Hold entries to the time of performance; a late one has its reason and a witness (211.100(b))."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models

from batches.execution.models import LATE_AFTER
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording

CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a source's clock may be ahead of ours


class InTheFuture(Refused):
    """What is recorded has happened; the clock that says otherwise is wrong."""

    code = "in-the-future"
    status = 422


class EnteredLate(Refused):
    """The entry is late: it needs a reason, and a second person who saw what was done."""

    code = "entered-late"
    status = 422


class WitnessIsPerformer(Refused):
    """Nobody is the witness of their own late entry."""

    code = "witness-is-performer"
    status = 403


@dataclass(frozen=True)
class Late:
    """Why a person enters something late, and who, re-authenticated, saw it done."""

    reason: str
    witness: Confirmed


@dataclass(frozen=True)
class Timed:
    """An entry's two moments with what a late one needs; `columns` are those of the row."""

    performed_at: datetime
    recorded_at: datetime
    performed_by: User
    late_reason: str = ""
    witness: User | None = None

    @property
    def is_late(self) -> bool:
        return self.recorded_at - self.performed_at > LATE_AFTER

    @property
    def columns(self) -> dict[str, object]:
        return dict(vars(self))


def demand(*, performed_at: datetime, actor: User, at: datetime, late: Late | None) -> Timed:
    """Return an entry's moments; raise `InTheFuture`, `EnteredLate` or `WitnessIsPerformer`."""
    if performed_at > at + CLOCK_TOLERANCE:
        raise InTheFuture(
            f"{performed_at.isoformat()} is in the future (it is {at.isoformat()}): "
            "enter what was done, when it was done"
        )
    if late is None:
        if at - performed_at > LATE_AFTER:
            raise EnteredLate(
                f"it was done at {performed_at.isoformat()} and is entered at {at.isoformat()}: "
                "say why so late, and let a second person who saw it confirm with their password"
            )
        return Timed(performed_at, at, actor)
    witness = late.witness.signer
    if witness.pk == actor.pk:
        raise WitnessIsPerformer(f"{actor.username} made the entry; another person saw it done")
    authority.demand(witness, Duty.VERIFY_EXECUTION)
    return Timed(performed_at, at, actor, recording.demand_reason(late.reason), witness)


def demand_person_on_time(
    actor: Principal, *, occurred_at: datetime, at: datetime, late: Late | None
) -> tuple[str, User | None]:
    """As `demand`, for an event: a system that sends later says so itself, and needs no witness."""
    if not isinstance(actor, User):
        return "", None
    timed = demand(performed_at=occurred_at, actor=actor, at=at, late=late)
    return timed.late_reason, timed.witness


def witness(record: models.Model, *, late: Late | None) -> None:
    """Put the witness's signature under a late entry, inside the act that made it."""
    if late is not None:
        signing.sign(
            record, meaning=Meaning.VERIFIED, confirmed=late.witness, comment=late.reason.strip()
        )
