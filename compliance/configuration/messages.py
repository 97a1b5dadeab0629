"""What goes over the wire about the configuration."""

from rest_framework import serializers

from compliance.wire import In, Out, Text


class ConfigurationAssessmentIn(In):
    assessment = Text(max_length=2000)
    change_number = Text(max_length=20, required=False, default="", allow_blank=True)
    password = Text(max_length=200, write_only=True)


class SettingOut(Out):
    name = serializers.CharField()
    value = serializers.CharField()


class ChangedSettingOut(Out):
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class ConfigurationChangeOut(Out):
    number = serializers.CharField()
    state = serializers.CharField()
    found_at = serializers.DateTimeField()
    found_by = serializers.CharField()
    assessment = serializers.CharField()
    change_number = serializers.CharField()
    assessed_by = serializers.CharField(
        source="signature.printed_name", default=None, allow_null=True
    )
    assessed_at = serializers.DateTimeField(
        source="signature.signed_at", default=None, allow_null=True
    )
    settings = ChangedSettingOut(many=True)
