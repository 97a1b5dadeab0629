"""Describe explanations as they go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from twins.explanations import outputs
from twins.explanations.models import Explanation
from twins.predictions.asked.wire import AskedOut


class AlertExplanationOut(AskedOut):
    """What the alarm of an alert may be, of the rows of one prediction; a person decides.

    `likeliest`, `weight`, `verdict` and `proposed` are filled when the state is `explained`, `refusal`
    and `problem` when it could not be.
    """

    verdict = serializers.CharField(help_text="process, probe, normal, none or undecided")
    likeliest = serializers.CharField()
    weight = serializers.CharField()
    proposed = serializers.CharField(help_text="major, minor or undecided; empty without an impact")
    rows_digest = serializers.CharField(source="prediction.input_digest")
    code_digest = serializers.CharField()


class AlertExplanationDetailOut(AlertExplanationOut):
    """An explanation with its whole answer; numbers in it are the decimal strings that are hashed."""

    seed = serializers.IntegerField()
    environment = serializers.DictField(child=serializers.CharField())
    answer = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"]})
    def get_answer(self, explanation: Explanation) -> dict[str, Any] | None:
        return outputs.document(explanation) if explanation.output else None
