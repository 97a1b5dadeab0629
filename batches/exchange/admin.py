"""Receipts in the admin: what was accepted from other systems, and what they were answered."""

from django.contrib import admin
from django.http import HttpRequest

from batches.exchange import declared_admin, message_admin
from batches.exchange.models import Receipt
from compliance.access import page_parts
from compliance.access.page_parts import Facts, Page, Section, Text
from compliance.access.record_admin import RecordAdmin

__all__ = ["ReceiptAdmin", "declared_admin", "message_admin"]


@admin.register(Receipt)
class ReceiptAdmin(RecordAdmin):
    list_display = ("recorded_at", "sender_name", "method", "path", "status", "idempotency_key")
    search_fields = ("idempotency_key", "path", "sender_name", "act", "request_digest")
    list_filter = ("method", "status")
    date_hierarchy = "recorded_at"
    ordering = ("-pk",)
    empty_text = "Nothing was accepted from another system yet."

    def page(self, record: Receipt, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Sender", f"{record.sender_name} ({record.sender})"),
                ("Request", f"{record.method} {record.path}"),
                ("Idempotency key", page_parts.code(record.idempotency_key)),
                ("SHA-256 of the request", page_parts.code(record.request_digest)),
                ("Answered with", str(record.status)),
                ("Act in the trail", page_parts.code(record.act)),
                ("Recorded", page_parts.moment(record.recorded_at)),
            ]
        )
        sections = [Section("Receipt", [facts]), Section("Answer", [Text(record.answer)])]
        return Page(f"Receipt {record.pk}", f"{record.method} {record.path}", [], sections)
