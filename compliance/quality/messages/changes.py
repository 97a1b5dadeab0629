"""Describe how changes go over the wire."""

from rest_framework import serializers

from compliance.quality import changes
from compliance.quality.messages.signatures import Signed
from compliance.quality.models import Change, ChangeClass, ImpactKind
from compliance.wire import In, Out, Text


class ChangeIn(In):
    title = Text(max_length=200)
    description = Text(max_length=20_000)
    justification = Text(max_length=20_000)
    classification = serializers.ChoiceField(choices=ChangeClass.choices)
    is_emergency = serializers.BooleanField(default=False)
    risk = Text(max_length=40, default="", allow_blank=True)


class ChangeImpactIn(In):
    kind = serializers.ChoiceField(choices=ImpactKind.choices)
    identifier = Text(max_length=120, default="", allow_blank=True)
    is_affected = serializers.BooleanField()
    assessment = Text(max_length=20_000)


class ChangeTaskIn(In):
    text = Text(max_length=20_000)
    owner = Text(max_length=60, help_text="Username.")
    due_on = serializers.DateField()


class ChangeOutcomeIn(In):
    outcome = Text(max_length=20_000)


class ChangeApprovalIn(In):
    function = serializers.ChoiceField(choices=sorted(changes.SPEAKS_FOR))
    comment = Text(max_length=2000, default="", allow_blank=True)
    password = Text(max_length=200, write_only=True)


class ChangeImplementationIn(In):
    effective_on = serializers.DateField()
    reason = Text(max_length=2000)


class ChangeOut(Out):
    number = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    justification = serializers.CharField()
    classification = serializers.CharField()
    state = serializers.CharField()
    is_emergency = serializers.BooleanField()
    requester = serializers.CharField(source="requester.username")
    requested_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    risk = serializers.CharField(source="risk.number", default="")
    emergency_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    effective_on = serializers.DateField(allow_null=True)
    implemented_at = serializers.DateTimeField(allow_null=True)
    review_due_on = serializers.DateField(allow_null=True)
    review = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)


class ChangeImpactOut(Out):
    kind = serializers.CharField()
    identifier = serializers.CharField()
    is_affected = serializers.BooleanField()
    assessment = serializers.CharField()
    assessed_by = serializers.CharField(source="assessed_by.username")
    assessed_at = serializers.DateTimeField()


class ChangeTaskOut(Out):
    id = serializers.IntegerField()
    text = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    due_on = serializers.DateField()
    done_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField()


class ChangeApprovalOut(Out):
    function = serializers.CharField()
    approved_by = serializers.CharField(source="approved_by.username")
    approved_at = serializers.DateTimeField()
    comment = serializers.CharField()


class ChangeDetailOut(ChangeOut, Signed):
    impacts = ChangeImpactOut(many=True)
    tasks = ChangeTaskOut(many=True)
    approvals = ChangeApprovalOut(many=True)
    lacking = serializers.SerializerMethodField(help_text="Functions that have still to agree.")

    def get_lacking(self, change: Change) -> list[str]:
        return changes.lacking(change) if change.is_open else []
