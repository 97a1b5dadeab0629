"""Describe how materials, suppliers and lots go over the wire."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.assets import ledger
from batches.assets.equipment_messages import Username
from batches.assets.models import (
    LotState,
    Material,
    MaterialKind,
    MaterialLot,
    MovementKind,
    Supplier,
)
from compliance.wire import In, Moment, Out, Text


class Amount(serializers.DecimalField):
    """A quantity with six decimal places at most."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=20, decimal_places=6, **options)


class MaterialIn(In):
    code = Text(max_length=40)
    name = Text(max_length=200)
    unit = Text(max_length=30, help_text="UCUM code.")
    kind = serializers.ChoiceField(choices=MaterialKind.choices)
    retest_interval_days = serializers.IntegerField(min_value=1, required=False)
    storage_conditions = Text(max_length=200, default="", allow_blank=True)
    largest_receipt = Amount(required=False)
    reconciliation_limit_percent = serializers.DecimalField(
        max_digits=6, decimal_places=3, min_value=0, max_value=100, required=False
    )

    def validate_kind(self, kind: str) -> MaterialKind:
        return MaterialKind(kind)


class MaterialOut(Out):
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    kind = serializers.CharField()
    retest_interval_days = serializers.IntegerField(allow_null=True)
    storage_conditions = serializers.CharField()
    largest_receipt = Amount(allow_null=True)
    reconciliation_limit_percent = serializers.DecimalField(max_digits=6, decimal_places=3)


class SupplierIn(In):
    code = Text(max_length=40)
    name = Text(max_length=200)
    address = Text(max_length=1000, default="", allow_blank=True)


class SupplierOut(Out):
    code = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()


class SupplierApprovalIn(In):
    material = Text(max_length=40, help_text="Code of the material.")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True, default=None)
    basis = Text(max_length=2000)

    def validate_material(self, code: str) -> Material:
        return get_object_or_404(Material, code=code)


class SupplierApprovalOut(Out):
    id = serializers.IntegerField()
    material = serializers.CharField(source="material.code")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)
    basis = serializers.CharField()
    approved_by = Username()
    approved_at = serializers.DateTimeField()


class MaterialLotIn(In):
    material = Text(max_length=40, help_text="Code of the material.")
    supplier = Text(max_length=40, help_text="Code of the supplier.")
    supplier_lot = Text(max_length=100)
    number = Text(max_length=60, default="", allow_blank=True, help_text="Empty: the next one.")
    quantity = Amount()
    unit = Text(max_length=30)
    container_count = serializers.IntegerField(min_value=1, default=1)
    received_at = Moment()
    expires_on = serializers.DateField(required=False)
    retest_on = serializers.DateField(required=False)
    location = Text(max_length=100)
    plausibility_note = Text(max_length=1000, default="", allow_blank=True)

    def validate_material(self, code: str) -> Material:
        return get_object_or_404(Material, code=code)

    def validate_supplier(self, code: str) -> Supplier:
        return get_object_or_404(Supplier, code=code)


class MaterialLotOut(Out):
    number = serializers.CharField()
    material = serializers.CharField(source="material.code")
    supplier = serializers.CharField(source="supplier.code", allow_null=True, default=None)
    supplier_lot = serializers.CharField()
    quantity = Amount()
    on_hand = serializers.SerializerMethodField(help_text="What is left of it.")
    unit = serializers.CharField()
    container_count = serializers.IntegerField()
    received_at = serializers.DateTimeField()
    received_by = Username()
    expires_on = serializers.DateField(allow_null=True)
    retest_on = serializers.DateField(allow_null=True)
    location = serializers.CharField()
    plausibility_note = serializers.CharField()
    state = serializers.CharField()
    decided_by = Username(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_on_hand(self, lot: MaterialLot) -> str:
        held = getattr(lot, "on_hand", None)
        return str(ledger.balance(lot) if held is None else held)


class MaterialLotDetailOut(MaterialLotOut):
    objections = serializers.SerializerMethodField(help_text="What stands against its use now.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_objections(self, lot: MaterialLot) -> list[str]:
        return ledger.objections(lot, at=self.context["at"])


class LotDecisionIn(In):
    outcome = serializers.ChoiceField(choices=LotState.choices)
    reason = Text(max_length=1000)
    password = Text(
        max_length=200, write_only=True, required=False,
        help_text="A release or a rejection is signed with it.",
    )  # fmt: skip
    retest_on = serializers.DateField(
        required=False, help_text="The next retest, after one that passed."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_signed = attrs["outcome"] in (LotState.RELEASED, LotState.REJECTED)
        if is_signed and "password" not in attrs:
            raise serializers.ValidationError({"password": "this decision is signed with it"})
        if "retest_on" in attrs and attrs["outcome"] != LotState.RELEASED:
            raise serializers.ValidationError({"retest_on": "only a release has a next retest"})
        return attrs


class LotDatesIn(In):
    expires_on = serializers.DateField(allow_null=True)
    retest_on = serializers.DateField(allow_null=True)
    reason = Text(max_length=1000)


class MovementIn(In):
    kind = serializers.ChoiceField(
        choices=[one for one in MovementKind.choices if one[0] != MovementKind.RECEIVED]
    )
    quantity = Amount(help_text="Positive; signed for an adjustment, 0 for a move.")
    unit = Text(max_length=30)
    reason = Text(max_length=1000)
    reference = Text(max_length=100, default="", allow_blank=True)
    location = Text(max_length=100, default="", allow_blank=True)
    moved_at = Moment(required=False)

    def validate_kind(self, kind: str) -> MovementKind:
        return MovementKind(kind)


class MovementOut(Out):
    sequence = serializers.IntegerField()
    kind = serializers.CharField()
    quantity = Amount()
    balance = Amount()
    location = serializers.CharField()
    reference = serializers.CharField()
    reason = serializers.CharField()
    moved_at = serializers.DateTimeField()
    moved_by = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class LotAccountOut(Out):
    received = Amount()
    dispensed = Amount()
    returned = Amount()
    used = Amount(help_text="Dispensed and not returned.")
    sampled = Amount()
    scrapped = Amount()
    adjusted = Amount()
    balance = Amount()


class LotCountIn(In):
    counted = Amount(min_value=0)
    unit = Text(max_length=30)
    explanation = Text(max_length=1000)


class LotCountOut(Out):
    counted = Amount()
    book = Amount()
    limit_percent = serializers.DecimalField(max_digits=6, decimal_places=3)
    is_within_limit = serializers.BooleanField()
    explanation = serializers.CharField()
    counted_at = serializers.DateTimeField()
    counted_by = Username()
    deviation = serializers.CharField(source="deviation.number", allow_null=True, default=None)


class GenealogyNodeOut(Out):
    depth = serializers.IntegerField(help_text="1 is next to the lot that was asked for.")
    number = serializers.CharField()
    material = serializers.CharField()
    material_name = serializers.CharField()
    state = serializers.CharField()
    quantity = Amount()
    unit = serializers.CharField()


class GenealogyOut(Out):
    number = serializers.CharField()
    made_of = GenealogyNodeOut(many=True, help_text="Each lot after the one that it is part of.")
    used_in = GenealogyNodeOut(many=True, help_text="Each lot after the one that is part of it.")


class LotComponentIn(In):
    component = Text(max_length=60, help_text="Number of the lot that went in.")
    quantity = Amount()
    unit = Text(max_length=30)

    def validate_component(self, number: str) -> MaterialLot:
        return get_object_or_404(MaterialLot, number=number)


class LotComponentOut(Out):
    lot = serializers.CharField(source="parent.number")
    component = serializers.CharField(source="child.number")
    quantity = Amount()
    unit = serializers.CharField()
    recorded_at = serializers.DateTimeField()
