"""Describe how second factors go over the wire."""

from rest_framework import serializers

from compliance.signin.models import FactorKind
from compliance.wire import In, Out, Text


class GiveIn(In):
    code = Text(max_length=40, required=False, write_only=True)
    answer = serializers.JSONField(required=False, help_text="What the security key answered.")


class StandingOut(Out):
    lacks = serializers.CharField(
        allow_null=True, help_text="What the session needs before anything else; null: nothing."
    )
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=FactorKind.choices))
    options = serializers.JSONField(
        allow_null=True, help_text="For navigator.credentials.get(); null without a security key."
    )


class FactorOut(Out):
    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=FactorKind.choices)
    name = serializers.CharField()
    enrolled_at = serializers.DateTimeField()
    tested_at = serializers.DateTimeField()


class AppIn(In):
    secret = Text(max_length=64, write_only=True, help_text="Base32, as `GET` offered it.")
    code = Text(max_length=10, write_only=True)
    name = Text(max_length=100)
    password = Text(max_length=200, write_only=True)


class OwnOut(Out):
    factors = FactorOut(many=True)
    secret = serializers.CharField(help_text="For a new authenticator app, until it is enrolled.")
    address = serializers.CharField(help_text="The same as an otpauth address, for a QR code.")


class RemoveIn(In):
    reason = Text(max_length=1000)
