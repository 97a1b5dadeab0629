"""Keep lots of reagents and reference standards with their expiry (21 CFR 211.194(c))."""

from datetime import date, datetime

from batches.laboratory.actions import Action
from batches.laboratory.models import Reagent, ReagentKind
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class ReagentKnown(Refused):
    code = "reagent-known"


class ReagentNotUsable(Refused):
    """It is expired or withdrawn."""

    code = "reagent-not-usable"


def register(
    *, code: str, lot: str, name: str, kind: ReagentKind, expires_on: date, actor: User,
    at: datetime, purity: str = "", opened_on: date | None = None,
) -> Reagent:  # fmt: skip
    authority.demand(actor, Duty.ENTER_RESULTS)
    with recording.recording(
        Action.REAGENT_REGISTERED, actor=actor, at=at, reason=f"reagent {code} lot {lot}"
    ):
        if Reagent.objects.filter(code=code, lot=lot).exists():
            raise ReagentKnown(f"lot {lot} of {code} is registered already")
        return Reagent.objects.create(
            code=code, lot=lot, name=name, kind=kind, purity=purity, opened_on=opened_on,
            expires_on=expires_on,
        )  # fmt: skip


def withdraw(reagent: Reagent, *, actor: User, at: datetime, reason: str) -> Reagent:
    """Take a lot out of use before its expiry."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.REAGENT_WITHDRAWN, actor=actor, at=at, reason=text):
        locked = Reagent.objects.select_for_update().get(pk=reagent.pk)
        if locked.is_withdrawn:
            raise ReagentNotUsable(f"{locked} is withdrawn already")
        locked.is_withdrawn = True
        locked.save(update_fields=["is_withdrawn"])
    return locked


def demand_usable(reagent: Reagent, *, on: date) -> None:
    """Pass when the lot is in date and not withdrawn, else raise `ReagentNotUsable`."""
    if reagent.is_withdrawn:
        raise ReagentNotUsable(f"{reagent} is withdrawn: take another lot")
    if reagent.expires_on < on:
        raise ReagentNotUsable(f"{reagent} expired on {reagent.expires_on}: take another lot")
