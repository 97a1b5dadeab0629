"""What went into a batch and what came out of it, and the equipment it was made with."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.assets.models import Equipment, EquipmentUse, MaterialLot, Movement
from batches.execution.models.batches import Batch, BatchPhase
from batches.execution.models.copies import AMOUNT, PERCENT, BatchMaterial, EquipmentNeed
from batches.execution.models.entries import Calculation
from batches.execution.models.performed import (
    VERIFIED_BY_ANOTHER,
    WITNESS_IS_ANOTHER,
    Performed,
    Verifiable,
)
from compliance.trail.capture import controlled


@controlled(append_only=True, guards=("keep_time", "keep_account"))
class Charge(Performed):
    """One amount of one lot put into a batch by one person and checked by a second (211.101)."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="charges")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="charges")
    material = models.ForeignKey(BatchMaterial, models.PROTECT, related_name="charges")
    lot = models.ForeignKey(MaterialLot, models.PROTECT, related_name="charges")
    gross = models.DecimalField(**AMOUNT, null=True, blank=True)
    tare = models.DecimalField(**AMOUNT, null=True, blank=True)
    net = models.DecimalField(**AMOUNT)
    unit = models.CharField(max_length=30, help_text="As declared by the bill of materials.")
    given = models.CharField(
        max_length=80, blank=True, help_text="Net amount as read, where it was converted."
    )
    scale_used = models.ForeignKey(
        Equipment, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    override_reason = models.TextField(
        blank=True, help_text="Why an amount above its tolerance is what was charged."
    )
    movement = models.OneToOneField(
        Movement, models.PROTECT, related_name="charge", help_text="In the ledger of the lot."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="charge_witness", condition=WITNESS_IS_ANOTHER),
            models.CheckConstraint(
                name="charge_verified_by_another", condition=~Q(verified_by=F("performed_by"))
            ),
            models.CheckConstraint(name="charge_positive", condition=Q(net__gt=0)),
            models.CheckConstraint(
                name="charge_net_is_gross_less_tare",
                condition=Q(gross=None, tare=None)
                | Q(gross__isnull=False, tare__isnull=False, net=F("gross") - F("tare")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} into {self.batch} ({self.pk})"


@controlled(guards=("keep_time", "keep_entry", "keep_account"))
class MaterialAccount(Verifiable):
    """What of a lot was issued to a batch, and where it went (21 CFR 211.184(c), 211.188(b)).

    `charged` is what the charges add up to; a trigger holds it to them, and them to it.
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="material_accounts")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="material_accounts")
    material = models.ForeignKey(BatchMaterial, models.PROTECT, related_name="accounts")
    lot = models.ForeignKey(MaterialLot, models.PROTECT, related_name="batch_accounts")
    issued = models.DecimalField(**AMOUNT)
    charged = models.DecimalField(**AMOUNT)
    returned = models.DecimalField(**AMOUNT)
    wasted = models.DecimalField(**AMOUNT)
    unit = models.CharField(max_length=30, help_text="As declared by the bill of materials.")
    limit_percent = models.DecimalField(
        **PERCENT, help_text="How far the account may be from 100 percent."
    )
    reconciliation = models.OneToOneField(
        Calculation, models.PROTECT, related_name="material_account"
    )
    scrapped = models.OneToOneField(
        Movement, models.PROTECT, related_name="batch_account", null=True, blank=True,
        help_text="What was wasted, in the ledger of the lot.",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["material", "lot"], name="material_accounted_once"),
            models.CheckConstraint(name="account_witness", condition=WITNESS_IS_ANOTHER),
            models.CheckConstraint(name="account_verified", condition=VERIFIED_BY_ANOTHER),
            models.CheckConstraint(
                name="account_amounts_possible",
                condition=Q(issued__gt=0, charged__gt=0, returned__gte=0, wasted__gte=0),
            ),
            models.CheckConstraint(
                name="account_waste_is_scrapped",
                condition=Q(wasted=0, scrapped=None) | Q(wasted__gt=0, scrapped__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} accounted in {self.batch} ({self.pk})"

    @property
    def difference(self) -> Decimal:
        """What was issued and is nowhere; below nothing when more is somewhere than was issued."""
        return self.issued - self.charged - self.returned - self.wasted


@controlled(append_only=True)
class ProducedLot(models.Model):
    """The lot that a batch became: what later batches are charged with."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="produced")
    lot = models.OneToOneField(MaterialLot, models.PROTECT, related_name="made_by")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.lot} made by {self.batch}"


@controlled(append_only=True, guards=("keep_time",))
class EquipmentAssignment(Performed):
    """One piece of equipment used for one phase, with its state at that moment (211.188(b)(2))."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="equipment")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="equipment")
    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="assignments")
    need = models.ForeignKey(
        EquipmentNeed, models.PROTECT, related_name="assignments", null=True, blank=True
    )
    use = models.ForeignKey(
        EquipmentUse, models.PROTECT, related_name="assignments",
        help_text="In the log book of the equipment; it says when the use ended.",
    )  # fmt: skip
    state_text = models.CharField(max_length=200, help_text="Its state when it was taken.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="assignment_witness", condition=WITNESS_IS_ANOTHER),
            models.UniqueConstraint(
                fields=["phase", "equipment", "use"], name="assigned_once_a_phase_and_use"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.equipment} for {self.phase} ({self.pk})"
