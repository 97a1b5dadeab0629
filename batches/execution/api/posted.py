"""Describe what people post about a batch that is made."""

from typing import Any

from rest_framework import serializers

from batches.execution.models import ExaminationKind
from batches.execution.states import PhaseStep
from compliance.wire import In, Moment, Text

MOVES = [step.name.lower() for step in PhaseStep if step not in (PhaseStep.ENTER, PhaseStep.VERIFY)]


class LateIn(In):
    """Why so late, and who saw it: the second person gives name and password."""

    reason = Text(max_length=1000)
    witness = Text(max_length=60, help_text="User name of whoever saw it done.")
    password = Text(max_length=200, write_only=True, help_text="The witness's own.")


class EntryIn(In):
    performed_at = Moment(required=False, help_text="When it was done; without it, now.")
    late = LateIn(required=False)


class MoveIn(EntryIn):
    step = serializers.ChoiceField(choices=MOVES)
    text = Text(max_length=2000, allow_blank=True, default="", help_text="Why, of a hold or abort.")


class SignIn(In):
    password = Text(max_length=200, write_only=True)
    comment = Text(max_length=1000, allow_blank=True, default="")


class InProcessIn(EntryIn):
    phase = serializers.IntegerField(min_value=1, required=False, help_text="Its order.")
    tag = Text(max_length=60)
    value = Text(max_length=60, help_text="As read: trailing zeros are data.")
    unit = Text(max_length=30)
    convert = serializers.BooleanField(
        default=False, help_text="Take another unit of the same kind, and record both."
    )
    override_reason = Text(max_length=1000, allow_blank=True, default="")


class ChargeIn(EntryIn):
    line = serializers.IntegerField(min_value=1, help_text="Of the bill of materials.")
    lot = Text(max_length=60)
    net = Text(max_length=40)
    unit = Text(max_length=30)
    gross = Text(max_length=40, required=False)
    tare = Text(max_length=40, required=False)
    scale = Text(max_length=40, required=False, help_text="Code of the balance.")
    convert = serializers.BooleanField(default=False)
    override_reason = Text(max_length=1000, allow_blank=True, default="")
    verifier = Text(max_length=60, help_text="User name of the second person.")
    password = Text(max_length=200, write_only=True, help_text="The verifier's own.")


class MaterialAccountIn(EntryIn):
    line = serializers.IntegerField(min_value=1, help_text="Of the bill of materials.")
    lot = Text(max_length=60)
    issued = Text(max_length=40)
    unit = Text(max_length=30)
    returned = Text(max_length=40, default="0")
    wasted = Text(max_length=40, default="0")


class BatchEquipmentIn(EntryIn):
    phase = serializers.IntegerField(min_value=1, help_text="Its order.")
    equipment = Text(max_length=40)
    need = Text(max_length=100, required=False, help_text="As the recipe names it.")


class YieldIn(In):
    phase = serializers.IntegerField(min_value=1, help_text="Its order.")
    value = Text(max_length=40)
    unit = Text(max_length=30)


class ExaminationIn(EntryIn):
    phase = serializers.IntegerField(min_value=1, help_text="Its order.")
    kind = serializers.ChoiceField(choices=ExaminationKind.choices)
    is_conforming = serializers.BooleanField()
    finding = Text(max_length=4000)


class RemarkIn(In):
    phase = serializers.IntegerField(min_value=1, required=False, help_text="Its order.")
    text = Text(max_length=4000)


class AssessmentIn(In):
    assessment = Text(max_length=4000)
    password = Text(max_length=200, write_only=True)


class InvestigatedIn(In):
    deviation = Text(max_length=40)


class ProducedIn(In):
    lot = Text(max_length=60)


class FileIn(In):
    file = serializers.FileField()
    title = Text(max_length=200)
    phase = serializers.IntegerField(min_value=1, required=False)


class LabelUseIn(EntryIn):
    phase = serializers.IntegerField(min_value=1)
    code = Text(max_length=60, help_text="Of the label.")
    issued = serializers.IntegerField(min_value=0)
    used = serializers.IntegerField(min_value=0)
    returned = serializers.IntegerField(min_value=0, default=0)
    destroyed = serializers.IntegerField(min_value=0, default=0)
    sampled = serializers.IntegerField(min_value=0, default=0)
    specimen = serializers.FileField()


def read(form: type[In], data: Any) -> dict[str, Any]:
    """Return what was posted, or raise what is wrong with it."""
    body = form(data=data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
