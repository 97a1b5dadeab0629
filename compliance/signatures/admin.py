"""Signatures in the admin: who signed what, and how each signature stands."""

from django.contrib import admin
from django.http import HttpRequest

from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Facts, Page, Section
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import (
    manifestations,
    signing,
    statement_admin,  # noqa: F401 -- its pages
)
from compliance.signatures.models import Reauthentication, Signature
from compliance.signatures.verdicts import Standing, Verdict

TONES: dict[Standing, page_parts.Tone] = {
    Standing.INTACT: "good",
    Standing.SUPERSEDED: "warn",
    Standing.COPIED: "bad",
}


@admin.register(Signature)
class SignatureAdmin(RecordAdmin):
    list_display = (
        "signed_at", "meaning", "record_name", "printed_name", "username", "role", "means",
    )  # fmt: skip
    search_fields = ("printed_name", "username", "record_id", "record_digest")
    list_filter = ("meaning", "means", "record")
    date_hierarchy = "signed_at"
    ordering = ("-pk",)
    empty_text = "Nothing is signed yet. Records are signed on their own pages."

    @admin.display(description="Record", ordering="record")
    def record_name(self, signature: Signature) -> str:
        return f"{signature.record} {signature.record_id}"

    def page(self, record: Signature, request: HttpRequest) -> Page:
        verdict = signing.verify(record)
        return Page(
            title=f"{record.get_meaning_display()} by {record.printed_name}",
            badges=[page_parts.badge(verdict.standing.capitalize(), TONES[verdict.standing])],
            sections=[
                Section("Signature", [manifestations.judged(verdict)], is_wide=False),
                Section("What was signed", [self._signed(verdict)], is_wide=False),
            ],
        )

    def _signed(self, verdict: Verdict) -> Facts:
        signature, signed = verdict.signature, verdict.record
        has_page = signed is not None and self.admin_site.is_registered(type(signed))
        address = record_admin.link(signed) if has_page else str(signed or "not found")
        return Facts(
            [
                ("Record", address),
                ("Table and number", f"{signature.record} {signature.record_id}"),
                ("Digest of what was signed", page_parts.code(signature.record_digest)),
                ("Binding of all fields", page_parts.code(signature.binding)),
                ("Signer authenticated by", verdict.confirmed_by),
                ("Verdict", verdict.explanation),
                ("Changed since", ", ".join(verdict.changed)),
            ]
        )


@admin.register(Reauthentication)
class ReauthenticationAdmin(RecordAdmin):
    list_display = ("made_at", "person", "means", "record", "record_id", "meaning", "address")
    search_fields = ("person__username", "record_id", "subject")
    list_filter = ("means", "meaning")
    list_select_related = ("person",)
    date_hierarchy = "made_at"
    ordering = ("-pk",)
    empty_text = (
        "Nobody has confirmed a signature by security key or identity provider yet; signatures by "
        "password have their confirmation in the list of sign-ins."
    )
