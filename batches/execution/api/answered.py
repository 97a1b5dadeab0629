"""Describe what is answered about the record of a batch."""

from rest_framework import serializers

from batches.execution.models import BatchPhase
from batches.execution.states import PHASE_ALLOWED
from compliance.wire import Out


def _name(source: str) -> serializers.CharField:
    return serializers.CharField(source=f"{source}.username", default=None, allow_null=True)


class PhaseRecordOut(Out):
    order = serializers.IntegerField()
    unit_procedure = serializers.CharField()
    operation = serializers.CharField()
    name = serializers.CharField()
    instruction = serializers.CharField()
    procedure = serializers.CharField()
    state = serializers.CharField()
    needs_verification = serializers.BooleanField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    started_by = _name("started_by")
    ended_by = _name("ended_by")
    verified_by = _name("verified_by")
    verified_at = serializers.DateTimeField(allow_null=True)
    possible = serializers.SerializerMethodField(help_text="What may be asked of it now.")

    def get_possible(self, phase: BatchPhase) -> list[str]:
        return sorted(step.name.lower() for step in PHASE_ALLOWED[phase.state])


class PerformedOut(Out):
    id = serializers.IntegerField()
    performed_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    performed_by = _name("performed_by")
    late_reason = serializers.CharField()
    witness = _name("witness")


class InProcessOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order", default=None, allow_null=True)
    tag = serializers.CharField(source="parameter.tag")
    value = serializers.CharField(source="value_text")
    unit = serializers.CharField()
    given_value = serializers.CharField()
    given_unit = serializers.CharField()
    standing = serializers.CharField()
    override_reason = serializers.CharField()
    verified_by = _name("verified_by")
    verified_at = serializers.DateTimeField(allow_null=True)


class ChargeOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order")
    line = serializers.IntegerField(source="material.line")
    material = serializers.CharField(source="material.material_code")
    lot = serializers.CharField(source="lot.number")
    gross = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    tare = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    net = serializers.DecimalField(max_digits=None, decimal_places=None)
    unit = serializers.CharField()
    given = serializers.CharField()
    scale = serializers.CharField(source="scale_used.code", default=None, allow_null=True)
    verified_by = _name("verified_by")
    override_reason = serializers.CharField()


class MaterialAccountOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order")
    line = serializers.IntegerField(source="material.line")
    material = serializers.CharField(source="material.material_code")
    lot = serializers.CharField(source="lot.number")
    issued = serializers.DecimalField(max_digits=None, decimal_places=None)
    charged = serializers.DecimalField(max_digits=None, decimal_places=None)
    returned = serializers.DecimalField(max_digits=None, decimal_places=None)
    wasted = serializers.DecimalField(max_digits=None, decimal_places=None)
    difference = serializers.DecimalField(max_digits=None, decimal_places=None)
    unit = serializers.CharField()
    limit_percent = serializers.DecimalField(max_digits=None, decimal_places=None)
    reconciliation = serializers.CharField(source="reconciliation.result")
    is_within = serializers.BooleanField(source="reconciliation.is_within")
    verified_by = _name("verified_by")


class BatchEquipmentOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order")
    equipment = serializers.CharField(source="equipment.code")
    kind = serializers.CharField(source="equipment.kind")
    state = serializers.CharField(source="state_text")
    used_until = serializers.DateTimeField(source="use.used_until", allow_null=True)


class CalculationOut(Out):
    id = serializers.IntegerField()
    phase = serializers.IntegerField(source="phase.order", default=None, allow_null=True)
    purpose = serializers.CharField()
    subject = serializers.CharField()
    formula = serializers.CharField()
    formula_version = serializers.IntegerField()
    inputs = serializers.DictField()
    rounding = serializers.CharField()
    result = serializers.CharField()
    recomputed = serializers.CharField(help_text="By the second, separate evaluation.")
    unit = serializers.CharField()
    low = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    high = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    is_within = serializers.BooleanField()
    computed_by = _name("computed_by")
    computed_at = serializers.DateTimeField()


class ExaminationOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order")
    kind = serializers.CharField()
    is_conforming = serializers.BooleanField()
    finding = serializers.CharField()
    verified_by = _name("verified_by")


class LabelUseOut(PerformedOut):
    phase = serializers.IntegerField(source="phase.order")
    code = serializers.CharField(source="label.code")
    issued = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    destroyed = serializers.IntegerField()
    sampled = serializers.IntegerField()
    specimen = serializers.CharField(source="specimen.sha256")
    reconciliation = serializers.CharField(source="reconciliation.result")
    verified_by = _name("verified_by")


class ExceptionOut(Out):
    id = serializers.IntegerField()
    phase = serializers.IntegerField(source="phase.order", default=None, allow_null=True)
    kind = serializers.CharField()
    subject = serializers.CharField()
    clause = serializers.CharField()
    text = serializers.CharField()
    is_critical = serializers.BooleanField()
    needs_deviation = serializers.BooleanField()
    state = serializers.CharField()
    detected_at = serializers.DateTimeField()
    deviation = serializers.CharField(source="deviation.number", default=None, allow_null=True)
    assessment = serializers.CharField()
    assessed_by = _name("assessed_by")
    assessed_at = serializers.DateTimeField(allow_null=True)


class RemarkOut(Out):
    id = serializers.IntegerField()
    phase = serializers.IntegerField(source="phase.order", default=None, allow_null=True)
    text = serializers.CharField()
    written_by = _name("written_by")
    written_at = serializers.DateTimeField()


class FileOut(Out):
    id = serializers.IntegerField()
    phase = serializers.IntegerField(source="phase.order", default=None, allow_null=True)
    title = serializers.CharField()
    filename = serializers.CharField(source="attachment.filename")
    media_type = serializers.CharField(source="attachment.media_type")
    size = serializers.IntegerField(source="attachment.size")
    sha256 = serializers.CharField(source="attachment.sha256")
    attached_by = _name("attached_by")
    attached_at = serializers.DateTimeField()


class MissingOut(Out):
    clause = serializers.CharField(help_text="Sub-clause of 21 CFR 211.188.")
    text = serializers.CharField()


class LinkOut(Out):
    level = serializers.IntegerField(help_text="Batches between here and there, from 1.")
    batch = serializers.CharField(source="batch.number")
    product = serializers.CharField(source="batch.recipe.product.code")
    lot = serializers.CharField(source="lot.number")
    material = serializers.CharField(source="lot.material.code")


class CheckedOut(Out):
    number = serializers.CharField()
    checked_by = _name("checked_by")
    checked_at = serializers.DateTimeField(allow_null=True)


class ProducedOut(Out):
    lot = serializers.CharField(source="lot.number")
    recorded_by = _name("recorded_by")
    recorded_at = serializers.DateTimeField()
