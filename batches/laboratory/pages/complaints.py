"""Complaints in the admin, with the batches they may concern."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.execution.models import Batch
from batches.laboratory import complaints, states
from batches.laboratory.complaints import Answer, Told
from batches.laboratory.models import Complaint
from batches.laboratory.pages import fields
from batches.laboratory.pages.fields import ReasonForm
from batches.laboratory.states import ComplaintStep
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations
from compliance.signatures.forms import SignWithReasonForm, confirmed


class OpenForm(forms.Form):
    product_text = forms.CharField(max_length=120, label="Product and strength, as told")
    lot_text = forms.CharField(max_length=60, required=False, label="Lot number, as told")
    complainant = forms.CharField(max_length=200)
    nature = fields.text(min_length=20, rows=5)
    is_serious = forms.BooleanField(required=False, label="A serious adverse experience")
    received_at = fields.at_utc("Received at")


class ConsiderForm(forms.Form):
    batch = forms.CharField(max_length=60, label="Number of the batch")
    is_affected = forms.BooleanField(required=False)
    finding = fields.text(min_length=8)


class AnswerForm(ReasonForm):
    needs_investigation = forms.BooleanField(required=False, initial=True)
    findings = fields.text(required=False)
    follow_up = fields.text(rows=2, required=False)
    no_investigation_reason = fields.text(rows=2, required=False)
    reply = fields.text(rows=2, required=False)
    field_order = (
        "needs_investigation", "findings", "follow_up", "no_investigation_reason", "reply",
        "reason",
    )  # fmt: skip


def _open(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    received_at = given.pop("received_at")
    made = complaints.open_(
        told=Told(**given), received_at=received_at, actor=occasion.actor, at=occasion.at
    )
    return Done(f"{made} is open; it is due on {made.due_on}.", made)


def _consider(occasion: Occasion) -> Done:
    given = occasion.values
    batch = Batch.objects.filter(number=given["batch"]).first()
    if batch is None:
        raise complaints.ComplaintIncomplete(f"there is no batch {given['batch']}")
    complaints.consider(
        occasion.record, batch=batch, is_affected=given["is_affected"], finding=given["finding"],
        actor=occasion.actor, at=occasion.at,
    )  # fmt: skip
    return Done(f"{batch} is looked at.")


def _answer(occasion: Occasion) -> Done:
    given = dict(occasion.values)
    reason = given.pop("reason")
    complaints.investigate(
        occasion.record, answer=Answer(**given), actor=occasion.actor, at=occasion.at, reason=reason
    )
    return Done("The investigation is recorded.")


def _close(occasion: Occasion) -> Done:
    complaints.close(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is closed.")


acts.offer(
    Complaint,
    Act(
        "open", "Open a complaint", Duty.OPEN_DEVIATION, _open, form=OpenForm, is_for_list=True,
        initial=fields.now("received_at"),
    ),
    Act(
        "consider", "Look at a batch", Duty.INVESTIGATE, _consider, form=ConsiderForm,
        is_offered=lambda one: ComplaintStep.LINK_BATCH in states.COMPLAINT[one.state],
    ),
    Act(
        "investigate", "Record the investigation", Duty.INVESTIGATE, _answer, form=AnswerForm,
        is_offered=lambda one: ComplaintStep.INVESTIGATE in states.COMPLAINT[one.state],
    ),
    Act(
        "close", "Close", Duty.CLOSE_DEVIATION, _close, form=SignWithReasonForm, is_grave=True,
        is_offered=lambda one: ComplaintStep.CLOSE in states.COMPLAINT[one.state],
        explanation="Whoever investigated does not close; every neighbour batch was looked at.",
    ),
)  # fmt: skip


@admin.register(Complaint)
class ComplaintAdmin(RecordAdmin):
    list_display = ("number", "product_text", "lot_text", "state", "is_serious", "received_at")
    search_fields = ("number", "product_text", "lot_text", "nature")
    list_filter = ("state", "is_serious", "needs_investigation")
    badges = ("state",)
    date_hierarchy = "received_at"
    ordering = ("-pk",)
    empty_text = "No complaint yet."

    def page(self, record: Complaint, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Product", record.product_text),
                ("Lot, as told", record.lot_text),
                ("Serious", page_parts.shown(record.is_serious)),
                ("Received", page_parts.moment(record.received_at)),
                ("Due", page_parts.day(record.due_on)),
                ("Investigator", page_parts.shown(record.investigator)),
                ("Deviation", record_admin.link(record.deviation)),
                ("Closed by", page_parts.shown(record.approver)),
            ]
        )
        labelled = (
            ("Findings", record.findings), ("Follow-up", record.follow_up),
            ("Why there is no investigation", record.no_investigation_reason),
            ("Reply", record.reply),
        )  # fmt: skip
        found: list[Part] = [Text(text, label=label) for label, text in labelled if text]
        sections = [
            Section("Complaint", [facts, Text(record.nature, label="Nature")], is_wide=False),
            Section("Investigation", found or [Note("Not investigated yet.")], is_wide=False),
            Section("Batches", _batches(record)),
            manifestations.section(record),
        ]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(record.number, record.product_text, [badge], sections)


def _batches(complaint: Complaint) -> list[Part]:
    rows: list[list[Cell]] = [
        [record_admin.link(one.batch), page_parts.shown(one.is_affected), one.finding]
        for one in complaint.batch_links.select_related("batch").order_by("batch__number")
    ]
    parts: list[Part] = [Table(["Batch", "Affected", "Finding"], rows, empty="None looked at yet.")]
    left = list(complaints.neighbours(complaint).values_list("number", flat=True)[:20])
    if left:
        parts.append(Note(f"To be looked at: {', '.join(left)}.", "warn"))
    return parts
