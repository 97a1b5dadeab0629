"""Describe how CAPA go over the wire."""

from rest_framework import serializers

from compliance.quality.messages.signatures import Signed
from compliance.quality.models import Capa, CapaKind, CapaSource
from compliance.wire import In, Out, Text


class CapaIn(In):
    title = Text(max_length=200)
    problem = Text(max_length=20_000)
    kind = serializers.ChoiceField(choices=CapaKind.choices)
    source = serializers.ChoiceField(choices=CapaSource.choices)  # type: ignore[assignment]
    source_text = Text(max_length=20_000, default="", allow_blank=True)
    owner = Text(max_length=60, help_text="Username.")
    due_on = serializers.DateField()
    criterion = Text(max_length=20_000)
    check_due_on = serializers.DateField()
    deviations = serializers.ListField(child=Text(max_length=40), default=list)
    follows = Text(max_length=40, default="", allow_blank=True)


class CapaActionIn(In):
    text = Text(max_length=20_000)
    owner = Text(max_length=60, help_text="Username.")
    due_on = serializers.DateField()


class CapaEvidenceIn(In):
    evidence = Text(max_length=20_000)
    attachment = Text(max_length=64, default="", allow_blank=True, help_text="SHA-256 of a file.")


class CapaPostponementIn(In):
    due_on = serializers.DateField()
    check_due_on = serializers.DateField()
    reason = Text(max_length=2000)


class CapaCheckIn(In):
    is_effective = serializers.BooleanField()
    observed = Text(max_length=20_000)


class CapaOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    source_text = serializers.CharField()
    problem = serializers.CharField()
    state = serializers.CharField()
    author = serializers.CharField(source="author.username")
    owner = serializers.CharField(source="owner.username")
    opened_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    criterion = serializers.CharField()
    check_due_on = serializers.DateField()
    approved_at = serializers.DateTimeField(allow_null=True)
    implemented_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    follows = serializers.CharField(source="follows.number", default="")


class CapaActionOut(Out):
    id = serializers.IntegerField()
    text = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    due_on = serializers.DateField()
    done_at = serializers.DateTimeField(allow_null=True)
    done_by = serializers.CharField(source="done_by.username", default="")
    evidence = serializers.CharField()
    attachment = serializers.CharField(source="attachment.sha256", default="")


class CapaCheckOut(Out):
    is_effective = serializers.BooleanField()
    observed = serializers.CharField()
    checked_by = serializers.CharField(source="checked_by.username")
    checked_at = serializers.DateTimeField()


class CapaDetailOut(CapaOut, Signed):
    deviations = serializers.SerializerMethodField()
    actions = CapaActionOut(many=True)
    checks = CapaCheckOut(many=True)

    def get_deviations(self, capa: Capa) -> list[str]:
        return sorted(one.number for one in capa.deviations.all())
