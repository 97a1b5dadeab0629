"""Describe what plants and laboratories post."""

from typing import Any

from rest_framework import serializers

from batches.execution.models import EventKind
from compliance import times
from compliance.trail.tlog import canonical
from compliance.wire import In, Moment, Text


class BatchIn(In):
    number = Text(max_length=60)
    product = Text(max_length=40, help_text="Code of the product; its effective recipe is issued.")


class EventIn(In):
    kind = serializers.ChoiceField(choices=EventKind.choices)
    occurred_at = Text(
        max_length=40,
        help_text="ISO 8601 with its zone, kept as sent; without a zone only beside `zone`.",
    )
    zone = Text(
        max_length=60,
        required=False,
        help_text="IANA zone of a source whose times have none; recorded as assumed.",
    )
    sent_at = Moment(required=False)
    phase = Text(max_length=100, allow_blank=True, default="")
    text = Text(max_length=20_000, allow_blank=True, default="")
    performed_by = Text(max_length=100, allow_blank=True, default="")
    tag = Text(max_length=60, allow_blank=True, default="")
    value = Text(max_length=60, allow_blank=True, default="")
    unit = Text(max_length=30, allow_blank=True, default="")
    details = serializers.DictField(required=False)
    backfilled = serializers.BooleanField(default=False)
    message_id = Text(
        max_length=120,
        required=False,
        help_text="The source's own id of this record; without it, the Idempotency-Key.",
    )

    def validate_details(self, value: Any) -> Any:
        try:
            canonical.dumps(value)
        except canonical.NotCanonical as error:
            raise serializers.ValidationError(str(error)) from error
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the moment; the source's own text stays beside it."""
        text, zone = attrs.pop("occurred_at"), attrs.pop("zone", None)
        try:
            moment = times.parse_local(text, zone=zone) if zone else times.parse(text)
        except times.NotAMoment as error:
            raise serializers.ValidationError({"occurred_at": str(error)}) from error
        attrs["is_backfilled"] = attrs.pop("backfilled")
        return {
            **attrs,
            "occurred_at": moment,
            "occurred_text": text,
            "is_zone_assumed": zone is not None,
        }


class SampleIn(In):
    number = Text(max_length=80)
    taken_at = Moment()
    point = Text(max_length=100, allow_blank=True, default="")
    taken_by = Text(max_length=100, allow_blank=True, default="")


class ResultIn(In):
    sample = Text(max_length=80)
    tag = Text(max_length=60)
    value = Text(max_length=40, help_text="As reported: trailing zeros are data.")
    unit = Text(max_length=30)
    reported_at = Moment()
    analyst = Text(max_length=100, allow_blank=True, default="")
    version = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    reason = Text(
        max_length=1000, allow_blank=True, default="", help_text="Needed from version 2 on."
    )
    message_id = Text(max_length=120, required=False)


class LinkIn(In):
    deviation = Text(max_length=40, help_text="Number of the deviation.")
    reason = Text(max_length=1000)


class ReadingIn(In):
    """One line of a post of readings."""

    tag = Text(max_length=60)
    at = Moment()
    value = serializers.DecimalField(max_digits=None, decimal_places=None)
    unit = Text(max_length=30)
