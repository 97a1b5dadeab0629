"""OOS investigations in the admin, from Phase I to the closure by quality."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from batches.laboratory import oos, oos_conclusions, oos_phases, oos_retests, states
from batches.laboratory.models import (
    CauseCategory,
    Conclusion,
    OosInvestigation,
    OosState,
    PlanKind,
    Sample,
)
from batches.laboratory.oos_phases import ANSWERS, CHECKLIST, Cause, PhaseOne
from batches.laboratory.oos_retests import Plan
from batches.laboratory.pages import fields
from batches.laboratory.pages.fields import ReasonForm, SignForm
from batches.laboratory.states import OosStep
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality.models import Deviation
from compliance.signatures import manifestations
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


# --- Pages


class DueFilter(SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OosInvestigation]
    ) -> QuerySet[OosInvestigation]:
        if self.value() not in ("open", "overdue"):
            return queryset
        found = queryset.exclude(state=OosState.CLOSED)
        return found.filter(due_on__lt=timezone.now()) if self.value() == "overdue" else found


@admin.register(OosInvestigation)
class OosInvestigationAdmin(RecordAdmin):
    list_display = (
        "number", "batch", "test_name", "value_text", "limits_text", "state", "conclusion",
        "due_on",
    )  # fmt: skip
    search_fields = ("number", "batch__number", "test__tag", "test__name")
    list_filter = ("state", "conclusion", DueFilter, "cause_category")
    list_select_related = ("batch", "test")
    badges = ("state", "conclusion")
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No OOS yet. A result outside its specification opens one by itself."

    @admin.display(description="Test", ordering="test__name")
    def test_name(self, oos: OosInvestigation) -> str:
        return oos.test.name

    def page(self, record: OosInvestigation, request: HttpRequest) -> Page:
        about = record.result or record.stability_result
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Result", record_admin.link(about)),
                ("Value", f"{record.value_text} {record.test.unit}"),
                ("Specification", record.limits_text),
                ("Opened", page_parts.moment(record.opened_at)),
                ("Due", page_parts.day(record.due_on)),
                ("Investigator", page_parts.shown(record.investigator)),
                ("Closed", page_parts.moment(record.closed_at)),
                ("Closed by", page_parts.shown(record.approver)),
            ]
        )
        sections = [
            Section("What was found", [facts], is_wide=False),
            Section("Conclusion", _conclusion(record), is_wide=False),
            Section("Phase I: laboratory", _phase_one(record)),
            Section("Phase II: full investigation", _phase_two(record)),
            Section("Deviations", [_links(record)]),
            manifestations.section(record),
        ]
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.is_open and record.due_on < timezone.now().date():
            badges.append(page_parts.badge("Overdue", "bad"))
        title = f"{record.test.name} of batch {record.batch}"
        return Page(record.number, title, badges, sections)


def _conclusion(oos: OosInvestigation) -> list[Part]:
    if not oos.conclusion:
        return [Note("Not concluded yet: the result stands and blocks the release.")]
    return [
        Facts([("Conclusion", oos.get_conclusion_display())]),
        Text(oos.conclusion_text, label="What follows from what"),
    ]


def _phase_one(oos: OosInvestigation) -> list[Part]:
    rows: list[list[Cell]] = [
        [text, *(oos.checklist.get(item) or [page_parts.badge("open", "warn"), ""])]
        for item, text in CHECKLIST.items()
    ]
    parts: list[Part] = [Table(["Looked at", "Answer", "Remark"], rows)]
    parts.append(
        Facts(
            [
                ("Original preparation retained", page_parts.shown(oos.is_preparation_retained)),
                ("Assignable cause", page_parts.shown(oos.has_cause)),
                ("Category", oos.get_cause_category_display() if oos.has_cause else ""),
                ("Closed", page_parts.moment(oos.phase_one_closed_at)),
            ]
        )
    )
    labelled = (
        ("What the analyst said", oos.interview), ("Cause", oos.cause),
        ("Evidence", oos.cause_evidence),
    )  # fmt: skip
    return [*parts, *(Text(text, label=label) for label, text in labelled if text)]


def _phase_two(oos: OosInvestigation) -> list[Part]:
    rows: list[list[Cell]] = [
        [
            str(one.number),
            record_admin.link(one.sample),
            page_parts.alarm(one.value_text) if one.is_outside else one.value_text,
            str(one.analyst),
            page_parts.moment(one.tested_at),
        ]
        for one in oos.retests.select_related("sample__batch", "analyst").order_by("number")
    ]
    columns = ["No.", "Sample", "Value", "Analyst", "Tested"]
    plan = Facts(
        [
            ("Plan", oos.get_plan_kind_display() if oos.plan_kind else ""),
            ("Retests planned", page_parts.shown(oos.retest_count)),
            ("Analyst", page_parts.shown(oos.retest_analyst)),
            ("Planned by", page_parts.shown(oos.plan_author)),
            ("Approved by", page_parts.shown(oos.plan_approver)),
            ("Approved", page_parts.moment(oos.plan_approved_at)),
        ]
    )
    labelled = (
        ("Review of production", oos.production_review), ("Rationale of the plan", oos.plan_rationale),
        ("Justification of a new sample", oos.resample_justification),
    )  # fmt: skip
    texts = [Text(text, label=label) for label, text in labelled if text]
    table = Table(columns, rows, numeric=["No.", "Value"], empty="No retest is recorded.")
    return [plan, *texts, table]


def _links(oos: OosInvestigation) -> Table:
    rows: list[list[Cell]] = [
        [record_admin.link(one.deviation), one.deviation.title, one.reason]
        for one in oos.deviation_links.select_related("deviation").order_by("pk")
    ]
    empty = "None. A confirmed OOS is closed with the deviation that carries it on."
    return Table(["Deviation", "Title", "Why"], rows, empty=empty)
