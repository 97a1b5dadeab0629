"""Decisions about batches in the admin, and what stands against a release on the batch's page."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.disposition import batch_report, decisions
from batches.disposition.models import Decision
from batches.execution import blockers
from batches.execution.models import Batch, BatchState, DispositionState
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ConfirmForm, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.inspection import admin as inspection_pages
from compliance.inspection.models import Profile
from compliance.reports import admin as report_pages
from compliance.signatures import manifestations, signing
from compliance.signatures.forms import SignForm, confirmed

OUTCOMES = [
    (DispositionState.RELEASED.value, "Release"),
    (DispositionState.REJECTED.value, "Reject"),
]


class DecisionForm(ReasonForm, SignForm):
    outcome = forms.ChoiceField(choices=OUTCOMES, widget=forms.RadioSelect)
    field_order = ("outcome", "reason", "password")


def _decide(occasion: Occasion) -> Done:
    decision = decisions.decide(
        occasion.record,
        outcome=DispositionState(occasion.values["outcome"]),
        confirmed=confirmed(occasion),
        reason=occasion.values["reason"],
    )
    return Done(f"{decision.batch} is {decision.get_outcome_display().lower()}.")


def _report(occasion: Occasion) -> Done:
    return report_pages.ask(occasion, kind=batch_report.KIND, subject=occasion.record.number)


class ProfileForm(forms.Form):
    profile = forms.ChoiceField(choices=Profile.choices, initial=Profile.FDA)


def _inspect(occasion: Occasion) -> Done:
    profile = Profile(occasion.values["profile"])
    return inspection_pages.ask(occasion, profile=profile, scope=[occasion.record.number])


def _is_decidable(batch: Batch) -> bool:
    return batch.disposition == DispositionState.PENDING and batch.state in {
        BatchState.COMPLETED,
        BatchState.ABORTED,
    }


acts.offer(
    Batch,
    Act(
        "decide", "Decide its disposition", Duty.DECIDE_DISPOSITION, _decide, form=DecisionForm,
        is_offered=_is_decidable, is_grave=True,
        explanation="Your signature releases or rejects the batch, once. A release is refused "
        "while anything stands against it; the refusal names all of it.",
    ),
    Act(
        "report", "Request the batch record as PDF", Duty.BUILD_REPORT, _report, form=ConfirmForm,
        explanation="A worker builds the PDF, puts the evidence inside and seals it.",
    ),
    Act(
        "inspect", "Request an inspection", Duty.INSPECT, _inspect, form=ProfileForm,
        explanation="The simulated inspector reads this batch's records as they are now.",
    ),
)  # fmt: skip


@record_admin.section(Batch, order=10)
def disposition(batch: Batch, request: HttpRequest) -> Section:
    """The decision with its signature, or what stands against a release."""
    decision = Decision.objects.select_related("signature").filter(batch=batch).first()
    if decision is not None:
        signature = decision.signature
        parts: list[Part] = [
            Text(decision.reason, label=decision.get_outcome_display()),
            manifestations.shown(signature, is_current=signing.is_current(signature, batch)),
        ]
        return Section("Disposition", parts)
    found = blockers.of(batch)
    if not found:
        return Section("Disposition", [Note("Nothing stands against a release.", "good")])
    rows = [[one.name.replace("-", " "), one.text, one.clause] for one in found]
    return Section("What stands against a release", [Table(["Rule", "Why", "Clause"], rows)])


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    list_display = ("decided_at", "batch", "outcome", "signature", "reason")
    search_fields = ("batch__number", "reason", "signature__printed_name")
    list_filter = ("outcome",)
    list_select_related = ("batch", "signature")
    badges = ("outcome",)
    ordering = ("-pk",)
    empty_text = "No batch has been released or rejected yet. Decide on the page of a batch."

    def page(self, record: Decision, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Decided", page_parts.moment(record.decided_at)),
                ("Reason", record.reason),
            ]
        )
        is_current = signing.is_current(record.signature, record.batch)
        shown = manifestations.shown(record.signature, is_current=is_current)
        badge = page_parts.state(record.outcome, record.get_outcome_display())
        return Page(str(record), "", [badge], [Section("Decision", [facts, shown])])
