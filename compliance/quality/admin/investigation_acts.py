"""What an investigation considers, as forms on the page of a deviation."""

from django import forms

from compliance.access import acts
from compliance.access.acts import Act, ConfirmForm, ReasonForm
from compliance.access.duties import Duty
from compliance.quality.acts import deviations as doing
from compliance.quality.admin import fields
from compliance.quality.admin.deviation_acts import is_open
from compliance.quality.models import Deviation, Effect, Finding, RootCause, Severity


class ImmediateForm(forms.Form):
    text = fields.text(label="What was done at once")


class ClassifyForm(forms.Form):
    harms_patient = fields.yes_no(label="Could it reach or harm a patient?")
    is_integrity_in_doubt = fields.yes_no(label="May records be false, lost or made up?")
    touches_cqa = fields.yes_no(label="Is a critical quality attribute, or may it be, affected?")
    touches_cpp = fields.yes_no(label="Did a critical process parameter leave its proven range?")
    is_released = fields.yes_no(label="Has product concerned left the site?")
    breaks_procedure = fields.yes_no(label="Was an approved procedure not followed?")
    severity = fields.choice(
        Severity, required=False,
        help_text="Only to depart from the rule; below it takes 60 characters of rationale.",
    )  # fmt: skip
    rationale = fields.text()


class CauseForm(forms.Form):
    category = fields.choice(RootCause)
    cause = fields.text(rows=2)
    finding = fields.choice(Finding)
    how = fields.text(rows=2, label="How that was found", help_text="By which evidence.")


class NeighbourForm(forms.Form):
    kind = fields.line(longest=40, help_text="Batch, equipment, material lot, method.")
    name = fields.line(longest=120)
    because = fields.line(longest=300, label="Why it may share the discrepancy")


class DecideForm(ReasonForm):
    neighbour = forms.ChoiceField()
    effect = fields.choice(Effect)
    field_order = ("neighbour", "effect", "reason")


class RecurrenceForm(forms.Form):
    is_recurrence = fields.yes_no(
        label="Is it the same failure come back?", help_text="Compare with the earlier ones shown."
    )
    text = fields.text(label="Why, and what follows")


class AskForm(ReasonForm):
    until = fields.day(label="New due date")
    field_order = ("until", "reason")


class AnswerForm(ReasonForm):
    extension = forms.ChoiceField(label="Wish")
    is_granted = fields.yes_no(label="Granted?")
    field_order = ("extension", "is_granted", "reason")


def _has_wish(deviation: Deviation) -> bool:
    return deviation.is_open and deviation.extensions.filter(is_granted=None).exists()


def _has_neighbours(deviation: Deviation) -> bool:
    return deviation.is_open and deviation.neighbours.exists()


acts.offer(
    Deviation,
    Act(
        "act-at-once", "Record an immediate action", Duty.OPEN_DEVIATION,
        fields.told(doing.act_at_once, "The immediate action of {} is recorded."),
        form=ImmediateForm, is_offered=is_open,
    ),
    Act(
        "classify", "Classify", Duty.CLOSE_DEVIATION,
        fields.told(doing.classify, "{} is classified."), form=ClassifyForm, is_offered=is_open,
        explanation="The rule gives the severity. A severity that changes takes the signatures "
        "under the deviation with it.",
    ),
    Act(
        "consider-cause", "Consider a cause", Duty.INVESTIGATE,
        fields.told(doing.consider_cause, "The cause is on record for {}."), form=CauseForm,
        is_offered=is_open,
        explanation="Every cause that was looked at, also what was ruled out. It is never altered.",
    ),
    Act(
        "extend-scope", "Look for neighbours", Duty.INVESTIGATE,
        fields.told(doing.extend_scope, "The neighbours of {} are listed."), form=ConfirmForm,
        is_offered=is_open,
        explanation="Lists what may share the discrepancy: of the same lot, equipment, product, "
        "period. Each is decided on before the closure (21 CFR 211.192).",
    ),
    Act(
        "add-neighbour", "Add a neighbour", Duty.INVESTIGATE,
        fields.told(doing.add_neighbour, "The neighbour is listed for {}."), form=NeighbourForm,
        is_offered=is_open,
    ),
    Act(
        "decide-neighbour", "Decide on a neighbour", Duty.INVESTIGATE,
        fields.told(doing.decide_neighbour, "The decision is on record for {}."), form=DecideForm,
        is_offered=_has_neighbours,
        choices={"neighbour": fields.one_of("neighbours", lambda one: f"{one.kind} {one.name}")},
    ),
    Act(
        "answer-recurrence", "Answer the recurrence", Duty.INVESTIGATE,
        fields.told(doing.answer_recurrence, "The answer is on record for {}."),
        form=RecurrenceForm, is_offered=is_open,
    ),
    Act(
        "ask-extension", "Ask for a later date", Duty.INVESTIGATE,
        fields.told(doing.ask_extension, "The wish waits for quality's answer."), form=AskForm,
        is_offered=is_open,
    ),
    Act(
        "answer-extension", "Answer the wish for a later date", Duty.CLOSE_DEVIATION,
        fields.told(doing.answer_extension, "The wish is answered."), form=AnswerForm,
        is_offered=_has_wish,
        choices={
            "extension": fields.one_of(
                "extensions", lambda one: f"until {one.due_after}: {one.reason}",
                only={"is_granted": None},
            )
        },
    ),
)  # fmt: skip
