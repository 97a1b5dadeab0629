"""Describe what sources send by number, and what they are answered."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from batches.exchange import sequences
from batches.exchange.models import Gap
from batches.exchange.sources import Thresholds
from compliance import times
from compliance.api_contract.strict_json import MOST_INTEGER
from compliance.wire import In, Moment, Out, Text

KINDS = ("event", "result", "sample")
STATUSES = ["accepted", "repeated", "refused"]


class RecordIn(In):
    """One line: a version of a record, with its number, its times and what it says."""

    id = Text(max_length=120, help_text="The source's own id of the record.")
    version = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    sequence = serializers.IntegerField(
        min_value=1, max_value=MOST_INTEGER, required=False,
        help_text="The source's own count of what it sent.",
    )  # fmt: skip
    kind = serializers.ChoiceField(choices=KINDS)
    batch = Text(max_length=60)
    observed_at = Text(
        max_length=40,
        help_text="ISO 8601 with its offset, kept as sent; without one only beside `zone`.",
    )
    zone = Text(max_length=60, required=False, help_text="IANA zone of a clock without an offset.")
    sent_at = Moment(required=False)
    backfilled = serializers.BooleanField(default=False)
    reason = Text(max_length=1000, default="", help_text="Why it was corrected; from version 2 on.")
    corrected_by = Text(max_length=100, default="", help_text="Who corrected it at the source.")
    data = serializers.DictField(help_text="As the endpoint of its kind takes it, without times.")  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        text, zone = attrs["observed_at"], attrs.get("zone")
        try:
            attrs["moment"] = times.parse_local(text, zone=zone) if zone else times.parse(text)
        except times.NotAMoment as error:
            raise serializers.ValidationError({"observed_at": str(error)}) from error
        return attrs


class LineErrorOut(Out):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class LineOut(Out):
    """What became of one line; the last line of the answer has the summary instead."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=STATUSES)
    id = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True)
    content_digest = serializers.CharField(required=False)
    recorded_at = serializers.DateTimeField(required=False)
    flags = serializers.ListField(child=serializers.CharField(), required=False)
    code = serializers.CharField(required=False, help_text="Of a refusal: stable.")
    status = serializers.IntegerField(required=False)
    detail = serializers.CharField(required=False)
    errors = LineErrorOut(many=True, required=False)  # type: ignore[assignment]


class SourceOut(Out):
    source = serializers.CharField(source="code")  # type: ignore[assignment]
    device = serializers.CharField(source="device.name")
    description = serializers.CharField()
    late_after_s = serializers.IntegerField()
    backfilled_after_s = serializers.IntegerField()
    clock_skew_s = serializers.IntegerField()
    registered_at = serializers.DateTimeField()


class SourceDetailOut(SourceOut):
    next_expected = serializers.IntegerField(help_text="The first number that has not come.")
    highest = serializers.IntegerField()
    open_gaps = serializers.IntegerField()


class ThresholdsIn(In):
    late_after_s = serializers.IntegerField(min_value=1, default=Thresholds.late_after_s)
    backfilled_after_s = serializers.IntegerField(
        min_value=1, default=Thresholds.backfilled_after_s
    )
    clock_skew_s = serializers.IntegerField(min_value=1, default=Thresholds.clock_skew_s)
    reason = Text(max_length=1000)

    @property
    def thresholds(self) -> Thresholds:
        said = self.validated_data
        return Thresholds(said["late_after_s"], said["backfilled_after_s"], said["clock_skew_s"])


class SourceIn(ThresholdsIn):
    code = Text(
        max_length=60,
        validators=[
            RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._:-]*\Z", "letters, digits and . _ : - only")
        ],
    )
    device = Text(max_length=60, help_text="Name of the device that brings it.")
    description = Text(max_length=200, allow_blank=True, default="")


class GapOut(Out):
    id = serializers.IntegerField()
    first = serializers.IntegerField()
    last = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="How many have not come.")
    numbers = serializers.SerializerMethodField(help_text="The first 1,000 that have not come.")
    state = serializers.ChoiceField(choices=["open", "closed", "explained"])
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    explanation = serializers.CharField()

    def get_numbers(self, gap: Gap) -> list[int]:
        return sequences.missing_of(gap) if gap.missing else []


class GapExplanationIn(In):
    reason = Text(max_length=1000)


class WindowIn(In):
    first = serializers.IntegerField(min_value=1, required=False)
    last = serializers.IntegerField(min_value=1, required=False)
    start = Moment(required=False)
    end = Moment(required=False)


class ReconciliationOut(Out):
    count = serializers.IntegerField()
    rolling_hash = serializers.CharField(help_text="See docs/streams.md for the algorithm.")
