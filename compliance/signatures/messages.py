"""Describe how signatures go over the wire."""

from datetime import datetime

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.signatures import manifestations, signing
from compliance.signatures.models import Meaning, Means, Statement
from compliance.signatures.verdicts import Standing, Verdict
from compliance.wire import In, Out, Text


class VerdictOut(Out):
    """A signature as it must be shown (21 CFR 11.50), and how it stands."""

    id = serializers.IntegerField(source="signature.pk")
    record = serializers.CharField(source="signature.record")
    record_id = serializers.CharField(source="signature.record_id")
    printed_name = serializers.CharField(source="signature.printed_name")
    username = serializers.CharField(source="signature.username")
    role = serializers.CharField(source="signature.role", help_text="As held at signing.")
    meaning = serializers.ChoiceField(source="signature.meaning", choices=Meaning.choices)
    meaning_label = serializers.CharField(source="signature.get_meaning_display")
    comment = serializers.CharField(source="signature.comment")
    signed_at = serializers.DateTimeField(source="signature.signed_at")
    signed_at_local = serializers.SerializerMethodField(
        help_text="By the clocks of the site, with the offset of its zone."
    )
    zone = serializers.CharField(source="signature.zone")
    shown_time = serializers.SerializerMethodField(help_text="As on pages and printouts.")
    means = serializers.ChoiceField(source="signature.means", choices=Means.choices)
    password_reset_at = serializers.DateTimeField(
        source="reset.changed_at",
        default=None,
        allow_null=True,
        help_text="When somebody else last set the signer's password, before the signature.",
    )
    password_reset_by = serializers.CharField(source="reset.set_by", default="")
    record_digest = serializers.CharField(source="signature.record_digest")
    binding = serializers.CharField(source="signature.binding")
    standing = serializers.ChoiceField(choices=[(one.value, one.value) for one in Standing])
    is_current = serializers.BooleanField(
        source="is_valid", help_text="False when the record was changed after it was signed."
    )
    explanation = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="Parts of the record that changed since."
    )

    @extend_schema_field(serializers.DateTimeField())
    def get_signed_at_local(self, verdict: Verdict) -> str:
        local: datetime = signing.local_time(verdict.signature)
        return local.isoformat()

    def get_shown_time(self, verdict: Verdict) -> str:
        return manifestations.moment(verdict.signature)


class StatementOut(Out):
    version = serializers.IntegerField()
    text = serializers.CharField()
    drafted_by = serializers.SerializerMethodField()
    drafted_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField(allow_null=True)

    def get_drafted_by(self, statement: Statement) -> str:
        return statement.drafted_by.username if statement.drafted_by else ""


class AccountabilityOut(Out):
    statement = StatementOut()
    acknowledged_at = serializers.DateTimeField(
        allow_null=True, help_text="When the person who asks acknowledged it; null: not yet."
    )


class AcknowledgeIn(In):
    version = serializers.IntegerField(help_text="The version that was read.")
    password = Text(max_length=200, write_only=True)


class DraftIn(In):
    text = Text(max_length=20_000)
    reason = Text(max_length=1000)


class PublishIn(In):
    reason = Text(max_length=1000)
    password = Text(max_length=200, write_only=True)


class QuestionIn(In):
    record = Text(max_length=63, help_text="Table of the record, as signatures name it.")
    record_id = Text(max_length=60)
    meaning = serializers.ChoiceField(choices=Meaning.choices)


class QuestionOut(Out):
    question = serializers.CharField(help_text="Send it back with the answer.")
    options = serializers.JSONField(help_text="For navigator.credentials.get().")


class AnswerIn(In):
    question = Text(max_length=4000)
    answer = serializers.DictField(help_text="What the security key answered.")


class CodeOut(Out):
    code = serializers.CharField(
        help_text="Takes the password's place in the act that signs; good once, for two minutes."
    )
