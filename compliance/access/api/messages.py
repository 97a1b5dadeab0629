"""Describe people, devices and what is on record about them as they go over the wire."""

from typing import Any

from rest_framework import serializers

from compliance.access.duties import Role
from compliance.access.models import (
    Assessment,
    DeviceKind,
    ProofMethod,
    ReviewOutcome,
    TrainingMethod,
)
from compliance.wire import In, Moment, Out, Text

ROLES = [role.value for role in Role]


class AccessReasonIn(In):
    reason = Text(max_length=2000)


# --- People


class PersonIn(In):
    username = serializers.RegexField(r"^[A-Za-z0-9._-]+$", max_length=60)
    full_name = Text(max_length=200)
    password = Text(max_length=200, write_only=True)
    roles = serializers.ListField(child=serializers.ChoiceField(ROLES))
    reason = Text(max_length=2000)


class RoleIn(In):
    role = serializers.ChoiceField(ROLES)
    reason = Text(max_length=2000)


class PasswordResetIn(In):
    password = Text(max_length=200, write_only=True)
    reason = Text(max_length=2000)


class LeavingIn(In):
    last_day = serializers.DateField(allow_null=True)
    reason = Text(max_length=2000)


class IdentityProofIn(In):
    method = serializers.ChoiceField(ProofMethod.choices)
    document = Text(max_length=200)
    proven_at = Moment()


class IdentityProofOut(Out):
    id = serializers.IntegerField()
    method = serializers.CharField()
    document = serializers.CharField()
    proven_by = serializers.CharField(source="proven_by_name")
    proven_at = Moment()
    withdrawn_at = Moment(allow_null=True)


class PersonOut(Out):
    username = serializers.CharField()
    full_name = serializers.CharField()
    is_active = serializers.BooleanField()
    roles = serializers.SerializerMethodField()
    must_change_password = serializers.BooleanField()
    leaves_on = serializers.DateField(allow_null=True)
    created_at = Moment()

    def get_roles(self, person: Any) -> list[str]:
        return sorted(one.role for one in person.role_assignments.all() if one.ended_at is None)


class HeldRoleOut(Out):
    role = serializers.CharField()
    granted_at = Moment()
    ended_at = Moment(allow_null=True)


class PersonDetailOut(PersonOut):
    identity_proofs = IdentityProofOut(many=True)
    role_history = HeldRoleOut(many=True, source="role_assignments")


class SessionRecordOut(Out):
    id = serializers.IntegerField()
    username = serializers.CharField(source="person.username")
    opened_at = Moment()
    address = serializers.CharField()
    program = serializers.CharField(source="agent")
    ended_at = Moment(allow_null=True)
    ended_why = serializers.CharField()


class AccessEventOut(Out):
    id = serializers.CharField()
    at = Moment()
    kind = serializers.CharField()
    username = serializers.CharField()
    detail = serializers.CharField()
    address = serializers.CharField()


# --- Training


class ProcedureIn(In):
    code = serializers.RegexField(r"^[A-Za-z0-9._-]+$", max_length=40)
    title = Text(max_length=200)


class ProcedureVersionIn(In):
    summary = Text(max_length=4000)
    effective_from = Moment()
    retrain_after_days = serializers.IntegerField(min_value=1, max_value=3660, required=False)
    document_digest = serializers.RegexField(r"^[0-9a-f]{64}$", required=False)


class ProcedureVersionOut(Out):
    version = serializers.IntegerField()
    summary = serializers.CharField()
    effective_from = Moment()
    retrain_after_days = serializers.IntegerField(allow_null=True)
    document_digest = serializers.CharField()


class ProcedureOut(Out):
    code = serializers.CharField()
    title = serializers.CharField()
    retired_at = Moment(allow_null=True)
    versions = ProcedureVersionOut(many=True)
    needed_by = serializers.SerializerMethodField()

    def get_needed_by(self, procedure: Any) -> list[str]:
        return sorted(one.role for one in procedure.curricula.all() if one.ended_at is None)


class CurriculumIn(In):
    role = serializers.ChoiceField(ROLES)


class TrainingIn(In):
    person = Text(max_length=60, help_text="User name.")
    procedure = Text(max_length=40)
    version = serializers.IntegerField(min_value=1)
    method = serializers.ChoiceField(TrainingMethod.choices)
    assessment = serializers.ChoiceField(Assessment.choices)
    remark = Text(max_length=4000, required=False, allow_blank=True)
    trained_at = Moment()
    trained_by = Text(max_length=60, required=False, help_text="User name; left out: you.")
    valid_until = serializers.DateField(required=False)


class TrainingOut(Out):
    id = serializers.IntegerField()
    person = serializers.CharField(source="person.username")
    procedure = serializers.CharField(source="procedure_version.procedure.code")
    version = serializers.IntegerField(source="procedure_version.version")
    method = serializers.CharField()
    assessment = serializers.CharField()
    remark = serializers.CharField()
    trained_by = serializers.CharField(source="trained_by_name")
    trained_at = Moment()
    valid_until = serializers.DateField(allow_null=True)
    acknowledged_at = Moment(allow_null=True)
    withdrawn_at = Moment(allow_null=True)


class LackingTrainingOut(Out):
    person = serializers.CharField(source="person.username")
    procedure = serializers.CharField(source="version.procedure.code")
    version = serializers.IntegerField(source="version.version")
    roles = serializers.ListField(child=serializers.CharField())


# --- Alarms


class AlarmCommentIn(In):
    comment = Text(max_length=2000)


class SecurityAlarmOut(Out):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    text = serializers.CharField()
    about = serializers.CharField()
    about_id = serializers.CharField()
    address = serializers.CharField()
    raised_at = Moment()
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", allow_null=True, default=None
    )
    acknowledged_role = serializers.CharField()
    acknowledged_at = Moment(allow_null=True)
    comment = serializers.CharField()


# --- Reviews


class AccountDecisionIn(In):
    outcome = serializers.ChoiceField(ReviewOutcome.choices)
    reason = Text(max_length=2000)


class AccessReviewConclusionIn(In):
    conclusion = Text(max_length=2000)


class AccessReviewOut(Out):
    number = serializers.CharField()
    state = serializers.CharField()
    due_on = serializers.DateField()
    opened_at = Moment()
    reviewer = serializers.CharField(source="reviewer.username")
    conclusion = serializers.CharField()
    closed_at = Moment(allow_null=True)


class AccessReviewLineOut(Out):
    username = serializers.CharField(source="person.username")
    full_name = serializers.CharField()
    roles = serializers.SerializerMethodField()
    is_active = serializers.BooleanField()
    is_proven = serializers.BooleanField()
    leaves_on = serializers.DateField(allow_null=True)
    last_sign_in_at = Moment(allow_null=True)
    outcome = serializers.CharField()
    reason = serializers.CharField()
    decided_at = Moment(allow_null=True)

    def get_roles(self, line: Any) -> list[str]:
        return [role for role in line.roles.split(",") if role]


class AccessReviewDetailOut(AccessReviewOut):
    lines = AccessReviewLineOut(many=True)


class CertificationLetterIn(In):
    reference = Text(max_length=100)
    sent_on = serializers.DateField()
    addressed_to = Text(max_length=200)


class CertificationLetterOut(Out):
    reference = serializers.CharField()
    sent_on = serializers.DateField()
    addressed_to = serializers.CharField()
    recorded_at = Moment()


# --- Devices


class DeviceIn(In):
    name = Text(max_length=60)
    kind = serializers.ChoiceField(DeviceKind.choices)
    bound_to = Text(max_length=60, required=False, allow_blank=True)
    reason = Text(max_length=2000)


class DeviceQualificationIn(In):
    bound_to = Text(max_length=60, required=False, allow_blank=True)
    until = serializers.DateField(required=False, allow_null=True)
    reason = Text(max_length=2000)


class DeviceDisqualificationIn(In):
    for_good = serializers.BooleanField(default=False)
    reason = Text(max_length=2000)


class DeviceOut(Out):
    name = serializers.CharField()
    kind = serializers.CharField()
    bound_to = serializers.CharField()
    qualification = serializers.CharField()
    qualified_until = serializers.DateField(allow_null=True)
    is_active = serializers.BooleanField()
    enrolled_at = Moment()


class DeviceTokenOut(DeviceOut):
    token = serializers.CharField(help_text="Shown this once.")


# --- Segregation


class RoleConflictOut(Out):
    first = serializers.CharField()
    second = serializers.CharField()
    why = serializers.CharField()


class SegregationRuleOut(Out):
    first = serializers.CharField()
    second = serializers.CharField()
    scope = serializers.CharField()
    clause = serializers.CharField()
    held_by = serializers.CharField()


class SegregationOut(Out):
    conflicts = RoleConflictOut(many=True)
    rules = SegregationRuleOut(many=True)
    duties = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
