"""Deviations in the admin, with the acts from opening to closure."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality import deviations
from compliance.quality.deviations import Findings
from compliance.quality.models import (
    Deviation,
    DeviationNote,
    DeviationState,
    Reminder,
    RootCause,
    Severity,
)
from compliance.signatures import manifestations
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


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Remark",
        min_length=8,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A remark is added and never changed.",
    )


class InvestigationForm(ReasonForm):
    root_cause_category = forms.ChoiceField(choices=RootCause.choices, required=False)
    root_cause = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    alternatives_considered = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="Other causes that were ruled out, and how. Needed for “human error”.",
    )
    impact = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="Effect on product quality, and on which batches.",
    )
    immediate_action = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    corrective_action = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    conclusion = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    field_order = (
        "root_cause_category", "root_cause", "alternatives_considered", "impact",
        "immediate_action", "corrective_action", "conclusion", "reason",
    )  # fmt: skip


FINDINGS = [name for name in InvestigationForm.field_order if name != "reason"]


# --- Acts


def _open(occasion: Occasion) -> Done:
    given = occasion.values
    deviation = deviations.open_(
        title=given["title"],
        description=given["description"],
        severity=Severity(given["severity"]),
        occurred_at=given["occurred_at"],
        actor=occasion.actor,
        at=occasion.at,
    )
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


def _is_open(deviation: Deviation) -> bool:
    return deviation.is_open


def _is_investigated(deviation: Deviation) -> bool:
    return deviation.state == DeviationState.UNDER_INVESTIGATION


def _present_findings(deviation: Deviation) -> dict[str, Any]:
    return {name: getattr(deviation, name) for name in FINDINGS}


def _now(record: None) -> dict[str, Any]:
    return {"occurred_at": timezone.now()}


acts.offer(
    Deviation,
    Act(
        "open", "Open a deviation", Duty.OPEN_DEVIATION, _open, form=OpenForm, is_for_list=True,
        initial=_now,
        explanation="To link it to a batch at once, open it on the batch's page.",
    ),
    Act(
        "investigate", "Record the investigation", Duty.INVESTIGATE, _investigate,
        form=InvestigationForm, is_offered=_is_open, initial=_present_findings,
        explanation="Earlier texts stay in the trail. A signature given before no longer counts "
        "for the changed record.",
    ),
    Act("note", "Add a remark", Duty.OPEN_DEVIATION, _note, form=NoteForm, is_offered=_is_open),
    Act(
        "sign-investigation", "Sign the investigation", Duty.INVESTIGATE, _sign, form=SignForm,
        is_offered=_is_investigated,
        explanation="You sign, as its investigator, what the record says now.",
    ),
    Act(
        "close", "Close", Duty.CLOSE_DEVIATION, _close, form=SignWithReasonForm,
        is_offered=_is_investigated, is_grave=True,
        explanation="Your signature closes the deviation. Whoever investigated does not close.",
    ),
)  # fmt: skip


# --- Pages


class Due(SimpleListFilter):
    """Find what is late."""

    title = "due date"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("open", "Open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "overdue":
                late = deviations.overdue(on=timezone.now().date())
                return queryset.filter(pk__in=late.values("pk"))
            case "open":
                return queryset.exclude(state=DeviationState.CLOSED)
        return queryset


@admin.register(Deviation)
class DeviationAdmin(RecordAdmin):
    list_display = ("number", "title", "severity", "state", "occurred_at", "opened_by", "due")
    search_fields = ("number", "title", "description", "opened_by")
    list_filter = ("state", "severity", Due, "origin")
    badges = ("severity", "state")
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No deviation yet. Open one here, or on the page of the batch that it concerns."

    @admin.display(description="Due", ordering="due_on")
    def due(self, deviation: Deviation) -> str:
        if _is_late(deviation):
            return page_parts.badge(f"overdue since {deviation.due_on}", "bad")
        return "" if not deviation.is_open else page_parts.day(deviation.due_on)

    def page(self, record: Deviation, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.severity, record.get_severity_display())]
        badges += [page_parts.state(record.state, record.get_state_display())]
        if _is_late(record):
            badges.append(page_parts.badge("Overdue", "bad"))
        sections = [
            Section("What happened", [_facts(record), Text(record.description)], is_wide=False),
            Section("Investigation", _investigation(record), is_wide=False),
        ]
        if record.claims:
            sections.append(_claims(record))
        sections += [manifestations.section(record), _notes(record)]
        return Page(record.number, record.title, badges, sections)


def _is_late(deviation: Deviation) -> bool:
    return deviation.is_open and deviation.due_on < timezone.now().date()


def _facts(deviation: Deviation) -> Facts:
    return Facts(
        [
            ("Occurred", page_parts.moment(deviation.occurred_at)),
            ("Opened", f"{page_parts.moment(deviation.opened_at)} by {deviation.opened_by}"),
            ("Origin", deviation.get_origin_display()),
            ("Due", page_parts.day(deviation.due_on)),
            ("Closed", page_parts.moment(deviation.closed_at)),
        ]
    )


def _investigation(deviation: Deviation) -> list[Any]:
    texts = [
        Text(text, label=label)
        for label, text in (
            ("Root cause", deviation.root_cause),
            ("Alternatives considered", deviation.alternatives_considered),
            ("Impact", deviation.impact),
            ("Immediate action", deviation.immediate_action),
            ("Corrective action", deviation.corrective_action),
            ("Conclusion", deviation.conclusion),
        )
        if text
    ]
    if not texts:
        return [page_parts.Note("Not investigated yet. Record what was found, then sign it.")]
    category = deviation.get_root_cause_category_display() or "Not determined"
    return [Facts([("Category of the cause", category)]), *texts]


def _claims(deviation: Deviation) -> Section:
    rows = [[name, page_parts.shown(value)] for name, value in deviation.claims.items()]
    table = Table(["Claim", "As written in the imported report"], rows)
    source = page_parts.Folded("The imported report, unchanged", [Text(deviation.source_text)])
    return Section("What the imported report claims", [table, source])


def _notes(deviation: Deviation) -> Section:
    notes = DeviationNote.objects.filter(deviation=deviation).select_related("written_by")
    reminders = Reminder.objects.filter(deviation=deviation).order_by("-reminded_on")[:10]
    table = Table(
        ["At", "By", "Remark"],
        [
            [page_parts.moment(one.written_at), str(one.written_by), one.text]
            for one in notes.order_by("pk")
        ],
        empty="No remarks.",
    )
    parts: list[page_parts.Part] = [table]
    if reminders:
        rows = [
            [page_parts.day(one.reminded_on), str(one.days_overdue), one.addressed_to]
            for one in reminders
        ]
        parts.append(Table(["Reminded on", "Days overdue", "Addressed to"], rows))
    return Section("Remarks", parts)
