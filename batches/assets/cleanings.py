"""Clean equipment: by one person, verified by another, within its hold times (21 CFR 211.67)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.equipment_states import CleaningStep, Step
from batches.assets.models import Cleaning, CleaningOutcome, CleaningState, Equipment
from compliance.access import authority, training
from compliance.access.duties import Duty
from compliance.access.models import Procedure, User
from compliance.refusals import Refused
from compliance.trail import recording


class CleaningInvalid(Refused):
    code = "cleaning-invalid"
    status = 422


class CleanerVerifies(Refused):
    """Whoever cleaned does not verify it (21 CFR 211.182)."""

    code = "cleaner-verifies"


class EquipmentInUse(Refused):
    code = "equipment-in-use"


@dataclass(frozen=True, kw_only=True)
class Method:
    """By which procedure is cleaned (its effective version), and for which product next."""

    procedure: Procedure
    next_product: str = ""
    remark: str = ""


def start(equipment: Equipment, *, method: Method, actor: User, at: datetime) -> Cleaning:
    """Begin a cleaning; raise `NotTrained`. After the dirty-hold time it needs a remark."""
    authority.demand(actor, Duty.CLEAN_EQUIPMENT)
    training.demand(actor, procedure=method.procedure, at=at)
    version = training.effective_version(method.procedure, at=at)
    if version is None:
        raise CleaningInvalid(f"{method.procedure.code} has no effective version")
    with recording.recording(
        Action.CLEANING_STARTED, actor=actor, at=at, reason=f"cleaning of {equipment.code}"
    ):
        held = equipment_states.take(equipment, Step.CLEAN)
        equipment_states.demand_cleaning(held, CleaningStep.START)
        last = held.uses.order_by("-used_from", "-pk").first()
        if last is not None and last.used_until is None:
            raise EquipmentInUse(f"{held.code} is in use for {last.purpose}: end that use first")
        dirty_since = last.used_until if last else None
        is_late = _is_late(held, dirty_since, at=at)
        if is_late and len(method.remark.strip()) < 8:
            raise CleaningInvalid(
                f"{held.code}: its dirty-hold time of {held.dirty_hold_hours} hours is exceeded; "
                "remark what that means, and open a deviation"
            )
        previous = last.product if last else ""
        made = Cleaning.objects.create(
            equipment=held,
            is_changeover=bool(method.next_product) and method.next_product != previous,
            previous_product=previous,
            dirty_since=dirty_since,
            is_dirty_hold_exceeded=is_late,
            started_at=at,
            performed_by=actor,
            procedure_version=version,
            next_product=method.next_product,
            remark=method.remark.strip(),
        )
        held.cleaning_state = CleaningState.IN_CLEANING
        held.save(update_fields=["cleaning_state"])
    return made


def finish(cleaning: Cleaning, *, actor: User, at: datetime) -> Cleaning:
    """Record that the cleaning is done; only whoever performs it says so."""
    authority.demand(actor, Duty.CLEAN_EQUIPMENT)
    with recording.recording(
        Action.CLEANING_FINISHED, actor=actor, at=at, reason=f"end of {cleaning}"
    ):
        equipment = equipment_states.take(cleaning.equipment, Step.CLEAN)
        equipment_states.demand_cleaning(equipment, CleaningStep.FINISH)
        held = Cleaning.objects.select_for_update(no_key=True).get(pk=cleaning.pk)
        _demand(held, CleaningOutcome.RUNNING)
        if held.performed_by_id != actor.pk:
            raise CleaningInvalid(f"{held}: whoever cleans it finishes it")
        held.outcome, held.finished_at = CleaningOutcome.FINISHED, at
        held.save(update_fields=["outcome", "finished_at"])
    return held


def verify(
    cleaning: Cleaning, *, is_clean: bool, actor: User, at: datetime, reason: str
) -> Cleaning:
    """Verify somebody else's cleaning: the equipment is clean, or to be cleaned again.

    A cleaning that was broken off is ended as not clean, while it runs.
    """
    authority.demand(actor, Duty.VERIFY_EXECUTION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CLEANING_VERIFIED, actor=actor, at=at, reason=text):
        equipment = equipment_states.take(cleaning.equipment, Step.CLEAN)
        equipment_states.demand_cleaning(equipment, CleaningStep.VERIFY)
        held = Cleaning.objects.select_for_update(no_key=True).get(pk=cleaning.pk)
        if is_clean or held.outcome != CleaningOutcome.RUNNING:
            _demand(held, CleaningOutcome.FINISHED)
        training.demand(actor, procedure=held.procedure_version.procedure, at=at)
        if held.performed_by_id == actor.pk:
            raise CleanerVerifies(f"{held}: whoever cleaned does not verify it")
        held.outcome = CleaningOutcome.ACCEPTED if is_clean else CleaningOutcome.FAILED
        held.verified_by, held.verified_at = actor, at
        held.finished_at = held.finished_at or at
        held.save(update_fields=["outcome", "verified_by", "verified_at", "finished_at"])
        _set_state(equipment, held, is_clean=is_clean)
    return held


def _set_state(equipment: Equipment, cleaning: Cleaning, *, is_clean: bool) -> None:
    if not is_clean or cleaning.finished_at is None:
        equipment.cleaning_state = CleaningState.TO_BE_CLEANED
        equipment.save(update_fields=["cleaning_state"])
        return
    hours = equipment.clean_hold_hours
    equipment.cleaning_state = CleaningState.CLEAN
    equipment.cleaned_at = cleaning.finished_at
    equipment.clean_until = None if hours is None else cleaning.finished_at + timedelta(hours=hours)
    equipment.save(update_fields=["cleaning_state", "cleaned_at", "clean_until"])


def _demand(held: Cleaning, outcome: CleaningOutcome) -> None:
    if held.outcome != outcome:
        raise CleaningInvalid(
            f"{held} is {held.get_outcome_display().lower()}, not {outcome.label.lower()}"
        )


def _is_late(equipment: Equipment, dirty_since: datetime | None, *, at: datetime) -> bool:
    hours = equipment.dirty_hold_hours
    return (
        hours is not None
        and dirty_since is not None
        and equipment.cleaning_state == CleaningState.TO_BE_CLEANED
        and at - dirty_since > timedelta(hours=hours)
    )
