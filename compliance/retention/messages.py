"""What goes over the wire about retention and legal holds."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.retention.models import LegalHold
from compliance.wire import In, Out, Text


class SignedIn(In):
    password = Text(max_length=200, write_only=True)


class ReasonIn(In):
    reason = Text(max_length=2000)


class SignedReasonIn(SignedIn):
    reason = Text(max_length=2000)


class RuleIn(In):
    kind = Text(max_length=40)
    anchor = Text(max_length=40)
    years = serializers.IntegerField(min_value=0, max_value=200)
    months = serializers.IntegerField(min_value=0, max_value=11, required=False, default=0)
    basis = Text(max_length=200)


class PolicyIn(In):
    summary = Text(max_length=2000)
    rules = RuleIn(many=True, allow_empty=False)


class RuleOut(Out):
    kind = serializers.CharField()
    anchor = serializers.CharField()
    years = serializers.IntegerField()
    months = serializers.IntegerField()
    basis = serializers.CharField()


class PolicyOut(Out):
    version = serializers.IntegerField()
    state = serializers.CharField()
    summary = serializers.CharField()
    author = serializers.CharField(source="author.username")
    drafted_at = serializers.DateTimeField()
    approver = serializers.CharField(source="approver.username", default=None, allow_null=True)
    effective_at = serializers.DateTimeField(allow_null=True)
    rules = RuleOut(many=True)


class HeldIn(In):
    kind = Text(
        max_length=40,
        help_text="A kind of records, or `record` with the number “table key”, or `everything`.",
    )
    number = Text(max_length=120, allow_blank=True, required=False, default="")


class HoldIn(In):
    title = Text(max_length=200)
    reason = Text(max_length=2000)
    records = HeldIn(many=True, allow_empty=False)


class HeldOut(Out):
    kind = serializers.CharField()
    number = serializers.CharField(source="subject")


class HoldOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField()
    state = serializers.CharField()
    is_in_force = serializers.BooleanField()
    requested_by = serializers.CharField(source="requested_by.username")
    requested_at = serializers.DateTimeField()
    placed_by = serializers.CharField(
        source="placed_signature.printed_name", default=None, allow_null=True
    )
    lift_reason = serializers.CharField()
    lift_requested_by = serializers.CharField(
        source="lift_requested_by.username", default=None, allow_null=True
    )
    lifted_by = serializers.CharField(
        source="lift_signature.printed_name", default=None, allow_null=True
    )
    records = serializers.SerializerMethodField()

    @extend_schema_field(HeldOut(many=True))
    def get_records(self, hold: LegalHold) -> list[dict[str, Any]]:
        return list(HeldOut(hold.held.all(), many=True).data)


class TermOut(Out):
    anchor = serializers.CharField(source="rule.anchor")
    years = serializers.IntegerField(source="rule.years")
    months = serializers.IntegerField(source="rule.months")
    clause = serializers.CharField(source="rule.clause")
    ends_on = serializers.DateField(
        allow_null=True, help_text="Null while nobody knows when it begins."
    )


class RetentionOut(Out):
    kind = serializers.CharField()
    number = serializers.CharField()
    until = serializers.DateField(allow_null=True, help_text="Null: kept, no end is known.")
    terms = TermOut(many=True)
    holds = HoldOut(many=True)
