"""Lists and pages of what quality said: reviews, decisions, the register, and what was shipped."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from batches.disposition import (
    annual_review,
    annual_review_page,
    batch_acts,
    batch_page,  # noqa: F401 -- adds to the page of a batch
    certification,
    register_file,
    review_page,
)
from batches.disposition.models import BatchReview, Certificate, Decision, Shipment
from batches.execution import states
from batches.execution.models import Batch
from batches.execution.states import Step
from batches.recipes.models import Product
from compliance.access import page_parts, record_admin
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations, signing
from compliance.trail import capture, timeline_pages
from compliance.trail.query_form import QueryForm


@admin.register(BatchReview)
class BatchReviewAdmin(RecordAdmin):
    list_display = ("reviewed_at", "batch", "signature", "tree_size", "remarks")
    search_fields = ("batch__number", "remarks", "signature__printed_name")
    list_select_related = ("batch", "signature")
    date_hierarchy = "reviewed_at"
    ordering = ("-pk",)
    empty_text = "No batch record has been reviewed yet. Review one on the page of its batch."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.review_view)
        annual = self.admin_site.admin_view(self.annual_view)
        return [
            path("of/<str:batch_id>/", view, name="disposition_review"),
            path("annual/<str:product_id>/", annual, name="disposition_annual_review"),
            *super().get_urls(),
        ]

    def annual_view(self, request: HttpRequest, product_id: str) -> HttpResponse:
        """Show what the annual review of a product over a period is written from."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        product = get_object_or_404(Product, pk=unquote(product_id))
        asked = annual_review_page.PeriodForm.demand(request)
        try:
            found = annual_review.of(product, at=timezone.now(), **asked.cleaned_data)
        except annual_review.PeriodInvalid as invalid:
            raise BadRequest(str(invalid)) from invalid
        shown = annual_review_page.page(found)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": Product._meta,
            "title": shown.title,
            "page": shown,
            "sections": shown.sections,
            "acts": [("To the product", record_admin.url(product), False)],
            "timeline_url": timeline_pages.record_url(capture.record_of(Product), str(product.pk)),
        }
        return TemplateResponse(request, "admin/record.html", context)

    def review_view(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Show a batch by exception, and the form that signs exactly what is shown."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        known = Batch.objects.select_related("recipe__product")
        batch = get_object_or_404(known, pk=unquote(batch_id))
        QueryForm.demand(request)
        digest = signing.digest(batch)
        shown = review_page.page(batch, digest=digest)
        may_sign = Duty.DECIDE_DISPOSITION in getattr(request.user, "duties", frozenset())
        is_open = may_sign and states.is_possible(batch, Step.REVIEW)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": shown.title,
            "page": shown,
            "sections": shown.sections,
            "acts": [("To the batch", record_admin.url(batch), False)],
            "timeline_url": record_admin.url(batch) + "#history",
            "sign_url": f"{record_admin.url(batch).removesuffix('change/')}acts/review/",
            "form": batch_acts.ReviewForm(initial={"digest": digest}) if is_open else None,
        }
        return TemplateResponse(request, "admin/review.html", context)

    def page(self, record: BatchReview, request: HttpRequest) -> Page:
        counts = [
            [name.replace("-", " "), str(found["records"]), str(found["exceptions"])]
            for name, found in record.counts.items()
        ]
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Reviewed", page_parts.moment(record.reviewed_at)),
                ("SHA-256 of what was reviewed", page_parts.code(record.content_digest)),
                ("Sealed entries of the trail", str(record.tree_size)),
            ]
        )
        is_current = signing.is_current(record.signature, record.batch)
        table = Table(
            ["Section", "Records", "Exceptions"], counts, numeric=["Records", "Exceptions"]
        )
        parts: list[Part] = [facts, Text(record.remarks, label="Remarks"), table]
        parts.append(manifestations.shown(record.signature, is_current=is_current))
        return Page(str(record), "", [], [Section("Review", parts)])


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    list_display = ("decided_at", "batch", "outcome", "signature", "reason", "reference")
    search_fields = ("batch__number", "reason", "reference", "signature__printed_name")
    list_filter = ("outcome", "batch__recipe__product")
    list_select_related = ("batch", "signature")
    date_hierarchy = "decided_at"
    badges = ("outcome",)
    ordering = ("-pk",)
    empty_text = "Nothing has been decided about a batch yet. Decide on the page of a batch."

    def page(self, record: Decision, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Decided", page_parts.moment(record.decided_at)),
                ("Reason", record.reason),
                ("Reference", record.reference),
                ("Expires on", page_parts.day(record.expires_on)),
                ("Review", record_admin.link(record.review)),
            ]
        )
        is_current = signing.is_current(record.signature, record.batch)
        shown = manifestations.shown(record.signature, is_current=is_current)
        badge = page_parts.state(record.outcome, record.get_outcome_display())
        return Page(str(record), "", [badge], [Section("Decision", [facts, shown])])


@admin.register(Certificate)
class CertificateAdmin(RecordAdmin):
    """The register of the Qualified Person, in the order of its numbers."""

    list_display = ("number", "batch", "product", "certified_at", "signature")
    search_fields = ("number", "batch__number", "signature__printed_name")
    list_filter = ("batch__recipe__product",)
    list_select_related = ("batch__recipe__product", "signature")
    date_hierarchy = "certified_at"
    ordering = ("-serial",)
    empty_text = "No batch is certified yet. A Qualified Person certifies on the page of a batch."

    @admin.display(description="Product", ordering="batch__recipe__product__code")
    def product(self, certificate: Certificate) -> str:
        return certificate.batch.recipe.product.code

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("register.csv", view, name="disposition_register"), *super().get_urls()]

    def file_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        content = register_file.csv_of(certification.register())
        answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="certificates.csv"'
        return answer

    def page(self, record: Certificate, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Certified", page_parts.moment(record.certified_at)),
                ("On the release", record_admin.link(record.decision)),
            ]
        )
        parts: list[Part] = [facts, Text(record.statement, label="Statement")]
        if record.deviations:
            rows = [[one["number"], one["impact"], one["conclusion"]] for one in record.deviations]
            parts.append(Table(["Deviation", "Impact", "Conclusion"], rows))
            parts.append(Text(record.assessment, label="Assessment"))
        is_current = signing.is_current(record.signature, record.batch)
        parts.append(manifestations.shown(record.signature, is_current=is_current))
        link = page_parts.link("The whole register as CSV", "../../register.csv")
        parts.append(Note(link))
        return Page(record.number, "", [], [Section("Certificate", parts)])


@admin.register(Shipment)
class ShipmentAdmin(RecordAdmin):
    list_display = ("number", "batch", "market", "consignee", "quantity", "unit", "shipped_at")
    search_fields = ("number", "batch__number", "consignee")
    list_filter = ("market",)
    list_select_related = ("batch",)
    date_hierarchy = "shipped_at"
    ordering = ("-pk",)
    empty_text = "Nothing has been shipped yet. Shipments are recorded on the page of a batch."
