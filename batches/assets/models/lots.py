"""Lots of materials: where they came from, what was decided about them, and how much is there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.assets.models.materials import Material, Supplier
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled


class LotState(models.TextChoices):
    QUARANTINE = "quarantine", "Quarantine"
    RELEASED = "released", "Released"
    REJECTED = "rejected", "Rejected"
    BLOCKED = "blocked", "Blocked"


@controlled(guards=("guard_lot",))
class MaterialLot(models.Model):
    """One lot of a material, received or made; it is used only after its release (21 CFR 211.84)."""

    number = models.CharField(max_length=60, unique=True)
    material = models.ForeignKey(Material, models.PROTECT, related_name="lots")
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, related_name="lots", null=True, blank=True,
        help_text="Empty for what was made here.",
    )  # fmt: skip
    supplier_lot = models.CharField(max_length=100, blank=True)
    quantity = models.DecimalField(
        max_digits=20, decimal_places=6, help_text="As received; what is left is the balance."
    )
    unit = models.CharField(max_length=30)
    container_count = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_on = models.DateField(null=True, blank=True, help_text="The last day of use.")
    retest_on = models.DateField(null=True, blank=True, help_text="The last day without a retest.")
    location = models.CharField(max_length=100)
    plausibility_note = models.TextField(
        blank=True, help_text="Why what looked implausible at its receipt is right."
    )
    state = models.CharField(
        max_length=10, choices=LotState.choices, default=LotState.QUARANTINE, db_index=True
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="lot_state_known", condition=Q(state__in=LotState.values)),
            models.CheckConstraint(name="lot_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="lot_in_containers", condition=Q(container_count__gt=0)),
            models.CheckConstraint(
                name="lot_released_by_another_than_its_receiver",
                condition=~Q(state="released")
                | (
                    Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decided_by=F("received_by"))
                ),
            ),
            models.CheckConstraint(
                name="lot_bought_has_supplier_lot",
                condition=Q(supplier=None) | ~Q(supplier_lot=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class MovementKind(models.TextChoices):
    RECEIVED = "received", "Received"
    DISPENSED = "dispensed", "Dispensed"
    RETURNED = "returned", "Returned"
    SAMPLED = "sampled", "Sampled"
    SCRAPPED = "scrapped", "Scrapped"
    ADJUSTED = "adjusted", "Adjusted"
    MOVED = "moved", "Moved"


INCREASES = (MovementKind.RECEIVED, MovementKind.RETURNED)
DECREASES = (MovementKind.DISPENSED, MovementKind.SAMPLED, MovementKind.SCRAPPED)


@controlled(append_only=True, guards=("guard_movement",))
class Movement(models.Model):
    """One line of a lot's ledger; a trigger keeps the balance true and never negative."""

    lot = models.ForeignKey(MaterialLot, models.PROTECT, related_name="movements")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=MovementKind.choices)
    quantity = models.DecimalField(
        max_digits=20, decimal_places=6, help_text="Signed: what leaves the lot is negative."
    )
    balance = models.DecimalField(
        max_digits=20, decimal_places=6, help_text="What the lot holds after this line."
    )
    location = models.CharField(max_length=100, help_text="Where the lot is after this line.")
    reference = models.CharField(max_length=100, blank=True, help_text="E.g. the batch.")
    reason = models.TextField()
    moved_at = models.DateTimeField()
    moved_by = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "sequence"], name="movement_numbered"),
            models.CheckConstraint(name="balance_never_negative", condition=Q(balance__gte=0)),
            models.CheckConstraint(
                name="movement_sign_fits_kind",
                condition=Q(kind__in=INCREASES, quantity__gt=0)
                | Q(kind__in=DECREASES, quantity__lt=0)
                | (Q(kind="adjusted") & ~Q(quantity=0))
                | Q(kind="moved", quantity=0),
            ),
            models.CheckConstraint(name="movement_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.lot} {self.sequence} {self.kind} ({self.pk})"


@controlled(append_only=True, guards=("guard_component",))
class LotComponent(models.Model):
    """One lot was made of another: a line of its genealogy."""

    parent = models.ForeignKey(
        MaterialLot, models.PROTECT, related_name="components", help_text="The lot that was made."
    )
    child = models.ForeignKey(
        MaterialLot, models.PROTECT, related_name="used_in", help_text="The lot that went into it."
    )
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    unit = models.CharField(max_length=30)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lot_is_no_component_of_itself", condition=~Q(parent=F("child"))
            ),
            models.CheckConstraint(name="component_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.parent} of {self.child} ({self.pk})"


@controlled(append_only=True)
class StockCount(models.Model):
    """A lot was counted and compared with its ledger (21 CFR 211.125, 211.184(c))."""

    lot = models.ForeignKey(MaterialLot, models.PROTECT, related_name="counts")
    counted = models.DecimalField(max_digits=20, decimal_places=6)
    book = models.DecimalField(
        max_digits=20, decimal_places=6, help_text="The balance of the ledger at that moment."
    )
    limit_percent = models.DecimalField(max_digits=6, decimal_places=3)
    is_within_limit = models.BooleanField()
    explanation = models.TextField()
    counted_at = models.DateTimeField()
    counted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="count_not_negative", condition=Q(counted__gte=0)),
            models.CheckConstraint(
                name="count_outside_limit_has_deviation",
                condition=Q(is_within_limit=True) | Q(deviation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} counted {self.counted} ({self.pk})"
