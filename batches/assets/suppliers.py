"""Say who may supply which material, and until when (21 CFR 211.84; EU GMP 5.27)."""

from datetime import date, datetime

from django.db.models import Q

from batches.assets.actions import Action
from batches.assets.models import Material, Supplier, SupplierApproval
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class SupplierInvalid(Refused):
    code = "supplier-invalid"
    status = 422


class SupplierKnown(Refused):
    code = "supplier-known"


class ApprovalKnown(Refused):
    """There is an approval for this supplier and material; end it first."""

    code = "approval-known"


class ApprovalEnded(Refused):
    code = "approval-ended"


def register(*, code: str, name: str, address: str, actor: User, at: datetime) -> Supplier:
    """Enter a supplier; it supplies nothing until it is approved for a material."""
    authority.demand(actor, Duty.RELEASE_MATERIAL)
    if not code.strip() or not name.strip():
        raise SupplierInvalid("a supplier needs a code and a name")
    with recording.recording(
        Action.SUPPLIER_REGISTERED, actor=actor, at=at, reason=f"supplier {code}"
    ):
        if Supplier.objects.filter(code=code).exists():
            raise SupplierKnown(f"{code} is the code of another supplier")
        return Supplier.objects.create(code=code, name=name, address=address, registered_at=at)


def approve(
    supplier: Supplier, *, material: Material, valid_from: date, valid_until: date | None,
    basis: str, actor: User, at: datetime,
) -> SupplierApproval:  # fmt: skip
    """Approve a supplier for a material, on a stated basis."""
    authority.demand(actor, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(basis)
    if valid_until is not None and valid_until < valid_from:
        raise SupplierInvalid("an approval ends after it begins")
    with recording.recording(Action.SUPPLIER_APPROVED, actor=actor, at=at, reason=text):
        Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
        if SupplierApproval.objects.filter(
            supplier=supplier, material=material, ended_on=None
        ).exists():
            raise ApprovalKnown(
                f"{supplier.code} has an approval for {material.code}: end it first"
            )
        return SupplierApproval.objects.create(
            supplier=supplier,
            material=material,
            valid_from=valid_from,
            valid_until=valid_until,
            approved_by=actor,
            approved_at=at,
            basis=text,
        )


def end_approval(
    approval: SupplierApproval, *, actor: User, at: datetime, reason: str
) -> SupplierApproval:
    """End an approval today; what was received before keeps it."""
    authority.demand(actor, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.SUPPLIER_APPROVAL_ENDED, actor=actor, at=at, reason=text):
        held = SupplierApproval.objects.select_for_update(no_key=True).get(pk=approval.pk)
        if held.ended_on is not None:
            raise ApprovalEnded(f"{held} ended on {held.ended_on} already")
        held.ended_on = at.date()
        held.save(update_fields=["ended_on"])
    return held


def is_approved(supplier: Supplier, *, material: Material, on: date) -> bool:
    """Say whether a supplier was approved for a material on a day."""
    return (
        SupplierApproval.objects.filter(supplier=supplier, material=material, valid_from__lte=on)
        .filter(Q(valid_until=None) | Q(valid_until__gte=on))
        .filter(Q(ended_on=None) | Q(ended_on__gt=on))
        .exists()
    )
