"""Reports in the admin: where the PDF is, and its digest on record."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Note, Page, Part, Section
from compliance.access.record_admin import RecordAdmin
from compliance.refusals import Refused
from compliance.reports import building, kinds, requests, tasks
from compliance.reports.models import Report, ReportState
from compliance.trail import refusals


class RequestForm(forms.Form):
    kind = forms.ChoiceField(choices=kinds.names)
    subject = forms.CharField(max_length=60, help_text="Number of the record to report on.")


def ask(occasion: Occasion, *, kind: str, subject: str) -> Done:
    """Request a report and queue it."""
    report = requests.request(kind=kind, subject=subject, actor=occasion.actor, at=occasion.at)
    transaction.on_commit(lambda: tasks.build_report.delay(report_id=report.pk), robust=True)
    return Done(f"{report} is requested; a worker builds and seals it.", report)


def _request(occasion: Occasion) -> Done:
    return ask(occasion, kind=occasion.values["kind"], subject=occasion.values["subject"].strip())


acts.offer(
    Report,
    Act(
        "request", "Request a report", Duty.BUILD_REPORT, _request, form=RequestForm,
        is_for_list=True, explanation="A worker builds the PDF, puts the evidence inside and seals it.",
    ),
)  # fmt: skip


@admin.register(Report)
class ReportAdmin(RecordAdmin):
    list_display = ("number", "kind", "subject", "state", "requested_by", "requested_at", "file")
    search_fields = ("number", "subject", "requested_by")
    list_filter = ("state", "kind")
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "No report yet. Request one here, or on the page of a batch."

    @admin.display(description="PDF")
    def file(self, report: Report) -> str:
        if report.state != ReportState.SEALED:
            return ""
        return page_parts.link("Download", _file_url(report))

    def page(self, record: Report, request: HttpRequest) -> Page:
        state = page_parts.state(record.state, record.get_state_display())
        parts: list[Part] = [
            Facts(
                [
                    ("Subject", record.subject),
                    ("Kind", record.kind),
                    (
                        "Requested",
                        f"{page_parts.moment(record.requested_at)} by {record.requested_by}",
                    ),
                    ("Sealed", page_parts.moment(record.sealed_at)),
                    ("File", record.file_name),
                    ("SHA-256 of the file", page_parts.code(record.file_digest)),
                    ("SHA-256 of the record", page_parts.code(record.record_digest)),
                    ("Tree size", "" if record.tree_size is None else str(record.tree_size)),
                ]
            )
        ]
        if record.state == ReportState.SEALED:
            parts.insert(
                0, Note(page_parts.link("Download the sealed PDF", _file_url(record)), "good")
            )
        elif record.state == ReportState.FAILED:
            parts.insert(0, Note(f"It could not be made: {record.problem}", "bad"))
        else:
            parts.insert(0, Note("A worker builds it; load this page again in a moment.", "busy"))
        return Page(record.number, record.subject, [state], [Section("Report", parts)])

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/file/",
            self.admin_site.admin_view(self.file_view),
            name="reports_report_file",
        )
        return [own, *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out the PDF after comparing it with its record."""
        report: Any = self._record(request, str(pk))
        person: Any = request.user
        try:
            data = building.content(report)
        except Refused as refused:
            refusals.record(
                refused, action="report.file", actor=person, at=timezone.now(),
                subject=report.number,
            )  # fmt: skip
            return HttpResponse(str(refused), status=refused.status, content_type="text/plain")
        return HttpResponse(
            data,
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{report.file_name}"'},
        )


def _file_url(report: Report) -> str:
    return f"{record_admin.url(report).removesuffix('change/')}file/"
