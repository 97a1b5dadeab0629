"""Describe predictions, alerts and model versions as they go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.quality.models import Severity
from compliance.wire import In, Out, Text
from twins.predictions import outputs
from twins.predictions.models import Alert, Prediction


class AnswerIn(In):
    accept = serializers.BooleanField(help_text="True opens a deviation, linked to the batch.")
    reason = Text(max_length=1000)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.MAJOR)


class ModelVersionOut(Out):
    id = serializers.IntegerField()
    name = serializers.CharField()
    code_digest = serializers.CharField()
    parameters_digest = serializers.CharField()
    intended_use = serializers.CharField()
    valid_range = serializers.CharField()
    registered_at = serializers.DateTimeField()


class PredictionOut(Out):
    id = serializers.IntegerField()
    batch = serializers.CharField(source="batch.number")
    model_version = serializers.IntegerField(source="model_version_id")
    as_of = serializers.DateTimeField()
    horizon_h = serializers.IntegerField()
    state = serializers.CharField()
    status = serializers.CharField()
    claimed_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    refusal = serializers.CharField(help_text="code of the refusal")
    problem = serializers.CharField()
    input_digest = serializers.CharField()
    output_digest = serializers.CharField()
    is_trial = serializers.BooleanField()


class PredictionDetailOut(PredictionOut):
    """A prediction with its forecast; numbers in it are the decimal strings that are hashed."""

    seed = serializers.IntegerField()
    environment = serializers.DictField(child=serializers.CharField())
    forecast = serializers.SerializerMethodField()
    alerts = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"]})
    def get_forecast(self, prediction: Prediction) -> dict[str, Any] | None:
        return outputs.document(prediction) if prediction.output else None

    @extend_schema_field({"type": "array", "items": {"type": "integer"}})
    def get_alerts(self, prediction: Prediction) -> list[int]:
        return list(prediction.alerts.order_by("pk").values_list("pk", flat=True))


class AlertOut(Out):
    """A deviation that is predicted, or that a twin sees; the largest contributions first.

    Contributions are [variable, log-odds], or of a watching twin [signal and check, share of the
    score]. An alert of side `odd` is about the batch as a whole; it has no lead time.
    """

    id = serializers.IntegerField()
    batch = serializers.CharField(source="batch.number")
    prediction = serializers.IntegerField(source="prediction_id")
    as_of = serializers.DateTimeField(source="prediction.as_of")
    tag = serializers.CharField()
    side = serializers.CharField()
    limit = serializers.CharField()
    unit = serializers.CharField()
    probability = serializers.CharField()
    impact_probability = serializers.CharField()
    lead_time_h = serializers.CharField()
    lead_time_low_h = serializers.CharField()
    lead_time_high_h = serializers.CharField()
    contributions = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField())
    )
    state = serializers.CharField()
    raised_at = serializers.DateTimeField()
    is_trial = serializers.BooleanField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answered_by = serializers.CharField()
    answer_reason = serializers.CharField()
    deviation = serializers.SerializerMethodField()

    def get_deviation(self, alert: Alert) -> str | None:
        return alert.deviation.number if alert.deviation else None


class RateOut(Out):
    """A count of batches among others, with the exact interval of its share (95 %)."""

    count = serializers.IntegerField()
    of = serializers.IntegerField()
    low = serializers.FloatField(source="interval.low", allow_null=True, default=None)
    high = serializers.FloatField(source="interval.high", allow_null=True, default=None)


class AchievedOut(Out):
    """How a version does in use; `chance` is that of so many false alarms while the contract holds."""

    is_trial = serializers.BooleanField()
    false_alarms = RateOut()
    detected = RateOut()
    contract = serializers.FloatField(allow_null=True)
    chance = serializers.FloatField(allow_null=True)
