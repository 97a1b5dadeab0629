"""Describe how risks and their scales go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.access.models import User
from compliance.quality import risks
from compliance.quality.messages.signatures import Signed
from compliance.quality.models import Category, Risk, RiskState
from compliance.quality.rating_spread import Spread
from compliance.wire import In, Out, Text


class ScaleIn(In):
    """What each number means, from 1 on, in the three dimensions."""

    title = Text(max_length=120)
    severity = serializers.ListField(child=Text(max_length=1000))
    occurrence = serializers.ListField(child=Text(max_length=1000))
    detection = serializers.ListField(child=Text(max_length=1000))
    severe_from = serializers.IntegerField()
    password = Text(max_length=200, write_only=True)


class RiskIn(In):
    title = Text(max_length=200)
    scope = Text(max_length=20_000)
    category = serializers.ChoiceField(choices=Category.choices, default="", allow_blank=True)
    concerns = Text(max_length=120, default="", allow_blank=True)


class FailureModeIn(In):
    text = Text(max_length=200)
    effect = Text(max_length=20_000)
    cause = Text(max_length=20_000)
    controls = Text(max_length=20_000, default="", allow_blank=True)


class RiskRatingIn(In):
    severity = serializers.IntegerField()
    occurrence = serializers.IntegerField()
    detection = serializers.IntegerField()
    rationale = Text(max_length=20_000)


class RiskDecisionIn(In):
    is_accepted = serializers.BooleanField()
    rationale = Text(max_length=20_000)
    resolved = Text(max_length=20_000, default="", allow_blank=True)
    review_due_on = serializers.DateField()
    password = Text(max_length=200, write_only=True)


class RiskReviewIn(In):
    text = Text(max_length=20_000)
    is_rated_again = serializers.BooleanField()
    next_due_on = serializers.DateField(required=False)


class ScaleLevelOut(Out):
    dimension = serializers.CharField()
    level = serializers.IntegerField()
    definition = serializers.CharField()


class ScaleOut(Out):
    version = serializers.IntegerField()
    title = serializers.CharField()
    highest = serializers.IntegerField()
    severe_from = serializers.IntegerField()
    approved_by = serializers.CharField(source="approved_by.username")
    approved_at = serializers.DateTimeField()
    levels = ScaleLevelOut(many=True)


class RiskOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    scope = serializers.CharField()
    scale = serializers.IntegerField(source="scale.version")
    state = serializers.CharField()
    author = serializers.CharField(source="author.username")
    opened_at = serializers.DateTimeField()
    round = serializers.IntegerField()
    category = serializers.CharField()
    concerns = serializers.CharField()
    rationale = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)
    review_due_on = serializers.DateField(allow_null=True)


class FailureModeOut(Out):
    id = serializers.IntegerField()
    text = serializers.CharField()
    effect = serializers.CharField()
    cause = serializers.CharField()
    controls = serializers.CharField()


class RiskRatingOut(Out):
    mode = serializers.IntegerField(source="mode_id")
    round = serializers.IntegerField()
    rater = serializers.CharField(source="rater.username")
    severity = serializers.IntegerField()
    occurrence = serializers.IntegerField()
    detection = serializers.IntegerField()
    rationale = serializers.CharField()
    rated_at = serializers.DateTimeField()


class RiskNumbersOut(Out):
    severity = serializers.IntegerField()
    occurrence = serializers.IntegerField()
    detection = serializers.IntegerField()


class RiskSpreadOut(Out):
    middle = RiskNumbersOut()
    worst = RiskNumbersOut()
    ranges = RiskNumbersOut()
    lowest_rpn = serializers.IntegerField()
    highest_rpn = serializers.IntegerField()
    disagreement = serializers.DecimalField(max_digits=4, decimal_places=2)
    is_wide = serializers.BooleanField()


class RatedModeOut(Out):
    mode = FailureModeOut()
    raters = serializers.IntegerField()
    spread = RiskSpreadOut(allow_null=True)


class RiskReviewOut(Out):
    text = serializers.CharField()
    deviations_since = serializers.IntegerField()
    is_rated_again = serializers.BooleanField()
    reviewed_by = serializers.CharField(source="reviewed_by.username")
    reviewed_at = serializers.DateTimeField()
    next_due_on = serializers.DateField(allow_null=True)


class RiskDetailOut(RiskOut, Signed):
    modes = serializers.SerializerMethodField(help_text="A spread only after the decision.")
    ratings = serializers.SerializerMethodField(help_text="While others rate, one's own only.")
    reviews = RiskReviewOut(many=True)

    @extend_schema_field(RatedModeOut(many=True))
    def get_modes(self, risk: Risk) -> list[Any]:
        is_hidden = risk.state == RiskState.RATING
        rows: list[dict[str, Any]] = []
        for mode, ratings, found in risks.spreads(risk):
            shown: Spread | None = None if is_hidden else found
            rows.append({"mode": mode, "raters": len(ratings), "spread": shown})
        return list(RatedModeOut(rows, many=True).data)

    @extend_schema_field(RiskRatingOut(many=True))
    def get_ratings(self, risk: Risk) -> list[Any]:
        reader = self.context["request"].user
        found = risks.visible_ratings(risk, to=reader) if isinstance(reader, User) else []
        return list(RiskRatingOut(found, many=True).data)
