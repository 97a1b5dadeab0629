"""Describe what is answered about batches, events, readings, samples and results."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.exchange.models import Receipt
from batches.execution.models import Batch
from compliance.wire import Instant, Out


class PhaseOut(Out):
    order = serializers.IntegerField()
    unit_procedure = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()
    started_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)


class BatchOut(Out):
    number = serializers.CharField()
    product = serializers.CharField(source="recipe.product.code")
    recipe_version = serializers.IntegerField(source="recipe.version")
    recipe_digest = serializers.CharField()
    state = serializers.CharField()
    disposition = serializers.CharField()
    issued_at = Instant()
    started_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)


class BatchDetailOut(BatchOut):
    phases = serializers.SerializerMethodField()
    deviations = serializers.SerializerMethodField()

    @extend_schema_field(PhaseOut(many=True))
    def get_phases(self, batch: Batch) -> list[dict[str, Any]]:
        return list(PhaseOut(batch.phases.order_by("order"), many=True).data)

    def get_deviations(self, batch: Batch) -> list[str]:
        return list(batch.deviations.order_by("number").values_list("number", flat=True))


class EventOut(Out):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    phase = serializers.CharField()
    text = serializers.CharField()
    performed_by = serializers.CharField()
    tag = serializers.CharField()
    value = serializers.CharField()
    unit = serializers.CharField()
    details = serializers.DictField()
    occurred_at = Instant()
    occurred_text = serializers.CharField()
    sent_at = Instant(allow_null=True)
    recorded_at = Instant()
    is_late = serializers.BooleanField()
    is_backfilled = serializers.BooleanField()
    is_zone_assumed = serializers.BooleanField()
    device = serializers.CharField(source="source.name", default=None, allow_null=True)
    message_id = serializers.CharField()


class SegmentOut(Out):
    id = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Samples that were stored now.")
    repeated = serializers.IntegerField(help_text="They were here already, with the same value.")
    conflicting = serializers.IntegerField(
        help_text="They were here already, with another value: kept beside, and flagged."
    )
    first_at = Instant()
    last_at = Instant()
    merkle_root = serializers.CharField(
        source="root", help_text="Merkle root over the samples, in order."
    )
    content_digest = serializers.CharField()
    is_backfilled = serializers.BooleanField()
    recorded_at = Instant()


class StoredOut(SegmentOut):
    next_expected = serializers.IntegerField(
        allow_null=True, help_text="Of the source that the post names: its next number."
    )


class PointOut(Out):
    at = Instant()
    value = serializers.DecimalField(max_digits=None, decimal_places=None)


class SeriesOut(Out):
    tag = serializers.CharField()
    count = serializers.IntegerField(help_text="How many readings there are.")
    is_thinned = serializers.BooleanField(
        help_text="Only the lowest and the highest of each slice of time are given."
    )
    points = PointOut(many=True)


class NewestOut(Out):
    tag = serializers.CharField()
    at = Instant()
    value = serializers.DecimalField(max_digits=None, decimal_places=None)
    unit = serializers.CharField()


class SampleOut(Out):
    number = serializers.CharField()
    point = serializers.CharField()
    taken_at = Instant()
    taken_by = serializers.CharField()


class ResultOut(Out):
    sample = serializers.CharField(source="sample.number")
    tag = serializers.CharField()
    version = serializers.IntegerField()
    value = serializers.CharField(source="value_text")
    unit = serializers.CharField()
    analyst = serializers.CharField()
    reported_at = Instant()
    recorded_at = Instant()
    reason = serializers.CharField()


class ProofOut(Out):
    """Entry and digest at once; the rest when a checkpoint covers it."""

    entry_id = serializers.IntegerField()
    entry_digest = serializers.CharField()
    index = serializers.IntegerField(allow_null=True, help_text="Of the leaf; null until sealed.")
    previous = serializers.CharField(help_text="Chain head before the leaf; part of its hash.")
    tree_size = serializers.IntegerField(allow_null=True)
    path = serializers.ListField(child=serializers.CharField(), help_text="Inclusion proof.")
    checkpoint = serializers.CharField(help_text="Signed note whose root the path leads to.")


class ReceiptOut(Out):
    sender = serializers.CharField(source="sender_name")
    idempotency_key = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    request_digest = serializers.CharField()
    status = serializers.IntegerField()
    answer = serializers.CharField(help_text="The answer, byte for byte.")
    act = serializers.CharField()
    recorded_at = Instant()
    proof = serializers.SerializerMethodField()

    @extend_schema_field(ProofOut(allow_null=True))
    def get_proof(self, receipt: Receipt) -> Any:
        found = self.context.get("proofs", {}).get(receipt.pk)
        return None if found is None else ProofOut(found).data
