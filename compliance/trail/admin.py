"""Show the trail to people: entries, checkpoints and refusals, read-only."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from compliance.refusals import Refused, Unavailable
from compliance.trail import (
    attachments,
    entry_page,
    evidence_page,
    refusals,
    timeline_pages,
    version_pages,
)
from compliance.trail.models import Attachment, Checkpoint, Entry, Refusal
from compliance.trail.paging import CappedPaginator
from compliance.trail.stored import Damaged

log = logging.getLogger(__name__)


def _told(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a page of the trail: it says so where what is stored cannot be shown."""

    @wraps(view)
    def answer(self: "EntryAdmin", request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except (Damaged, DataError) as error:
            log.exception("What is stored of the log cannot be shown")
            return self._none(
                request, f"What is stored of the log cannot be shown: {error}. Run `trail verify`.",
                status=500,
            )  # fmt: skip

    return answer


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list and pages that nobody can write on, fast for tables of millions of rows."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Timelines in the place of Django's list, which would sort and count the whole log."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        record = "records/<str:table>/<str:record_id>/"
        own = [
            path(record, view(self.record_view), name="trail_record"),
            path(f"{record}versions/", view(self.versions_view), name="trail_versions"),
            path("people/<str:name>/", view(self.person_view), name="trail_person"),
            path("evidence/", view(self.evidence_view), name="trail_evidence"),
        ]
        return [*own, *super().get_urls()]

    @_told
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show what happened, in any period."""
        self._demand(request)
        found = timeline_pages.context(request, title="Audit trail", subtitle="", fixed={})
        return self._page(request, "timeline", found)

    @_told
    def record_view(self, request: HttpRequest, table: str, record_id: str) -> HttpResponse:
        """Show the history of one record."""
        self._demand(request)
        table, record_id = unquote(table), unquote(record_id)
        found = timeline_pages.context(
            request,
            title=f"{table} {record_id}",
            subtitle="History of a record",
            fixed={"record": table, "record_id": record_id},
        )
        if not found["rows"] and not found["is_filtered"] and not request.GET:
            return self._none(request, f"The trail has no entry of {table} {record_id}.")
        versions_url = reverse("admin:trail_versions", args=[quote(table), quote(record_id)])
        return self._page(request, "timeline", {**found, "versions_url": versions_url})

    @_told
    def versions_view(self, request: HttpRequest, table: str, record_id: str) -> HttpResponse:
        """Show what a record was at a moment, or how two of its versions differ."""
        self._demand(request)
        try:
            found = version_pages.context(request, unquote(table), unquote(record_id))
        except Refused as refused:
            return self._none(request, str(refused), status=refused.status)
        return self._page(request, "versions", found)

    @_told
    def person_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show what one person, device or process did."""
        self._demand(request)
        name = unquote(name)
        found = timeline_pages.context(
            request, title=name, subtitle="What somebody did", fixed={"actor": name}
        )
        return self._page(request, "timeline", found)

    @_told
    def evidence_view(self, request: HttpRequest) -> HttpResponse:
        """Say what a bundle will have, and hand it out when it is asked for."""
        self._demand(request)
        try:
            found = evidence_page.answer(request)
        except Refused as refused:
            person: Any = request.user
            refusals.record(refused, action="trail.evidence", actor=person, at=timezone.now())
            return self._none(request, str(refused), status=refused.status)
        except Unavailable as error:
            return self._none(request, str(error), status=503)
        if isinstance(found, HttpResponse):
            return found
        return self._page(request, "evidence", found)

    @_told
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what an entry changed, its bytes and what proves them."""
        self._demand(request)
        number = unquote(object_id)
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        entry = Entry.objects.filter(pk=number).first() if is_number else None
        if entry is None:
            return self._none(request, f"The trail has no entry {number[:40]}.")
        return self._page(request, "entry_page", entry_page.context(request, entry))

    def _demand(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, name: str, found: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **found}
        status = found.get("status", status)
        return TemplateResponse(request, f"admin/trail/{name}.html", context, status=status)

    def _none(self, request: HttpRequest, problem: str, *, status: int = 404) -> HttpResponse:
        title = "There is no such thing" if status == 404 else "Not now"
        return self._page(request, "none", {"title": title, "problem": problem}, status=status)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("size", "signed_at", "root_hex")
    ordering = ("-size",)
    fields = ("size", "signed_at", "root_hex", "note")
    readonly_fields = fields

    @admin.display(description="root")
    def root_hex(self, checkpoint: Checkpoint) -> str:
        return bytes(checkpoint.root).hex()


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    list_display = (
        *("recorded_at", "action", "code", "actor", "role", "subject", "message", "source"),
    )
    ordering = ("-recorded_at",)
    list_filter = ("code",)
    search_fields = ("=actor", "=subject", "message")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "subject", "filename", "media_type", "size", "sha256", "file")
    list_display_links = ("filename",)
    ordering = ("-pk",)
    search_fields = ("=subject", "=sha256", "filename")
    fields = ("filename", "subject", "media_type", "size", "sha256", "recorded_at", "file")
    readonly_fields = fields

    @admin.display(description="file")
    def file(self, attachment: Attachment) -> str:
        return format_html('<a href="{}">download</a>', self._address(attachment))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        own = path("<int:pk>/file/", view, name="trail_attachment_file")
        return [own, *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out a file after comparing it with its record; a browser saves it, never shows it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = get_object_or_404(Attachment, pk=pk)
        person: Any = request.user
        try:
            content = attachments.open_(attachment)
        except Refused as refused:
            refusals.record(
                refused, action="attachment.file", actor=person, at=timezone.now(),
                subject=str(attachment),
            )  # fmt: skip
            return HttpResponse(str(refused), status=refused.status, content_type="text/plain")
        return FileResponse(
            content,
            as_attachment=True,
            filename=attachment.filename,
            content_type=attachment.media_type,
            headers={
                "Content-Security-Policy": "sandbox; default-src 'none'",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )

    @staticmethod
    def _address(attachment: Attachment) -> str:
        return reverse("admin:trail_attachment_file", args=[attachment.pk])
