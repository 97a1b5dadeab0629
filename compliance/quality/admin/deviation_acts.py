"""What people do on the pages of deviations, from opening to closure."""

from typing import Any

from django import forms
from django.utils import timezone

from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.quality import deviations
from compliance.quality.acts import deviations as doing
from compliance.quality.admin import fields
from compliance.quality.deviations import Findings
from compliance.quality.models import Category, Deviation, DeviationState, RootCause, Severity
from compliance.signatures.forms import SignForm, SignWithReasonForm, confirmed

MOMENT = "%Y-%m-%dT%H:%M"


class OpenForm(forms.Form):
    title = forms.CharField(min_length=8, max_length=200)
    description = forms.CharField(
        min_length=20,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What happened, where, and how it was noticed.",
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.MINOR)
    occurred_at = forms.DateTimeField(
        label="Occurred at (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )


class OpenWholeForm(OpenForm):
    category = fields.choice(Category, required=False)
    concerns = fields.line(
        required=False, longest=120, help_text="Code of what it is about: a tag, an equipment."
    )
    immediate_action = fields.text(rows=2, required=False)
    follows = fields.line(
        required=False, longest=40, help_text="Number of a closed deviation that it refers to."
    )


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Remark",
        min_length=8,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A remark is added and never changed.",
    )


class InvestigationForm(ReasonForm):
    root_cause_category = forms.ChoiceField(choices=RootCause.choices, required=False)
    root_cause = fields.text(required=False)
    alternatives_considered = fields.text(
        required=False,
        help_text="Other causes that were ruled out, and how. Needed for “human error”.",
    )
    impact = fields.text(
        required=False, help_text="Effect on product quality, and on which batches."
    )
    immediate_action = fields.text(rows=2, required=False)
    corrective_action = fields.text(rows=2, required=False)
    conclusion = fields.text(required=False)
    field_order = (
        "root_cause_category", "root_cause", "alternatives_considered", "impact",
        "immediate_action", "corrective_action", "conclusion", "reason",
    )  # fmt: skip


class CancelForm(ReasonForm, SignForm):
    original = fields.line(longest=40, help_text="Number of the deviation that this one repeats.")
    field_order = ("original", "reason", "password")


FINDINGS = [name for name in InvestigationForm.field_order if name != "reason"]


def _open(occasion: Occasion) -> Done:
    deviation = doing.open_(occasion)
    return Done(f"{deviation} is open; it is due on {deviation.due_on}.", deviation)


def _note(occasion: Occasion) -> Done:
    deviations.note(
        occasion.record, text=occasion.values["text"], actor=occasion.actor, at=occasion.at
    )
    return Done("The remark is added.")


def _investigate(occasion: Occasion) -> Done:
    given = {name: occasion.values[name] for name in FINDINGS}
    given["root_cause_category"] = RootCause(given["root_cause_category"])
    deviation = deviations.investigate(
        occasion.record,
        findings=Findings(**given),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The investigation of {deviation} is recorded. Sign it when it is complete.")


def _sign(occasion: Occasion) -> Done:
    deviations.sign_investigation(occasion.record, confirmed=confirmed(occasion))
    return Done("The investigation is signed. Another person of quality closes it.")


def _close(occasion: Occasion) -> Done:
    deviation = deviations.close(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{deviation} is closed.")


def is_open(deviation: Deviation) -> bool:
    return deviation.is_open


def is_investigated(deviation: Deviation) -> bool:
    return deviation.state == DeviationState.UNDER_INVESTIGATION


def _present_findings(deviation: Deviation) -> dict[str, Any]:
    return {name: getattr(deviation, name) for name in FINDINGS}


def _now(record: None) -> dict[str, Any]:
    return {"occurred_at": timezone.now()}


acts.offer(
    Deviation,
    Act(
        "open", "Open a deviation", Duty.OPEN_DEVIATION, _open, form=OpenWholeForm,
        is_for_list=True, initial=_now,
        explanation="To link it to a batch at once, open it on the batch's page.",
    ),
    Act(
        "investigate", "Record the investigation", Duty.INVESTIGATE, _investigate,
        form=InvestigationForm, is_offered=is_open, initial=_present_findings, is_replacing=True,
        explanation="Earlier texts stay in the trail. A signature given before no longer counts "
        "for the changed record.",
    ),
    Act("note", "Add a remark", Duty.OPEN_DEVIATION, _note, form=NoteForm, is_offered=is_open),
    Act(
        "sign-investigation", "Sign the investigation", Duty.INVESTIGATE, _sign, form=SignForm,
        is_offered=is_investigated,
        explanation="You sign, as its investigator, what the record says now.",
    ),
    Act(
        "close", "Close", Duty.CLOSE_DEVIATION, _close, form=SignWithReasonForm,
        is_offered=is_investigated, is_grave=True,
        explanation="Your signature closes the deviation. Whoever investigated does not close.",
    ),
    Act(
        "cancel", "Cancel as a duplicate", Duty.CLOSE_DEVIATION,
        fields.told(doing.cancel, "{} is cancelled; its original goes on."), form=CancelForm,
        is_offered=is_open, is_grave=True,
        explanation="What waits for this deviation waits for its original from now on.",
    ),
)  # fmt: skip
