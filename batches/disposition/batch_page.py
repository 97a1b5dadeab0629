"""Add to the page of a batch: its review, its disposition, and what was certified and shipped."""

from django import forms
from django.http import HttpRequest

from batches.disposition import batch_report, retention_kinds, review_page, standing
from batches.disposition.models import Certificate, Decision, Shipment
from batches.execution.models import Batch
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ConfirmForm, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Note, Part, Section, Table
from compliance.inspection import admin as inspection_pages
from compliance.inspection.models import Profile
from compliance.quality.models import Deviation
from compliance.reports import admin as report_pages
from compliance.retention import admin as retention_pages
from compliance.signatures import manifestations


def _report(occasion: Occasion) -> Done:
    return report_pages.ask(occasion, kind=batch_report.KIND, subject=occasion.record.number)


class ProfileForm(forms.Form):
    profile = forms.ChoiceField(choices=Profile.choices, initial=Profile.FDA)


def _inspect(occasion: Occasion) -> Done:
    profile = Profile(occasion.values["profile"])
    return inspection_pages.ask(occasion, profile=profile, scope=[occasion.record.number])


acts.offer(
    Batch,
    Act(
        "report", "Request the batch record as PDF", Duty.BUILD_REPORT, _report, form=ConfirmForm,
        explanation="A worker builds the PDF, puts the evidence inside and seals it.",
    ),
    Act(
        "inspect", "Request an inspection", Duty.INSPECT, _inspect, form=ProfileForm,
        explanation="The simulated inspector reads this batch's records as they are now.",
    ),
)  # fmt: skip


record_admin.section(Batch, order=9)(review_page.section)


@record_admin.section(Batch, order=10)
def disposition(batch: Batch, request: HttpRequest) -> Section:
    """The decisions with the signature that holds, or what stands against a release."""
    found = standing.of(batch)
    parts: list[Part] = []
    if found.decision is None:
        return Section("What stands against a release", [review_page.against(batch)])
    if found.needs_reevaluation:
        parts += _reevaluation(found.decision, batch)
    parts.append(_decisions(batch))
    parts.append(manifestations.shown(found.decision.signature, is_current=found.is_current))
    return Section("Disposition", parts)


def _reevaluation(decision: Decision, batch: Batch) -> list[Part]:
    rows: list[list[Cell]] = [
        [page_parts.moment(one.at), f"{one.actor} ({one.role})", one.action, one.reason]
        for one in standing.entries_since(decision)
    ]
    link = page_parts.link("review what is new", review_page.url(batch))
    said = page_parts.beside(page_parts.badge("Re-evaluation needed", "bad"), "")
    return [
        Note(said, "bad"),
        Note("The record changed after the release. Nothing is certified or shipped until then."),
        Note(link),
        Table(["At", "By", "Act", "Reason"], rows, caption="Entered after the decision"),
    ]


def _decisions(batch: Batch) -> Table:
    found = Decision.objects.filter(batch=batch).select_related("signature").order_by("-pk")
    rows: list[list[Cell]] = [
        [
            page_parts.moment(one.decided_at),
            record_admin.link(one),
            one.reason,
            one.reference,
            one.signature.printed_name,
        ]
        for one in found
    ]
    return Table(["Decided", "Decision", "Reason", "Reference", "By"], rows)


@record_admin.section(Batch, order=11)
def distribution(batch: Batch, request: HttpRequest) -> Section | None:
    """Certificates and shipments, when there are any."""
    certificates = Certificate.objects.filter(batch=batch).select_related("signature")
    shipments = Shipment.objects.filter(batch=batch).select_related("certificate")
    parts: list[Part] = []
    if rows := [
        [record_admin.link(one), page_parts.moment(one.certified_at), one.signature.printed_name]
        for one in certificates.order_by("serial")
    ]:
        parts.append(Table(["Certificate", "Certified", "By"], rows))
    if rows := [
        [
            record_admin.link(one),
            page_parts.moment(one.shipped_at),
            one.consignee,
            one.get_market_display(),
            f"{one.quantity.normalize():f} {one.unit}",
        ]
        for one in shipments.order_by("pk")
    ]:
        columns = ["Shipment", "Shipped", "Consignee", "Market", "Quantity"]
        parts.append(Table(columns, rows, numeric=["Quantity"]))
    return Section("Certification and distribution", parts) if parts else None


@record_admin.section(Batch, order=60)
def kept(batch: Batch, request: HttpRequest) -> Section:
    """Until when its record is kept, and which legal holds keep it longer."""
    return retention_pages.kept_section(retention_kinds.BATCH, batch.number)


@record_admin.section(Deviation, order=60)
def deviation_kept(deviation: Deviation, request: HttpRequest) -> Section:
    return retention_pages.kept_section(retention_kinds.DEVIATION, deviation.number)
