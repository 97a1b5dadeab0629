"""Describe explanations as they go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.wire import Out
from twins.explanations import outputs
from twins.explanations.models import Explanation


class AlertExplanationOut(Out):
    """What the alarm of an alert may be, of the rows of one prediction; a person decides.

    `likeliest`, `weight`, `verdict` and `proposed` are filled when the state is `explained`, `refusal`
    and `problem` when it could not be.
    """

    id = serializers.IntegerField()
    alert = serializers.IntegerField(source="alert_id")
    batch = serializers.CharField(source="alert.batch.number")
    prediction = serializers.IntegerField(source="prediction_id")
    model_version = serializers.IntegerField(source="prediction.model_version_id")
    as_of = serializers.DateTimeField(source="prediction.as_of")
    state = serializers.CharField()
    is_trial = serializers.BooleanField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    verdict = serializers.CharField(help_text="process, probe, normal, none or undecided")
    likeliest = serializers.CharField()
    weight = serializers.CharField()
    proposed = serializers.CharField(help_text="major, minor or undecided; empty without an impact")
    refusal = serializers.CharField(help_text="code of the refusal")
    problem = serializers.CharField()
    rows_digest = serializers.CharField(source="prediction.input_digest")
    input_digest = serializers.CharField()
    output_digest = serializers.CharField()
    code_digest = serializers.CharField()


class AlertExplanationDetailOut(AlertExplanationOut):
    """An explanation with its whole answer; numbers in it are the decimal strings that are hashed."""

    seed = serializers.IntegerField()
    environment = serializers.DictField(child=serializers.CharField())
    answer = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"]})
    def get_answer(self, explanation: Explanation) -> dict[str, Any] | None:
        return outputs.document(explanation) if explanation.output else None
