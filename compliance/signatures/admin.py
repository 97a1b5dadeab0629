"""Signatures in the admin: a register of who signed what."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Facts, Page, Section
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations, signing
from compliance.signatures.models import Signature
from compliance.trail import capture


@admin.register(Signature)
class SignatureAdmin(RecordAdmin):
    list_display = ("signed_at", "meaning", "record_name", "printed_name", "username", "role")
    search_fields = ("printed_name", "username", "record_id", "record_digest")
    list_filter = ("meaning", "record")
    date_hierarchy = "signed_at"
    ordering = ("-pk",)
    empty_text = "Nothing is signed yet. Records are signed on their own pages."

    @admin.display(description="Record", ordering="record")
    def record_name(self, signature: Signature) -> str:
        return f"{signature.record} {signature.record_id}"

    def page(self, record: Signature, request: HttpRequest) -> Page:
        signed = _signed_record(record)
        is_current = signed is not None and signing.is_current(record, signed)
        address = record_admin.link(signed) if _has_page(signed, self) else str(signed or "")
        facts = Facts(
            [
                ("Record", address or "not found"),
                ("Table and number", f"{record.record} {record.record_id}"),
                ("Digest of what was signed", page_parts.code(record.record_digest)),
            ]
        )
        return Page(
            title=f"{record.get_meaning_display()} by {record.printed_name}",
            sections=[
                Section(
                    "Signature",
                    [manifestations.shown(record, is_current=is_current)],
                    is_wide=False,
                ),
                Section("What was signed", [facts], is_wide=False),
            ],
        )


def _signed_record(signature: Signature) -> models.Model | None:
    for model in apps.get_models():
        if capture.record_of(model) == signature.record:
            return model._default_manager.filter(pk=signature.record_id).first()
    return None


def _has_page(record: Any, page: RecordAdmin) -> bool:
    return record is not None and page.admin_site.is_registered(type(record))
