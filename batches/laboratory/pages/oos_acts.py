"""What people do in an OOS investigation: the forms and buttons on its page."""

from typing import Any

from django import forms

from batches.laboratory import oos, oos_conclusions, oos_phases, oos_retests, states
from batches.laboratory.models import (
    CauseCategory,
    Conclusion,
    OosInvestigation,
    PlanKind,
    Sample,
)
from batches.laboratory.oos_phases import ANSWERS, CHECKLIST, Cause, PhaseOne
from batches.laboratory.oos_retests import Plan
from batches.laboratory.pages import fields
from batches.laboratory.pages.fields import ReasonForm, SignForm
from batches.laboratory.states import OosStep
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.models import Deviation
from compliance.signatures.forms import SignWithReasonForm, confirmed

_ANSWERS = [(one, one.replace("-", " ").capitalize()) for one in ANSWERS]


class PhaseOneForm(ReasonForm):
    """Ask for each item of the checklist, and for what the analyst said."""

    is_preparation_retained = forms.TypedChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], coerce=lambda value: value == "yes",
        label="The original preparation is retained",
    )  # fmt: skip
    interview = fields.text(label="What the analyst said", min_length=8)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for item, text in CHECKLIST.items():
            self.fields[item] = forms.ChoiceField(label=text, choices=_ANSWERS)
            self.fields[f"{item}-remark"] = forms.CharField(
                label="Remark", required=False, max_length=1000
            )
        asked = [name for item in CHECKLIST for name in (item, f"{item}-remark")]
        self.order_fields([*asked, "is_preparation_retained", "interview", "reason"])


class CauseForm(SignForm):
    category = forms.ChoiceField(
        choices=[("", "No assignable cause: Phase II"), *CauseCategory.choices[1:]], required=False
    )
    text = fields.text(label="Cause", required=False)
    evidence = fields.text(required=False, help_text="What shows it; a passing retest does not.")
    field_order = ("category", "text", "evidence", "password")


class ProductionForm(ReasonForm):
    text = fields.text(label="Review of production", min_length=20, rows=5)
    field_order = ("text", "reason")


class PlanForm(ReasonForm):
    kind = forms.ChoiceField(choices=[one for one in PlanKind.choices if one[0]])
    count = forms.IntegerField(min_value=1, max_value=oos_retests.MOST, label="How many retests")
    analyst = forms.ChoiceField(help_text="Not the analyst of the original result.")
    rationale = fields.text(min_length=20)
    resample_justification = fields.text(required=False)
    field_order = ("kind", "count", "analyst", "rationale", "resample_justification", "reason")


class RetestForm(forms.Form):
    value = forms.CharField(max_length=40)
    tested_at = fields.at_utc("Tested at")
    sample = forms.ChoiceField(required=False)


class ConclusionForm(SignForm):
    conclusion = forms.ChoiceField(choices=[one for one in Conclusion.choices if one[0]])
    text = fields.text(label="What follows from what", min_length=20, rows=5)
    field_order = ("conclusion", "text", "password")


class LinkForm(ReasonForm):
    deviation = forms.ChoiceField()
    field_order = ("deviation", "reason")


# --- Acts


def _record_phase_one(occasion: Occasion) -> Done:
    given = occasion.values
    found = PhaseOne(
        {item: (given[item], given[f"{item}-remark"]) for item in CHECKLIST},
        given["is_preparation_retained"],
        given["interview"],
    )
    oos_phases.record_phase_one(
        occasion.record, found=found, actor=occasion.actor, at=occasion.at, reason=given["reason"]
    )
    return Done("Phase I is recorded. Close it by signature when it is complete.")


def _cause(occasion: Occasion) -> Cause | None:
    given = occasion.values
    if not given["category"]:
        return None
    return Cause(CauseCategory(given["category"]), given["text"], given["evidence"])


def _close_phase_one(occasion: Occasion) -> Done:
    made = oos_phases.close_phase_one(
        occasion.record, cause=_cause(occasion), confirmed=confirmed(occasion)
    )
    return Done(f"Phase I is closed: {made.get_state_display().lower()}.")


def _find_cause(occasion: Occasion) -> Done:
    cause = _cause(occasion) or Cause(CauseCategory.NONE, "", "")
    oos_phases.find_cause(occasion.record, cause=cause, confirmed=confirmed(occasion))
    return Done("The assignable cause is recorded.")


def _review_production(occasion: Occasion) -> Done:
    oos_phases.review_production(
        occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values
    )
    return Done("The review of production is recorded.")


def _propose(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    reason = given.pop("reason")
    given["kind"] = PlanKind(given["kind"])
    given["analyst"] = User.objects.get(pk=given["analyst"])
    oos_retests.propose(
        occasion.record, plan=Plan(**given), actor=occasion.actor, at=occasion.at, reason=reason
    )
    return Done("The plan is proposed; quality approves it before any retest.")


def _approve_plan(occasion: Occasion) -> Done:
    oos_retests.approve(occasion.record, confirmed=confirmed(occasion))
    return Done("The plan is approved; it does not change any more.")


def _retest(occasion: Occasion) -> Done:
    given = occasion.values
    sample = Sample.objects.get(pk=given["sample"]) if given["sample"] else None
    made = oos_retests.record(
        occasion.record, value_text=given["value"], tested_at=given["tested_at"], sample=sample,
        actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done(f"Retest {made.number} of {made.oos.retest_count} is recorded.")


def _conclude(occasion: Occasion) -> Done:
    oos_conclusions.conclude(
        occasion.record,
        conclusion=Conclusion(occasion.values["conclusion"]),
        text=occasion.values["text"],
        confirmed=confirmed(occasion),
    )
    return Done("The investigation is concluded; quality closes it or sends it back.")


def _send_back(occasion: Occasion) -> Done:
    oos_conclusions.send_back(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done("It is sent back to the investigator.")


def _close(occasion: Occasion) -> Done:
    oos_conclusions.close(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is closed.")


def _link(occasion: Occasion) -> Done:
    deviation = Deviation.objects.get(pk=occasion.values["deviation"])
    oos.link_deviation(
        occasion.record, deviation=deviation, actor=occasion.actor, at=occasion.at,
        reason=occasion.values["reason"],
    )  # fmt: skip
    return Done(f"{deviation} is linked to {occasion.record}.")


def _in(step: OosStep) -> Any:
    """Return whether a step is offered: the same table that allows it."""
    return lambda oos: step in states.OOS[oos.state]


def _analysts(of: OosInvestigation) -> list[tuple[str, str]]:
    original = oos.original_analysts(of)
    people = User.objects.filter(is_active=True, role_assignments__ended_at=None).distinct()
    return [
        (str(one.pk), str(one))
        for one in people.order_by("full_name")
        if Duty.ENTER_RESULTS in one.duties and one.username.lower() not in original
    ]


def _samples(of: OosInvestigation) -> list[tuple[str, str]]:
    found = Sample.objects.filter(batch=of.batch).order_by("-pk")[:200]
    return [("", "A sample of the stability study"), *((str(one.pk), one.number) for one in found)]


def _deviations(of: OosInvestigation) -> list[tuple[str, str]]:
    known = Deviation.objects.exclude(oos_links__oos=of).order_by("-pk")[:200]
    return [(str(one.pk), f"{one.number} {one.title}") for one in known]


acts.offer(
    OosInvestigation,
    Act(
        "phase-one", "Record Phase I", Duty.INVESTIGATE_OOS, _record_phase_one, form=PhaseOneForm,
        is_offered=_in(OosStep.RECORD_PHASE_ONE),
        initial=lambda oos: {"interview": oos.interview},
    ),
    Act(
        "close-phase-one", "Close Phase I", Duty.INVESTIGATE_OOS, _close_phase_one,
        form=CauseForm, is_offered=_in(OosStep.CLOSE_PHASE_ONE), is_grave=True,
        explanation="With an assignable cause and its evidence, or into Phase II.",
    ),
    Act(
        "production-review", "Record the production review", Duty.INVESTIGATE_OOS,
        _review_production, form=ProductionForm, is_offered=_in(OosStep.REVIEW_PRODUCTION),
        initial=lambda oos: {"text": oos.production_review},
    ),
    Act(
        "find-cause", "Record an assignable cause", Duty.INVESTIGATE_OOS, _find_cause,
        form=CauseForm, is_offered=_in(OosStep.FIND_CAUSE),
    ),
    Act(
        "plan", "Propose a retest plan", Duty.INVESTIGATE_OOS, _propose, form=PlanForm,
        is_offered=_in(OosStep.PROPOSE_PLAN), choices={"analyst": _analysts},
        explanation="How many, by whom and on what, decided before any retest.",
    ),
    Act(
        "approve-plan", "Approve the retest plan", Duty.APPROVE_OOS, _approve_plan, form=SignForm,
        is_offered=_in(OosStep.APPROVE_PLAN), is_grave=True,
    ),
    Act(
        "retest", "Record a retest", Duty.ENTER_RESULTS, _retest, form=RetestForm,
        is_offered=_in(OosStep.RETEST), choices={"sample": _samples},
        initial=fields.now("tested_at"),
        explanation="It stands beside the OOS result, and is never averaged with it.",
    ),
    Act(
        "conclude", "Conclude", Duty.INVESTIGATE_OOS, _conclude, form=ConclusionForm,
        is_offered=_in(OosStep.CONCLUDE),
        explanation="Only an assignable cause invalidates; passing retests alone do not.",
    ),
    Act(
        "send-back", "Send back", Duty.APPROVE_OOS, _send_back,
        is_offered=_in(OosStep.SEND_BACK),
    ),
    Act(
        "close", "Close", Duty.APPROVE_OOS, _close, form=SignWithReasonForm,
        is_offered=_in(OosStep.CLOSE), is_grave=True,
        explanation="Whoever investigated does not close.",
    ),
    Act(
        "link-deviation", "Link a deviation", Duty.OPEN_DEVIATION, _link, form=LinkForm,
        choices={"deviation": _deviations}, is_offered=lambda oos: oos.is_open,
    ),
)  # fmt: skip
