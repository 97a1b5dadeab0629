"""Qualify equipment: stages performed, approved by QA, and lost with a foreign part (Annex 15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment, EquipmentState, Qualification, Stage
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class QualificationInvalid(Refused):
    code = "qualification-invalid"
    status = 422


class QualificationIncomplete(Refused):
    """A needed stage is not approved, or no longer counts."""

    code = "qualification-incomplete"


class QualificationApproved(Refused):
    code = "qualification-approved"


class PerformerApproves(Refused):
    """Whoever performed a qualification does not approve it."""

    code = "performer-approves"


@dataclass(frozen=True, kw_only=True)
class StageReport:
    """What a person reports of one stage."""

    stage: Stage
    protocol: str
    report: str
    summary: str
    performed_on: date
    valid_until: date | None = None


def record(
    equipment: Equipment, *, report: StageReport, actor: User, at: datetime
) -> Qualification:
    """Record a stage that was performed; it counts once QA has approved it."""
    authority.demand(actor, Duty.MANAGE_EQUIPMENT)
    if not (report.protocol.strip() and report.report.strip() and len(report.summary.strip()) > 7):
        raise QualificationInvalid("a stage needs its protocol, its report and a summary")
    if report.performed_on > at.astimezone(UTC).date():
        raise QualificationInvalid("a stage is recorded after it was performed")
    if report.valid_until is not None and report.valid_until < report.performed_on:
        raise QualificationInvalid("a qualification is valid until a day after its performance")
    with recording.recording(
        Action.QUALIFICATION_RECORDED, actor=actor, at=at,
        reason=f"{report.stage.upper()} of {equipment.code}",
    ):  # fmt: skip
        held = equipment_states.take(equipment, Step.RECORD_QUALIFICATION)
        return Qualification.objects.create(
            equipment=held, performed_by=actor, recorded_at=at, **vars(report)
        )


def approve(qualification: Qualification, *, confirmed: Confirmed) -> Qualification:
    """Approve a stage by signature of QA."""
    signer, at = confirmed.signer, confirmed.at
    authority.demand(signer, Duty.QUALIFY_EQUIPMENT)
    with recording.recording(
        Action.QUALIFICATION_APPROVED, actor=signer, at=at, reason=f"approval of {qualification}"
    ):
        held = Qualification.objects.select_for_update(no_key=True).get(pk=qualification.pk)
        equipment_states.take(held.equipment, Step.APPROVE_QUALIFICATION)
        if held.approved_by_id is not None:
            raise QualificationApproved(f"{held} is approved already")
        if held.performed_by_id == signer.pk:
            raise PerformerApproves(f"{held}: whoever performed it does not approve it")
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed)
        held.approved_by, held.approved_at = signer, at
        held.save(update_fields=["approved_by", "approved_at"])
    return held


def standing(equipment: Equipment) -> dict[str, Qualification | None]:
    """Return the newest approved report that still counts, for each stage that is needed."""
    approved = equipment.qualifications.exclude(approved_at=None)
    if equipment.qualification_lost_at is not None:
        approved = approved.filter(recorded_at__gt=equipment.qualification_lost_at)
    newest = {one.stage: one for one in approved.order_by("performed_on", "pk")}
    return {stage: newest.get(stage) for stage in equipment.stages}


def qualify(equipment: Equipment, *, confirmed: Confirmed, reason: str) -> Equipment:
    """Declare equipment qualified by signature; raise `QualificationIncomplete` for what is missing."""
    signer, at = confirmed.signer, confirmed.at
    authority.demand(signer, Duty.QUALIFY_EQUIPMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.EQUIPMENT_QUALIFIED, actor=signer, at=at, reason=text):
        held = equipment_states.take(equipment, Step.QUALIFY)
        held.qualified_until = _valid_until(held, on=at.astimezone(UTC).date())
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed, comment=text)
        held.state = EquipmentState.QUALIFIED
        held.save(update_fields=["state", "qualified_until"])
    return held


def _valid_until(equipment: Equipment, *, on: date) -> date | None:
    found = standing(equipment)
    missing = [stage.upper() for stage, one in found.items() if one is None]
    if missing:
        lost = equipment.qualification_lost_at
        since = f" recorded after {lost.isoformat()}" if lost else ""
        raise QualificationIncomplete(
            f"{equipment.code} has no approved {', '.join(missing)}{since}"
        )
    ends = [one.valid_until for one in found.values() if one is not None and one.valid_until]
    if ends and min(ends) < on:
        raise QualificationIncomplete(f"{equipment.code}: a stage was valid until {min(ends)} only")
    return min(ends, default=None)


@signing.signable(Qualification)
def signed_stage(stage: Qualification) -> Mapping[str, canonical.Value]:
    """What the approval of a stage covers."""
    names = ("stage", "protocol", "report", "summary")
    content: dict[str, canonical.Value] = {name: getattr(stage, name) for name in names}
    content["equipment"] = stage.equipment.code
    content["performed_by"] = stage.performed_by.username
    content["performed_on"] = stage.performed_on.isoformat()
    content["valid_until"] = stage.valid_until.isoformat() if stage.valid_until else None
    return content


@signing.signable(Equipment)
def signed_equipment(equipment: Equipment) -> Mapping[str, canonical.Value]:
    """What the declaration covers: which thing, built of what, qualified by which reports."""
    names = ("code", "kind", "manufacturer", "model", "serial_number", "needed_stages")
    content: dict[str, canonical.Value] = {name: getattr(equipment, name) for name in names}
    content["stages"] = [
        one.pk if one is not None else None for one in standing(equipment).values()
    ]
    content["parts"] = [
        [one.component, one.new_manufacturer, one.new_model, one.new_serial_number]
        for one in equipment.part_changes.filter(is_like_for_like=False).order_by(
            "changed_at", "pk"
        )
    ]
    return content
