"""Describe how equipment goes over the wire."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.assets import equipment, running_hours
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment, Stage
from compliance.access.models import Procedure
from compliance.wire import In, Moment, Out, Text


class EquipmentNeedsIn(In):
    location = Text(max_length=100)
    calibration_interval_days = serializers.IntegerField(min_value=1, allow_null=True, default=None)
    dirty_hold_hours = serializers.IntegerField(min_value=0, allow_null=True, default=None)
    clean_hold_hours = serializers.IntegerField(min_value=0, allow_null=True, default=None)
    service_after_hours = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class EquipmentAmendIn(EquipmentNeedsIn):
    reason = Text(max_length=1000)


class EquipmentIn(EquipmentNeedsIn):
    code = Text(max_length=40)
    name = Text(max_length=200)
    kind = serializers.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40, help_text="Its class, e.g. bioreactor."
    )
    manufacturer = Text(max_length=100)
    model = Text(max_length=100)
    serial_number = Text(max_length=100)
    needed_stages = serializers.ListField(
        child=Text(max_length=2), min_length=1, default=lambda: list(Stage.values),
        help_text="Of iq, oq and pq.",
    )  # fmt: skip
    is_cleaned = serializers.BooleanField(default=False)

    def validate_needed_stages(self, stages: list[str]) -> str:
        if unknown := sorted(set(stages) - set(Stage.values)):
            raise serializers.ValidationError(f"no stages: {', '.join(unknown)}")
        return ",".join(dict.fromkeys(stages))


class EquipmentStateIn(In):
    act = serializers.ChoiceField(choices=["withdraw", "take-out", "return", "retire"])
    reason = Text(max_length=1000)

    def validate_act(self, act: str) -> Step:
        return Step[act.replace("-", "_").upper()]


class CareReasonIn(In):
    reason = Text(max_length=1000)


class CareSignatureIn(In):
    password = Text(max_length=200, write_only=True)


class EquipmentDeclarationIn(CareSignatureIn):
    reason = Text(max_length=1000)


class EquipmentUseIn(In):
    purpose = Text(max_length=200)
    campaign = Text(max_length=100, default="", allow_blank=True)
    product = Text(max_length=100, default="", allow_blank=True)
    used_from = Moment(required=False)
    used_until = Moment(required=False)


class EquipmentUseEndIn(In):
    used_until = Moment(required=False)


class QualificationIn(In):
    stage = serializers.ChoiceField(choices=Stage.choices)
    protocol = Text(max_length=100)
    report = Text(max_length=100)
    summary = Text(max_length=20_000)
    performed_on = serializers.DateField()
    valid_until = serializers.DateField(required=False)


class EquipmentPartIn(In):
    manufacturer = Text(max_length=100)
    model = Text(max_length=100)
    serial_number = Text(max_length=100)


class PartChangeIn(In):
    component = Text(max_length=100)
    old = EquipmentPartIn()
    new = EquipmentPartIn()
    is_like_for_like = serializers.BooleanField()
    change_reference = Text(max_length=60, default="", allow_blank=True)
    changed_at = Moment()
    reason = Text(max_length=1000)


class CalibrationIn(In):
    performed_at = Moment()
    as_found = Text(max_length=200)
    as_found_in_tolerance = serializers.BooleanField()
    as_left = Text(max_length=200)
    as_left_in_tolerance = serializers.BooleanField()
    reference_standard = Text(max_length=100)
    certificate = Text(max_length=100)


class CalibrationDueDateIn(In):
    due_on = serializers.DateField()
    reason = Text(max_length=1000)


class CleaningIn(In):
    procedure = Text(max_length=40, help_text="Code of the cleaning procedure.")
    next_product = Text(max_length=100, default="", allow_blank=True)
    remark = Text(max_length=2000, default="", allow_blank=True)

    def validate_procedure(self, code: str) -> Procedure:
        return get_object_or_404(Procedure, code=code)


class CleaningCheckIn(In):
    is_clean = serializers.BooleanField()
    reason = Text(max_length=1000)


class EquipmentOut(Out):
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    location = serializers.CharField()
    manufacturer = serializers.CharField()
    model = serializers.CharField()
    serial_number = serializers.CharField()
    state = serializers.CharField()
    needed_stages = serializers.ListField(child=serializers.CharField(), source="stages")
    qualified_until = serializers.DateField(allow_null=True)
    calibration_interval_days = serializers.IntegerField(allow_null=True)
    calibration_due_on = serializers.DateField(allow_null=True)
    cleaning_state = serializers.CharField()
    clean_until = serializers.DateTimeField(allow_null=True)
    dirty_hold_hours = serializers.IntegerField(allow_null=True)
    clean_hold_hours = serializers.IntegerField(allow_null=True)
    service_after_hours = serializers.IntegerField(allow_null=True)


class EquipmentDetailOut(EquipmentOut):
    objections = serializers.SerializerMethodField(help_text="What stands against its use now.")
    running_hours = serializers.SerializerMethodField(help_text="Since it was last serviced.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_objections(self, record: Equipment) -> list[str]:
        return equipment.objections(record, at=self.context["at"])

    def get_running_hours(self, record: Equipment) -> str:
        return str(running_hours.in_hours(record, at=self.context["at"]))


class EquipmentUseOut(Out):
    id = serializers.IntegerField()
    purpose = serializers.CharField()
    campaign = serializers.CharField()
    product = serializers.CharField()
    used_from = serializers.DateTimeField()
    used_until = serializers.DateTimeField(allow_null=True)
    used_by = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class LogBookPeriodIn(In):
    """Which lines of a log book are read."""

    since = Moment(required=False)
    until = Moment(required=False)
    newest = serializers.IntegerField(min_value=1, max_value=10_000, default=1000)


class LogEntryOut(Out):
    at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    kind = serializers.CharField()
    text = serializers.CharField()
    by = serializers.CharField()
    checked_by = serializers.CharField()
    is_in_order = serializers.BooleanField()


class Username(serializers.CharField):
    """A person by username, or null."""

    def to_representation(self, value: Any) -> str:
        return str(value.username)


class QualificationOut(Out):
    id = serializers.IntegerField()
    stage = serializers.CharField()
    protocol = serializers.CharField()
    report = serializers.CharField()
    summary = serializers.CharField()
    performed_on = serializers.DateField()
    performed_by = Username()
    valid_until = serializers.DateField(allow_null=True)
    approved_by = Username(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)


class PartChangeOut(Out):
    id = serializers.IntegerField()
    component = serializers.CharField()
    old_manufacturer = serializers.CharField()
    old_model = serializers.CharField()
    old_serial_number = serializers.CharField()
    new_manufacturer = serializers.CharField()
    new_model = serializers.CharField()
    new_serial_number = serializers.CharField()
    is_like_for_like = serializers.BooleanField()
    change_reference = serializers.CharField()
    reason = serializers.CharField()
    changed_at = serializers.DateTimeField()
    changed_by = Username()


class CalibrationOut(Out):
    id = serializers.IntegerField()
    performed_at = serializers.DateTimeField()
    performed_by = Username()
    as_found = serializers.CharField()
    as_found_in_tolerance = serializers.BooleanField()
    as_left = serializers.CharField()
    as_left_in_tolerance = serializers.BooleanField()
    reference_standard = serializers.CharField()
    certificate = serializers.CharField()
    due_on = serializers.DateField()
    verified_by = Username(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    deviation = serializers.CharField(
        source="deviation.number", allow_null=True, default=None
    )  # about the uses in doubt


class CleaningOut(Out):
    id = serializers.IntegerField()
    procedure_version = serializers.CharField()
    is_changeover = serializers.BooleanField()
    previous_product = serializers.CharField()
    next_product = serializers.CharField()
    dirty_since = serializers.DateTimeField(allow_null=True)
    is_dirty_hold_exceeded = serializers.BooleanField()
    remark = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    performed_by = Username()
    outcome = serializers.CharField()
    verified_by = Username(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
