"""What answers about the laboratory have in common: texts, and signatures as they stand."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.signatures.messages import VerdictOut
from compliance.signatures.verdicts import of_record
from compliance.wire import Out


def text(source: str | None = None, **more: Any) -> serializers.CharField:
    return serializers.CharField(source=source, **more) if source else serializers.CharField(**more)


class WithSignatures(Out):
    signatures = serializers.SerializerMethodField()

    @extend_schema_field(VerdictOut(many=True))
    def get_signatures(self, record: Any) -> list[dict[str, Any]]:
        return list(VerdictOut(of_record(record), many=True).data)
