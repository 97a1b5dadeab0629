"""Describe proposals and comparisons as they go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.wire import In, Out, Text
from twins.advice import outputs
from twins.advice.models import Proposal
from twins.predictions.asked.wire import AskedOut


class ProposalAnswerIn(In):
    accept = serializers.BooleanField(
        help_text="True says that a person will do it; the product does nothing."
    )
    reason = Text(max_length=1000)


class ComparisonOut(Out):
    """What was proposed beside what was done, and what came; hours and rates as decimal text."""

    compared_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    followed = serializers.CharField()
    from_move_l_per_h = serializers.CharField()
    from_recipe_l_per_h = serializers.CharField()
    done = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    hours_measured = serializers.IntegerField()
    is_crossed = serializers.BooleanField(allow_null=True)
    crossed_at = serializers.DateTimeField(allow_null=True)
    inside_as_is = serializers.IntegerField()
    inside_moved = serializers.IntegerField(allow_null=True)


class ProposalOut(AskedOut):
    """A proposal; `before` and `after` are a probability with its 90 % interval."""

    tag = serializers.CharField(source="alert.tag")
    side = serializers.CharField(source="alert.side")
    outcome = serializers.CharField()
    range_low = serializers.CharField()
    range_high = serializers.CharField()
    range_source = serializers.CharField()
    target = serializers.CharField()
    before = serializers.ListField(child=serializers.CharField())
    after = serializers.ListField(child=serializers.CharField())
    added_l = serializers.CharField()
    starts_at = serializers.DateTimeField(allow_null=True)
    last_safe_at = serializers.DateTimeField(allow_null=True)
    last_safe_low_at = serializers.DateTimeField(allow_null=True)
    last_safe_high_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    answered_by = serializers.CharField()
    answer_reason = serializers.CharField()
    superseded_by = serializers.IntegerField(source="superseded_by_id", allow_null=True)


class ProposalDetailOut(ProposalOut):
    """A proposal with the whole advice; numbers in it are the decimal strings that are hashed."""

    seed = serializers.IntegerField()
    environment = serializers.DictField(child=serializers.CharField())
    advice = serializers.SerializerMethodField()
    comparison = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"]})
    def get_advice(self, proposal: Proposal) -> dict[str, Any] | None:
        return outputs.document(proposal) if proposal.output else None

    @extend_schema_field(ComparisonOut(allow_null=True))
    def get_comparison(self, proposal: Proposal) -> dict[str, Any] | None:
        found = getattr(proposal, "comparison", None)
        return dict(ComparisonOut(found).data) if found else None
