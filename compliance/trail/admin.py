"""Show the trail to people: entries, checkpoints and refusals, read-only."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from compliance.refusals import Refused
from compliance.trail import attachments, evidence, refusals, timeline
from compliance.trail.keys import KeyUnusable
from compliance.trail.models import Attachment, Checkpoint, Entry, Refusal
from compliance.trail.paging import CappedPaginator

REASON = "reason:"


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


class ValueFilter(admin.SimpleListFilter):
    """Filter by one of a column's values, which are found without reading the whole column."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # A loose index scan: one step for each value, however many entries have it.
        column = connection.ops.quote_name(str(self.parameter_name))
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE found AS ((SELECT {column} AS value FROM audit.projection "  # noqa: S608
                f"ORDER BY {column} LIMIT 1) UNION ALL SELECT (SELECT {column} "
                f"FROM audit.projection WHERE {column} > found.value ORDER BY {column} LIMIT 1) "
                "FROM found WHERE found.value IS NOT NULL) "
                "SELECT value FROM found WHERE value IS NOT NULL LIMIT 200"
            )
            return [(value, value) for (value,) in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(**{str(self.parameter_name): self.value()})


class ActionFilter(ValueFilter):
    title = "action"
    parameter_name = "action"


class RoleFilter(ValueFilter):
    title = "role"
    parameter_name = "role"


class RecordFilter(ValueFilter):
    title = "record"
    parameter_name = "record"


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = (
        "entry_id",
        "index",
        "at",
        "actor",
        "role",
        "action",
        "record",
        "record_id",
        "record_seq",
        "op",
        "reason",
    )
    list_filter = (ActionFilter, RecordFilter, RoleFilter, "op")
    ordering = ("-entry_id",)
    sortable_by = ()
    search_fields = ("record_id",)  # shows the box; what it means is below
    search_help_text = (
        "A record's number, an actor or an act, exactly; or “reason:” and a part of the reason."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by what has an index; only a part of a reason is read through."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.lower().startswith(REASON):
            return queryset.filter(reason__icontains=term[len(REASON) :].strip()), False
        return queryset.filter(Q(record_id=term) | Q(actor=term) | Q(act=term)), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what an entry changed, its bytes and what proves them."""
        number = unquote(object_id)
        entry = (
            Entry.objects.filter(pk=number).first()
            if number.isascii() and number.isdigit()
            else None
        )
        if entry is None:
            raise Http404(f"no entry {number}")
        if not self.has_view_permission(request, entry):
            raise PermissionDenied
        try:
            proof, problem = evidence.of_entry(entry.entry_id), ""
        except KeyUnusable as error:
            proof, problem = None, str(error)
        proven = proof.entries[0] if proof and proof.entries else None
        context = {
            **self.admin_site.each_context(request),
            "title": str(entry),
            "opts": self.opts,
            "entry": entry,
            "digest": bytes(entry.digest).hex(),
            "changes": [
                (change.field, _shown(change.old), _shown(change.new))
                for change in timeline.changes(entry)
            ],
            "history": Entry.objects.of_record(entry.record, entry.record_id)[:200],
            "tree_size": proof.tree_size if proof else 0,
            "proof": [one.hex() for one in proven.proof] if proven else [],
            "is_proven": proven is not None,
            "checkpoint": proof.checkpoint if proof else "",
            "problem": problem,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/trail/entry_page.html", context)


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


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
