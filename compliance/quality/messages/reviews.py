"""Describe how trail reviews and periodic reviews go over the wire."""

from collections import Counter
from typing import Any

from rest_framework import serializers

from compliance.quality import trail_reviews
from compliance.quality.messages.signatures import Signed
from compliance.quality.models import EntryOutcome, TrailReview
from compliance.trail.verifier.contents import Kind
from compliance.wire import In, Moment, Out, Text

OUTCOMES = [one for one in EntryOutcome.choices if one[0]]


class TrailReviewIn(In):
    """A scope, as an evidence bundle is asked for, and the seed of the random sample."""

    kind = serializers.ChoiceField(choices=[(one.value, one.value) for one in Kind])
    name = Text(max_length=120, default="", allow_blank=True)
    records = serializers.ListField(
        child=serializers.ListField(child=Text(max_length=63), min_length=2, max_length=2),
        default=list,
    )
    start = Moment(required=False)
    end = Moment(required=False)
    seed = Text(max_length=64)


class TrailAssessmentIn(In):
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    text = Text(max_length=20_000, default="", allow_blank=True)
    deviation = Text(max_length=40, default="", allow_blank=True)


class SampledAssessmentIn(TrailAssessmentIn):
    sampled = serializers.IntegerField(min_value=1, help_text="Its id in the sample.")


class TrailAssessmentsIn(In):
    """What came of several drawn entries: each is recorded for itself, or none is."""

    assessments = SampledAssessmentIn(many=True, min_length=1, max_length=1000)

    def validate_assessments(self, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        counted = Counter(one["sampled"] for one in given)
        if twice := sorted(one for one, times in counted.items() if times > 1):
            raise serializers.ValidationError(
                f"each entry once: {', '.join(map(str, twice))} is there more than once"
            )
        return given


class TrailConclusionIn(In):
    conclusion = Text(max_length=20_000)
    password = Text(max_length=200, write_only=True)


class TrailReviewOut(Out):
    number = serializers.CharField()
    state = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()
    reviewer = serializers.CharField(source="reviewer.username")
    opened_at = serializers.DateTimeField()
    seed = serializers.CharField()
    rules = serializers.CharField()
    hours = serializers.CharField()
    tree_size = serializers.IntegerField()
    entry_count = serializers.IntegerField()
    entries_digest = serializers.CharField()
    conclusion = serializers.CharField()
    concluded_at = serializers.DateTimeField(allow_null=True)


class SampledEntryOut(Out):
    id = serializers.IntegerField()
    entry = serializers.IntegerField()
    reasons = serializers.JSONField()
    outcome = serializers.CharField()
    text = serializers.CharField()
    assessed_at = serializers.DateTimeField(allow_null=True)
    deviation = serializers.CharField(source="deviation.number", default="")


class TrailStandingOut(Out):
    """Where a review stands today: of its own resource, because any new entry may change it."""

    is_concluded = serializers.BooleanField()
    is_current = serializers.BooleanField()
    sampled = serializers.IntegerField()
    assessed = serializers.IntegerField()
    findings = serializers.IntegerField()
    entries = serializers.IntegerField()
    entries_now = serializers.IntegerField()

    def to_representation(self, instance: TrailReview) -> Any:
        return super().to_representation(trail_reviews.state(instance))


class TrailReviewDetailOut(TrailReviewOut, Signed):
    sample = SampledEntryOut(many=True)


class PeriodicReviewIn(In):
    system = Text(max_length=120)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class PeriodicConclusionIn(TrailConclusionIn):
    next_due_on = serializers.DateField()


class PeriodicReviewOut(Out):
    number = serializers.CharField()
    system = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    state = serializers.CharField()
    figures = serializers.JSONField()
    opened_by = serializers.CharField(source="opened_by.username")
    opened_at = serializers.DateTimeField()
    conclusion = serializers.CharField()
    concluded_at = serializers.DateTimeField(allow_null=True)
    next_due_on = serializers.DateField(allow_null=True)


class PeriodicReviewDetailOut(PeriodicReviewOut, Signed):
    pass
