"""Describe bulk runs as they go over the wire."""

from typing import Any

from rest_framework import serializers

from compliance.wire import In, Moment, Out, Text
from twins.bulk.asking import MOST_MEMBERS
from twins.bulk.models import BulkKind, BulkState, PartState

_MOST_BATCHES = 2000


class PredictionsIn(In):
    batches = serializers.ListField(
        child=Text(max_length=60), min_length=1, max_length=_MOST_BATCHES
    )
    as_of = serializers.ListField(
        child=Moment(), min_length=1, max_length=_MOST_BATCHES, required=False,
        help_text="Without it: every moment of the recipe's interval that the readings reached.",
    )  # fmt: skip


class FeedStepIn(In):
    start_h = serializers.DecimalField(max_digits=9, decimal_places=4, min_value=0)
    rate_l_per_h = serializers.DecimalField(max_digits=12, decimal_places=6, min_value=0)


class FuturesIn(In):
    batch = Text(max_length=60)
    as_of = Moment()
    members = serializers.IntegerField(min_value=1, max_value=MOST_MEMBERS)
    horizon_h = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    feed = serializers.ListField(
        child=FeedStepIn(), min_length=1, max_length=200, required=False,
        help_text="What if it were fed like this from `as_of` on. Without it: the recipe's feed.",
    )  # fmt: skip


class BulkRunIn(In):
    """What to run: either `predictions` or `futures`."""

    predictions = PredictionsIn(required=False)
    futures = FuturesIn(required=False)
    reason = Text(max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("predictions" in attrs) == ("futures" in attrs):
            raise serializers.ValidationError(
                {"predictions": "say either predictions or futures"}, code="either"
            )
        return attrs


class BulkReasonIn(In):
    reason = Text(max_length=1000)


class BulkRunOut(Out):
    number = serializers.CharField()
    kind = serializers.ChoiceField(choices=BulkKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=BulkState.choices)
    part_count = serializers.IntegerField()
    seconds = serializers.IntegerField()
    memory_mb = serializers.IntegerField()
    reason = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.username")
    requested_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    cancelled_by = serializers.CharField()
    request_digest = serializers.CharField()
    result_digest = serializers.CharField()


class BulkProgressOut(Out):
    """How many parts are in which state."""

    waiting = serializers.IntegerField()
    claimed = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class BulkPartOut(Out):
    order = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PartState.choices)
    attempts = serializers.IntegerField()
    claimed_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    output_digest = serializers.CharField()
    problem = serializers.CharField()
