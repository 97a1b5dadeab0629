"""What people do on the pages of qualifications, calibrations and cleanings: approve and verify."""

from django import forms

from batches.assets import calibrations, cleanings, qualifications
from batches.assets.admin import fields
from batches.assets.models import Calibration, Cleaning, CleaningOutcome, Qualification
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.signatures.forms import SignForm, confirmed


class DueDateForm(ReasonForm):
    due_on = fields.day("The last day on which it holds")
    field_order = ("due_on", "reason")


class CheckForm(ReasonForm):
    is_clean = forms.TypedChoiceField(
        label="Result", choices=[("yes", "Clean"), ("no", "Not clean: clean it again")],
        coerce=lambda text: text == "yes", widget=forms.RadioSelect,
    )  # fmt: skip
    field_order = ("is_clean", "reason")


def _approve_stage(occasion: Occasion) -> Done:
    qualifications.approve(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{occasion.record} is approved.", occasion.record.equipment)


def _verify_calibration(occasion: Occasion) -> Done:
    calibrations.verify(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is verified.", occasion.record.equipment)


def _shorten(occasion: Occasion) -> Done:
    shortened = calibrations.shorten(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    return Done(f"{shortened} holds until {shortened.due_on}.", shortened.equipment)


def _finish(occasion: Occasion) -> Done:
    cleanings.finish(occasion.record, actor=occasion.actor, at=occasion.at)
    return Done("The cleaning is done. Another person verifies it.")


def _verify_cleaning(occasion: Occasion) -> Done:
    made = cleanings.verify(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    return Done(f"{made.equipment}: the cleaning is {made.outcome}.", made.equipment)


def _is_unapproved(stage: Qualification) -> bool:
    return stage.approved_by_id is None


def _is_unverified(calibration: Calibration) -> bool:
    return calibration.verified_by_id is None


def _is_running(cleaning: Cleaning) -> bool:
    return cleaning.outcome == CleaningOutcome.RUNNING


def _is_unverified_cleaning(cleaning: Cleaning) -> bool:
    return cleaning.outcome in (CleaningOutcome.RUNNING, CleaningOutcome.FINISHED)


acts.offer(
    Qualification,
    Act(
        "approve", "Approve", Duty.QUALIFY_EQUIPMENT, _approve_stage, form=SignForm,
        is_offered=_is_unapproved, explanation="Whoever performed it does not approve it.",
    ),
)  # fmt: skip
acts.offer(
    Calibration,
    Act(
        "verify", "Verify", Duty.CALIBRATE, _verify_calibration, is_offered=_is_unverified,
        explanation="Whoever performed it does not verify it.",
    ),
    Act(
        "verify-as-quality", "Verify for QA", Duty.QUALIFY_EQUIPMENT, _verify_calibration,
        is_offered=_is_unverified, explanation="Whoever performed it does not verify it.",
    ),
    Act(
        "shorten", "Let it hold for less", Duty.QUALIFY_EQUIPMENT, _shorten, form=DueDateForm,
        explanation="Uses after the new day are in doubt: they open a deviation.",
    ),
)  # fmt: skip
acts.offer(
    Cleaning,
    Act(
        "finish", "It is done", Duty.CLEAN_EQUIPMENT, _finish, form=acts.ConfirmForm,
        is_offered=_is_running, explanation="Only whoever cleans says so.",
    ),
    Act(
        "verify", "Verify", Duty.VERIFY_EXECUTION, _verify_cleaning, form=CheckForm,
        is_offered=_is_unverified_cleaning,
        explanation="Whoever cleaned does not verify it. One that was broken off is not clean.",
    ),
)  # fmt: skip
