"""Describe how signatures under quality's records go over the wire (21 CFR 11.50)."""

from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.signatures import signing
from compliance.signatures.models import Signature
from compliance.wire import In, Out, Text


class SigningIn(In):
    password = Text(max_length=200, write_only=True)


class SigningWithReasonIn(SigningIn):
    reason = Text(max_length=2000)


class WithReasonIn(In):
    reason = Text(max_length=2000)


class WithTextIn(In):
    text = Text(max_length=20_000)


class SignatureOut(Out):
    """A signature as it is shown: printed name, time and meaning (21 CFR 11.50)."""

    printed_name = serializers.CharField()
    username = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_digest = serializers.CharField()
    is_current = serializers.SerializerMethodField(
        help_text="False when the record was changed after it was signed."
    )

    def get_is_current(self, signature: Signature) -> bool:
        return bool(signature.record_digest == self.context["digest"])


class Signed(serializers.Serializer[Any]):
    """A record that answers with the signatures under it."""

    signatures = serializers.SerializerMethodField()

    @extend_schema_field(SignatureOut(many=True))
    def get_signatures(self, record: models.Model) -> list[dict[str, Any]]:
        found = signing.of(record)
        digest = signing.digest(record) if found else ""
        return list(SignatureOut(found, many=True, context={"digest": digest}).data)
