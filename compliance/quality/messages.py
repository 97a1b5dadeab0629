"""Describe how deviations go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance import times
from compliance.quality.models import Deviation, RootCause, Severity
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.trail.tlog import canonical
from compliance.wire import In, Moment, Out, Text


class DeviationIn(In):
    title = Text(max_length=200)
    description = Text(max_length=20_000)
    severity = serializers.ChoiceField(choices=Severity.choices)
    occurred_at = Moment()


class ImportIn(In):
    """Another system's report: its text unchanged, and what it claims, field by field."""

    number = Text(max_length=40)
    title = Text(max_length=200)
    severity = serializers.ChoiceField(choices=Severity.choices)
    occurred_at = Text(max_length=40, help_text="With its zone; without one only beside `zone`.")
    zone = Text(max_length=60, required=False, help_text="IANA zone to assume.")
    claims = serializers.DictField(child=Text(max_length=1000), required=False)
    source_text = Text(max_length=100_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        text, zone = attrs["occurred_at"], attrs.pop("zone", None)
        try:
            attrs["occurred_at"] = times.parse_local(text, zone=zone) if zone else times.parse(text)
            canonical.dumps(attrs.setdefault("claims", {}))
        except times.NotAMoment as error:
            raise serializers.ValidationError({"occurred_at": str(error)}) from error
        except canonical.NotCanonical as error:
            raise serializers.ValidationError({"claims": str(error)}) from error
        return attrs


class NoteIn(In):
    text = Text(max_length=20_000)


class InvestigationIn(In):
    root_cause_category = serializers.ChoiceField(
        choices=[choice for choice in RootCause.choices if choice[0]]
    )
    root_cause = Text(max_length=20_000)
    impact = Text(max_length=20_000)
    conclusion = Text(max_length=20_000)
    alternatives_considered = Text(max_length=20_000, allow_blank=True, default="")
    immediate_action = Text(max_length=20_000, allow_blank=True, default="")
    corrective_action = Text(max_length=20_000, allow_blank=True, default="")
    reason = Text(max_length=1000)


class SignatureIn(In):
    meaning = serializers.ChoiceField(choices=[(Meaning.INVESTIGATED.value, "Investigation")])
    password = Text(max_length=200, write_only=True)


class ClosureIn(In):
    password = Text(max_length=200, write_only=True)
    reason = Text(max_length=1000)


class DeviationOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    severity = serializers.CharField()
    state = serializers.CharField()
    origin = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    opened_at = serializers.DateTimeField()
    opened_by = serializers.CharField()
    due_on = serializers.DateField()
    closed_at = serializers.DateTimeField(allow_null=True)
    immediate_action = serializers.CharField()
    root_cause_category = serializers.CharField()
    root_cause = serializers.CharField()
    alternatives_considered = serializers.CharField()
    impact = serializers.CharField()
    corrective_action = serializers.CharField()
    conclusion = serializers.CharField()


class NoteOut(Out):
    text = serializers.CharField()
    written_by = serializers.CharField(source="written_by.username")
    written_at = serializers.DateTimeField()


class SignatureOut(Out):
    """A signature as it is shown: printed name, time and meaning (21 CFR 11.50)."""

    printed_name = serializers.CharField()
    username = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_digest = serializers.CharField()
    is_current = serializers.SerializerMethodField(
        help_text="False when the record was changed after it was signed."
    )

    def get_is_current(self, signature: Signature) -> bool:
        return signing.is_current(signature, self.context["record"])


class DeviationDetailOut(DeviationOut):
    notes = NoteOut(many=True)
    signatures = serializers.SerializerMethodField()

    @extend_schema_field(SignatureOut(many=True))
    def get_signatures(self, deviation: Deviation) -> list[dict[str, Any]]:
        found = signing.of(deviation)
        return list(SignatureOut(found, many=True, context={"record": deviation}).data)
