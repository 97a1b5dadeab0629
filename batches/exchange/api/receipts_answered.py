"""Describe what is answered to “did you get this?”."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.exchange.api.answered import ProofOut, ReceiptOut
from batches.exchange.models import SourceRecord
from compliance.wire import Out


class ReceiptPageOut(Out):
    """A page of receipts of writes."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ReceiptOut(many=True)


class RecordVersionOut(Out):
    version = serializers.IntegerField()
    sequence = serializers.IntegerField(allow_null=True)
    kind = serializers.CharField()
    content_digest = serializers.CharField(help_text="SHA-256; docs/streams.md says of what.")
    observed_text = serializers.CharField()
    observed_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    flags = serializers.ListField(child=serializers.CharField())
    doubts = serializers.CharField(help_text="Which threshold of the source was passed.")
    reason = serializers.CharField()
    corrected_by = serializers.CharField()
    subject = serializers.CharField(help_text="Table and number of what was recorded.")
    proof = serializers.SerializerMethodField()

    @extend_schema_field(ProofOut(allow_null=True))
    def get_proof(self, record: SourceRecord) -> Any:
        found = self.context["proofs"].get(record.pk)
        return None if found is None else ProofOut(found).data


class RecordReceiptOut(Out):
    id = serializers.CharField()
    is_received = serializers.BooleanField()
    versions = RecordVersionOut(many=True)


class RecordReceiptsOut(Out):
    """Receipts of records, one for each id that was asked for."""

    source = serializers.CharField()  # type: ignore[assignment]
    records = RecordReceiptOut(many=True)
