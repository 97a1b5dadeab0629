"""What people do on the pages of equipment: register, amend, qualify, use, clean, calibrate."""

from typing import Any

from django import forms
from django.utils import timezone

from batches.assets import (
    calibrations,
    cleanings,
    equipment,
    equipment_states,
    parts,
    qualifications,
    upkeep,
)
from batches.assets.admin import fields
from batches.assets.calibrations import Measured
from batches.assets.cleanings import Method
from batches.assets.equipment import Particulars
from batches.assets.equipment_states import CLEANING_ALLOWED, CleaningStep, Step
from batches.assets.models import CleaningState, Equipment, Stage
from batches.assets.parts import Part
from batches.assets.qualifications import StageReport
from batches.assets.upkeep import Needs
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import Procedure
from compliance.signatures.forms import SignWithReasonForm, confirmed

NEEDS = ("location", "calibration_interval_days", "dirty_hold_hours", "clean_hold_hours",
         "service_after_hours")  # fmt: skip
PART = ("manufacturer", "model", "serial_number")


class NeedsForm(forms.Form):
    location = fields.text("Location", 100)
    calibration_interval_days = forms.IntegerField(
        min_value=1, required=False, help_text="Days between calibrations; empty: no instrument."
    )
    dirty_hold_hours = forms.IntegerField(min_value=0, required=False)
    clean_hold_hours = forms.IntegerField(min_value=0, required=False)
    service_after_hours = forms.IntegerField(
        min_value=1, required=False, help_text="Running hours between two services."
    )


class AmendForm(ReasonForm, NeedsForm):
    field_order = (*NEEDS, "reason")


class RegisterForm(NeedsForm):
    code = fields.text("Code", 40)
    name = fields.text("Name", 200)
    kind = forms.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40,
        help_text="Its class in small letters, e.g. bioreactor, balance, hplc.",
    )  # fmt: skip
    manufacturer = fields.text("Manufacturer", 100)
    model = fields.text("Model", 100)
    serial_number = fields.text("Serial number", 100)
    needed_stages = forms.MultipleChoiceField(
        choices=Stage.choices, initial=list(Stage.values), widget=forms.CheckboxSelectMultiple
    )
    is_cleaned = forms.BooleanField(label="It is cleaned by procedure", required=False)
    field_order = ("code", "name", "kind", *PART, "needed_stages", "is_cleaned", *NEEDS)


class StageForm(forms.Form):
    stage = forms.ChoiceField(choices=Stage.choices)
    protocol = fields.text("Protocol with its version", 100)
    report = fields.text("Report", 100)
    summary = fields.lines("Summary", min_length=8)
    performed_on = fields.day("Performed on")
    valid_until = fields.day("Valid until", required=False)


class UseForm(forms.Form):
    purpose = fields.text("Purpose", 200, help_text="The batch, the test or the task.")
    campaign = fields.text(
        "Campaign", 100, required=False,
        help_text="What follows itself without a cleaning, e.g. the batch.",
    )  # fmt: skip
    product = fields.text("Product", 100, required=False)


class PartForm(ReasonForm):
    component = fields.text("Component", 100)
    old_manufacturer = fields.text("Old part: manufacturer", 100)
    old_model = fields.text("Old part: model", 100)
    old_serial_number = fields.text("Old part: serial number", 100)
    new_manufacturer = fields.text("New part: manufacturer", 100)
    new_model = fields.text("New part: model", 100)
    new_serial_number = fields.text("New part: serial number", 100)
    is_like_for_like = forms.BooleanField(label="Like for like", required=False)
    change_reference = fields.text("Change control", 60, required=False)
    changed_at = fields.moment("Changed at")
    field_order = (
        "component", *(f"old_{name}" for name in PART), *(f"new_{name}" for name in PART),
        "is_like_for_like", "change_reference", "changed_at", "reason",
    )  # fmt: skip


class CalibrationForm(forms.Form):
    performed_at = fields.moment("Performed at")
    as_found = fields.text("As found", 200)
    as_found_in_tolerance = forms.BooleanField(label="Found in tolerance", required=False)
    as_left = fields.text("As left", 200)
    as_left_in_tolerance = forms.BooleanField(label="Left in tolerance", required=False)
    reference_standard = fields.text("Reference standard", 100)
    certificate = fields.text("Certificate", 100)


class CleaningForm(forms.Form):
    procedure = forms.ChoiceField()
    next_product = fields.text("Next product", 100, required=False)
    remark = fields.lines(
        "Remark", required=False, help_text="Needed when the dirty-hold time is exceeded."
    )


# --- Acts


def _register(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    said["needed_stages"] = ",".join(said["needed_stages"])
    made = equipment.register(Particulars(**said), actor=occasion.actor, at=occasion.at)
    return Done(f"{made} is registered. Record its qualification next.", made)


def _amend(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    reason = said.pop("reason")
    upkeep.amend(
        occasion.record, needs=Needs(**said), actor=occasion.actor, at=occasion.at, reason=reason
    )
    return Done(f"{occasion.record} is amended.")


def _set_state(step: Step, message: str) -> Any:
    def call(occasion: Occasion) -> Done:
        equipment.set_state(
            occasion.record, step, actor=occasion.actor, at=occasion.at,
            reason=occasion.values["reason"],
        )  # fmt: skip
        return Done(f"{occasion.record} {message}.")

    return call


def _record_stage(occasion: Occasion) -> Done:
    said = {**occasion.values, "stage": Stage(occasion.values["stage"])}
    made = qualifications.record(
        occasion.record, report=StageReport(**said), actor=occasion.actor, at=occasion.at
    )
    return Done(f"{made} is recorded. QA approves it by signature.", made)


def _qualify(occasion: Occasion) -> Done:
    qualifications.qualify(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is qualified.")


def _use(occasion: Occasion) -> Done:
    equipment.mark_used(
        occasion.record, by_text=occasion.actor.username, actor=occasion.actor, at=occasion.at,
        **occasion.values,
    )  # fmt: skip
    return Done(f"The use of {occasion.record} is recorded. End it when it ends.")


def _end_use(occasion: Occasion) -> Done:
    for use in occasion.record.uses.filter(used_until=None):
        equipment.end_use(use, actor=occasion.actor, at=occasion.at)
    return Done(f"The use of {occasion.record} has ended.")


def _service(occasion: Occasion) -> Done:
    upkeep.service(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is serviced; its running hours count anew.")


def _replace_part(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    old, new = (
        Part(**{name: said.pop(f"{which}_{name}") for name in PART}) for which in ("old", "new")
    )
    made = parts.replace(
        occasion.record, old=old, new=new, actor=occasion.actor, at=occasion.at, **said
    )
    if made.is_like_for_like:
        return Done(f"{made.component} is replaced like for like.")
    return Done(f"{made.component} is replaced: {occasion.record} has to be qualified anew.")


def _calibrate(occasion: Occasion) -> Done:
    made = calibrations.record(
        occasion.record, measured=Measured(**occasion.values), actor=occasion.actor, at=occasion.at
    )
    about = f" {made.deviation} is open about the uses in doubt." if made.deviation else ""
    return Done(f"{made} is recorded; another person verifies it.{about}", made)


def _clean(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    said["procedure"] = Procedure.objects.get(pk=said["procedure"])
    made = cleanings.start(
        occasion.record, method=Method(**said), actor=occasion.actor, at=occasion.at
    )
    return Done(f"{occasion.record} is in cleaning.", made)


# --- When they are offered


def _may(step: Step) -> Any:
    return lambda record: step in equipment_states.ALLOWED[record.state]


def _is_in_use(record: Equipment) -> bool:
    return record.uses.filter(used_until=None).exists()


def _may_calibrate(record: Equipment) -> bool:
    return record.is_calibrated and Step.CALIBRATE in equipment_states.ALLOWED[record.state]


def _may_clean(record: Equipment) -> bool:
    can = CleaningStep.START in CLEANING_ALLOWED[CleaningState(record.cleaning_state)]
    return can and Step.CLEAN in equipment_states.ALLOWED[record.state]


def _present_needs(record: Equipment) -> dict[str, Any]:
    return {name: getattr(record, name) for name in NEEDS}


def _procedures(record: Equipment) -> list[tuple[str, str]]:
    found = Procedure.objects.filter(retired_at=None, versions__isnull=False).distinct()
    return [(str(one.pk), str(one)) for one in found.order_by("code")]


def _now(name: str) -> Any:
    return lambda record: {name: timezone.now()}


acts.offer(
    Equipment,
    Act(
        "register", "Register equipment", Duty.MANAGE_EQUIPMENT, _register, form=RegisterForm,
        is_for_list=True,
    ),
    Act("use", "Begin a use", Duty.RECORD_EXECUTION, _use, form=UseForm, is_offered=_may(Step.USE)),
    Act(
        "end-use", "End the use", Duty.RECORD_EXECUTION, _end_use, form=acts.ConfirmForm,
        is_offered=_is_in_use, explanation="The dirty-hold time runs from now.",
    ),
    Act(
        "clean", "Begin a cleaning", Duty.CLEAN_EQUIPMENT, _clean, form=CleaningForm,
        is_offered=_may_clean, choices={"procedure": _procedures},
        explanation="You clean by the effective version of the procedure; another person verifies.",
    ),
    Act(
        "calibrate", "Record a calibration", Duty.CALIBRATE, _calibrate, form=CalibrationForm,
        is_offered=_may_calibrate, initial=_now("performed_at"),
        explanation="Found out of tolerance, it opens a deviation about every use in doubt.",
    ),
    Act(
        "replace-part", "Replace a part", Duty.MANAGE_EQUIPMENT, _replace_part, form=PartForm,
        is_offered=_may(Step.CHANGE_PART), initial=_now("changed_at"),
        explanation="A part of another make or model is never like for like: it needs its change "
        "control and ends the qualification.",
    ),
    Act(
        "service", "Record a service", Duty.MANAGE_EQUIPMENT, _service,
        is_offered=_may(Step.SERVICE),
    ),
    Act(
        "record-stage", "Record a qualification", Duty.MANAGE_EQUIPMENT, _record_stage,
        form=StageForm, is_offered=_may(Step.RECORD_QUALIFICATION),
    ),
    Act(
        "qualify", "Declare qualified", Duty.QUALIFY_EQUIPMENT, _qualify, form=SignWithReasonForm,
        is_offered=_may(Step.QUALIFY), is_grave=True,
        explanation="Every stage that it needs must be approved.",
    ),
    Act(
        "amend", "Change place and intervals", Duty.MANAGE_EQUIPMENT, _amend, form=AmendForm,
        is_offered=_may(Step.AMEND), initial=_present_needs,
    ),
    Act(
        "withdraw", "Withdraw the qualification", Duty.QUALIFY_EQUIPMENT,
        _set_state(Step.WITHDRAW, "has to be qualified anew"), is_offered=_may(Step.WITHDRAW),
        is_grave=True,
    ),
    Act(
        "take-out", "Take out of service", Duty.MANAGE_EQUIPMENT,
        _set_state(Step.TAKE_OUT, "is out of service"), is_offered=_may(Step.TAKE_OUT),
    ),
    Act(
        "return", "Return to service", Duty.MANAGE_EQUIPMENT,
        _set_state(Step.RETURN, "waits for QA to declare it qualified"),
        is_offered=_may(Step.RETURN),
    ),
    Act(
        "retire", "Retire", Duty.QUALIFY_EQUIPMENT, _set_state(Step.RETIRE, "is retired"),
        is_offered=_may(Step.RETIRE), is_grave=True, explanation="It does not come back.",
    ),
)  # fmt: skip
