"""Changes in the admin: the list, the page of each, and what people do there."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality import changes
from compliance.quality.acts import changes as doing
from compliance.quality.admin import fields, overdue
from compliance.quality.admin.overdue import Due
from compliance.quality.models import Change, ChangeClass, ChangeState, ImpactKind
from compliance.quality.states import CHANGE, OfChange
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, SignWithReasonForm


class RequestForm(forms.Form):
    title = fields.line()
    description = fields.text(help_text="What is as it is, and what it is to be.")
    justification = fields.text()
    classification = fields.choice(ChangeClass)
    risk = fields.line(
        required=False, longest=40, help_text="Number of the risk; needed for major and critical."
    )
    is_emergency = fields.yes_no(label="Is it an emergency?")


class ImpactForm(forms.Form):
    kind = fields.choice(ImpactKind)
    is_affected = fields.yes_no(label="Affected?")
    identifier = fields.line(required=False, longest=120, help_text="Which one, when affected.")
    assessment = fields.text()


class TaskForm(forms.Form):
    text = fields.text(rows=2, label="What is to be done")
    owner = fields.person(label="By")
    due_on = fields.day(label="Until")


class FinishForm(forms.Form):
    task = forms.ChoiceField()
    outcome = fields.text(rows=2)


class ApproveForm(SignForm):
    function = forms.ChoiceField(label="For")
    comment = fields.text(rows=2, required=False)
    field_order = ("function", "comment", "password")


class ImplementForm(ReasonForm):
    effective_on = fields.day(label="In effect from")
    field_order = ("effective_on", "reason")


class ReviewForm(forms.Form):
    text = fields.text(label="What the change brought about")


def _offered(step: OfChange) -> Callable[[Change], bool]:
    return lambda change: step in CHANGE.allowed[change.state]


def _lacking(change: Change) -> list[tuple[str, str]]:
    return [(one, one.replace("-", " ").capitalize()) for one in changes.lacking(change)]


def _is_waiting_emergency(change: Change) -> bool:
    return (
        change.is_emergency
        and change.emergency_at is None
        and OfChange.LET_EMERGENCY in CHANGE.allowed[change.state]
    )


acts.offer(
    Change,
    Act(
        "request", "Ask for a change", Duty.REQUEST_CHANGE,
        fields.opened(doing.request, "{} is on record; assess what it touches."),
        form=RequestForm, is_for_list=True,
    ),
    Act(
        "assess-impact", "Assess an impact", Duty.REQUEST_CHANGE,
        fields.told(doing.assess_impact, "The impact is on record for {}."), form=ImpactForm,
        is_offered=_offered(OfChange.ASSESS_IMPACT),
        explanation="Every kind is looked at; for one that is not affected say why.",
    ),
    Act(
        "add-task", "Add a task", Duty.REQUEST_CHANGE,
        fields.told(doing.add_task, "The task is added to {}."), form=TaskForm,
        is_offered=_offered(OfChange.ADD_TASK),
    ),
    Act(
        "let-emergency", "Let it go ahead as an emergency", Duty.APPROVE_CHANGE,
        fields.told(doing.let_emergency, "{} may go ahead; its approvals follow in five days."),
        form=SignWithReasonForm, is_offered=_is_waiting_emergency, is_grave=True,
    ),
    Act(
        "finish-assessment", "Hand over for approval", Duty.REQUEST_CHANGE,
        fields.told(doing.finish_assessment, "{} waits for its approvals."),
        is_offered=_offered(OfChange.FINISH_ASSESSMENT),
    ),
    Act(
        "approve", "Approve", Duty.READ, fields.told(doing.approve, "Your yes to {} is signed."),
        form=ApproveForm, is_offered=_offered(OfChange.APPROVE), is_grave=True,
        choices={"function": _lacking},
        explanation="You agree for a function that your role speaks for; not to your own wish.",
    ),
    Act(
        "reject", "Reject", Duty.APPROVE_CHANGE, fields.told(doing.reject, "{} is rejected."),
        form=SignWithReasonForm, is_offered=_offered(OfChange.REJECT), is_grave=True,
    ),
    Act(
        "finish-task", "Finish a task", Duty.REQUEST_CHANGE,
        fields.told(doing.finish_task, "The task of {} is done."), form=FinishForm,
        is_offered=_offered(OfChange.FINISH_TASK),
        choices={"task": fields.one_of("tasks", lambda one: one.text, only={"done_at": None})},
    ),
    Act(
        "implement", "Declare implemented", Duty.REQUEST_CHANGE,
        fields.told(doing.implement, "{} is implemented."), form=ImplementForm,
        is_offered=_offered(OfChange.IMPLEMENT),
    ),
    Act(
        "review", "Review afterwards", Duty.REQUEST_CHANGE,
        fields.told(doing.review, "The review of {} is on record."), form=ReviewForm,
        is_offered=_offered(OfChange.REVIEW), explanation="Not by who asked for the change.",
    ),
    Act(
        "close", "Close", Duty.APPROVE_CHANGE, fields.told(doing.close, "{} is closed."),
        form=SignWithReasonForm, is_offered=_offered(OfChange.CLOSE), is_grave=True,
    ),
    Act(
        "withdraw", "Withdraw", Duty.REQUEST_CHANGE,
        fields.told(doing.withdraw, "{} is withdrawn."), is_offered=_offered(OfChange.CANCEL),
    ),
)  # fmt: skip


@admin.register(Change)
class ChangeAdmin(RecordAdmin):
    list_display = ("number", "title", "classification", "state", "emergency", "requester", "due")
    list_select_related = ("requester",)
    search_fields = ("number", "title", "description", "requester__username")
    list_filter = ("state", "classification", "is_emergency", Due)
    due_column = "due_on"
    ended = (ChangeState.CLOSED, ChangeState.REJECTED, ChangeState.CANCELLED)
    badges = ("classification", "state")
    date_hierarchy = "requested_at"
    ordering = ("-pk",)
    empty_text = "No change yet. Ask for one before anything validated is altered."

    @admin.display(description="Emergency", ordering="is_emergency")
    def emergency(self, change: Change) -> str:
        return page_parts.badge("emergency", "bad") if change.is_emergency else ""

    @admin.display(description="Due", ordering="due_on")
    def due(self, change: Change) -> str:
        if change.state == ChangeState.IMPLEMENTED:
            return overdue.shown(change.review_due_on, is_open=True)
        is_undecided = change.state in (ChangeState.REQUESTED, ChangeState.ASSESSED)
        return overdue.shown(change.due_on, is_open=is_undecided)

    def page(self, record: Change, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        badges += [page_parts.state(record.classification, record.get_classification_display())]
        if record.is_emergency:
            badges.append(page_parts.badge("Emergency", "bad"))
        sections = [
            Section("The change", [_facts(record), Text(record.description)], is_wide=False),
            Section("Why", [Text(record.justification)], is_wide=False),
            _impacts(record),
            _approvals(record),
            _tasks(record),
        ]
        if record.review:
            sections.append(Section("Review", [Text(record.review)]))
        sections.append(manifestations.section(record))
        return Page(record.number, record.title, badges, sections)


def _facts(change: Change) -> Facts:
    return Facts(
        [
            ("Requested", page_parts.moment(change.requested_at)),
            ("By", change.requester.username),
            ("To be decided by", page_parts.day(change.due_on)),
            ("Risk", record_admin.link(change.risk)),
            ("Let as an emergency", page_parts.moment(change.emergency_at)),
            ("Approved", page_parts.moment(change.approved_at)),
            ("In effect from", page_parts.day(change.effective_on)),
            ("Review due", page_parts.day(change.review_due_on)),
            ("Closed", page_parts.moment(change.closed_at)),
        ]
    )


def _impacts(change: Change) -> Section:
    found = list(change.impacts.select_related("assessed_by").order_by("kind", "identifier"))
    rows: list[Sequence[Cell]] = [
        [
            one.get_kind_display(), one.identifier,
            page_parts.badge("affected", "warn") if one.is_affected else "not affected",
            one.assessment, fields.name(one.assessed_by),
        ]
        for one in found
    ]  # fmt: skip
    columns = ["Kind", "Which", "Effect", "Assessment", "By"]
    parts: list[Part] = [Table(columns, rows, empty="Nothing is assessed yet.")]
    missing = [kind.label for kind in ImpactKind if kind not in {one.kind for one in found}]
    if missing and change.state == ChangeState.REQUESTED:
        parts.append(Note(f"To be looked at: {', '.join(missing)}.", "warn"))
    return Section("Impact", parts)


def _approvals(change: Change) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            one.function,
            fields.name(one.approved_by),
            page_parts.moment(one.approved_at),
            one.comment,
        ]
        for one in change.approvals.select_related("approved_by").order_by("pk")
    ]
    parts: list[Part] = [Table(["For", "By", "At", "Comment"], rows, empty="Nobody agreed yet.")]
    lacking = changes.lacking(change)
    if lacking and change.is_open:
        parts.append(Note(f"Still to agree: {', '.join(lacking)}."))
    return Section("Approvals", parts)


def _tasks(change: Change) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            one.text, fields.name(one.owner), page_parts.day(one.due_on),
            page_parts.moment(one.done_at), one.outcome,
        ]
        for one in change.tasks.select_related("owner").order_by("pk")
    ]  # fmt: skip
    return Section("Tasks", [Table(["Task", "By", "Until", "Done", "Outcome"], rows)])
