"""CAPA in the admin: the list, the page of each, and what people do there."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality.acts import capas as doing
from compliance.quality.admin import fields, overdue
from compliance.quality.admin.overdue import Due
from compliance.quality.models import Capa, CapaKind, CapaSource, CapaState
from compliance.quality.states import CAPA, OfCapa
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm, SignWithReasonForm


class PlanForm(forms.Form):
    title = fields.line()
    problem = fields.text(help_text="What failed, or could fail, and why.")
    kind = fields.choice(CapaKind)
    source = fields.choice(CapaSource)
    source_text = fields.text(rows=2, required=False, help_text="Which audit, complaint or trend.")
    deviations = fields.line(required=False, help_text="Their numbers, apart by commas.")
    owner = fields.person()
    due_on = fields.day(label="Implemented by")
    criterion = fields.text(help_text="How it will be seen that it helped; set beforehand.")
    check_due_on = fields.day(label="Effect checked by")
    follows = fields.line(
        required=False, longest=40, help_text="Number of the CAPA that did not help."
    )


class ActionForm(forms.Form):
    text = fields.text(rows=2, label="What is to be done")
    owner = fields.person(label="By")
    due_on = fields.day(label="Until")


class FinishForm(forms.Form):
    action = forms.ChoiceField()
    evidence = fields.text(rows=2, help_text="Where it can be seen that it is done.")


class PostponeForm(ReasonForm):
    due_on = fields.day(label="Implemented by")
    check_due_on = fields.day(label="Effect checked by")
    field_order = ("due_on", "check_due_on", "reason")


class CheckForm(forms.Form):
    is_effective = fields.yes_no(label="Did it help, by the criterion?")
    observed = fields.text(label="What was seen, against the criterion")


def _offered(step: OfCapa) -> Callable[[Capa], bool]:
    return lambda capa: step in CAPA.allowed[capa.state]


acts.offer(
    Capa,
    Act(
        "open", "Plan a CAPA", Duty.WORK_ON_CAPA, fields.opened(doing.open_, "{} is drafted."),
        form=PlanForm, is_for_list=True,
    ),
    Act(
        "add-action", "Add an action", Duty.WORK_ON_CAPA,
        fields.told(doing.add_action, "The action is added to {}."), form=ActionForm,
        is_offered=_offered(OfCapa.ADD_ACTION),
    ),
    Act(
        "approve", "Approve", Duty.APPROVE_CAPA, fields.told(doing.approve, "{} is approved."),
        form=SignForm, is_offered=_offered(OfCapa.APPROVE), is_grave=True,
        explanation="Neither the author nor the owner approves. The plan stands from then on.",
    ),
    Act(
        "finish-action", "Finish an action", Duty.WORK_ON_CAPA,
        fields.told(doing.finish_action, "The action of {} is done."), form=FinishForm,
        is_offered=_offered(OfCapa.FINISH_ACTION),
        choices={"action": fields.one_of("actions", lambda one: one.text, only={"done_at": None})},
    ),
    Act(
        "postpone", "Postpone", Duty.APPROVE_CAPA,
        fields.told(doing.postpone, "{} has later dates."), form=PostponeForm,
        is_offered=_offered(OfCapa.POSTPONE),
    ),
    Act(
        "implement", "Declare implemented", Duty.WORK_ON_CAPA,
        fields.told(doing.implement, "{} is implemented; its effect is to be checked."),
        is_offered=_offered(OfCapa.IMPLEMENT),
    ),
    Act(
        "check", "Check the effect", Duty.WORK_ON_CAPA,
        fields.told(doing.check, "The effect of {} is on record."), form=CheckForm,
        is_offered=_offered(OfCapa.CHECK), explanation="Not by the owner or a doer of an action.",
    ),
    Act(
        "close", "Close", Duty.APPROVE_CAPA, fields.told(doing.close, "{} is closed."),
        form=SignWithReasonForm, is_offered=_offered(OfCapa.CLOSE), is_grave=True,
        explanation="One that did not help is closed when an approved one follows it.",
    ),
    Act(
        "cancel", "Cancel", Duty.APPROVE_CAPA, fields.told(doing.cancel, "{} is cancelled."),
        is_offered=_offered(OfCapa.CANCEL), is_grave=True,
    ),
)  # fmt: skip


@admin.register(Capa)
class CapaAdmin(RecordAdmin):
    list_display = ("number", "title", "kind", "source", "state", "owner", "due", "check_due")
    list_select_related = ("owner",)
    search_fields = ("number", "title", "problem", "owner__username")
    list_filter = ("state", "kind", "source", Due)
    due_column, ended = "due_on", (CapaState.CLOSED, CapaState.CANCELLED)
    badges = ("state",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No CAPA yet. Plan one here, out of a deviation, an audit or a trend."

    @admin.display(description="Implemented by", ordering="due_on")
    def due(self, capa: Capa) -> str:
        return overdue.shown(
            capa.due_on, is_open=capa.state in (CapaState.DRAFT, CapaState.APPROVED)
        )

    @admin.display(description="Checked by", ordering="check_due_on")
    def check_due(self, capa: Capa) -> str:
        return overdue.shown(capa.check_due_on, is_open=capa.state == CapaState.IMPLEMENTED)

    def page(self, record: Capa, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        sections = [
            Section("Plan", [_facts(record), Text(record.problem, label="Problem")], is_wide=False),
            Section("Criterion", [Text(record.criterion)], is_wide=False),
            _actions(record),
            _checks(record),
            manifestations.section(record),
        ]
        return Page(record.number, record.title, badges, sections)


def _facts(capa: Capa) -> Facts:
    linked = capa.deviations.order_by("number")
    return Facts(
        [
            ("Kind", capa.get_kind_display()),
            ("Source", f"{capa.get_source_display()} {capa.source_text}".strip()),
            ("Deviations", ", ".join(one.number for one in linked)),
            ("Author", capa.author.username),
            ("Owner", capa.owner.username),
            ("Opened", page_parts.moment(capa.opened_at)),
            ("Implemented by", page_parts.day(capa.due_on)),
            ("Effect checked by", page_parts.day(capa.check_due_on)),
            ("Approved", page_parts.moment(capa.approved_at)),
            ("Implemented", page_parts.moment(capa.implemented_at)),
            ("Closed", page_parts.moment(capa.closed_at)),
            ("Follows", record_admin.link(capa.follows)),
            ("Followed by", ", ".join(one.number for one in capa.followers.order_by("pk"))),
        ]
    )


def _actions(capa: Capa) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            one.text, fields.name(one.owner),
            overdue.shown(one.due_on, is_open=one.done_at is None) or page_parts.day(one.due_on),
            page_parts.moment(one.done_at), one.evidence,
            page_parts.code(one.attachment.sha256) if one.attachment else "",
        ]
        for one in capa.actions.select_related("owner", "attachment").order_by("pk")
    ]  # fmt: skip
    columns = ["Action", "By", "Until", "Done", "Evidence", "File"]
    return Section("Actions", [Table(columns, rows, empty="No action yet.")])


def _checks(capa: Capa) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            page_parts.moment(one.checked_at), fields.name(one.checked_by),
            page_parts.badge("effective", "good")
            if one.is_effective
            else page_parts.badge("not effective", "bad"),
            one.observed,
        ]
        for one in capa.checks.select_related("checked_by").order_by("pk")
    ]  # fmt: skip
    return Section(
        "Effect", [Table(["At", "By", "Result", "Observed"], rows, empty="Not checked.")]
    )
