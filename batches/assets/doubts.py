"""Find the uses that calibrations leave in doubt (21 CFR 211.68(a), 211.192)."""

from datetime import UTC, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate

from batches.assets.models import Calibration, Equipment, EquipmentUse


def last_good(equipment: Equipment, *, before: datetime | None = None) -> Calibration | None:
    """Return the newest calibration that was verified and left the instrument in tolerance."""
    found = Calibration.objects.filter(
        equipment=equipment, verified_at__isnull=False, as_left_in_tolerance=True
    )
    if before is not None:
        found = found.filter(performed_at__lt=before)
    return found.order_by("-performed_at", "-pk").first()


def impact(equipment: Equipment, *, at: datetime) -> QuerySet[EquipmentUse]:
    """Return every use in doubt: not covered by a good calibration that held to its end, or
    between the last good calibration and one that found the instrument out of tolerance."""
    uses = EquipmentUse.objects.filter(equipment=equipment)
    if not equipment.is_calibrated:
        return uses.none()
    uses = uses.annotate(
        last_day=TruncDate(Coalesce("used_until", at), tzinfo=UTC),
        until=Coalesce("used_until", at),
    )
    good = Calibration.objects.filter(
        equipment=equipment,
        verified_at__isnull=False,
        as_left_in_tolerance=True,
        performed_at__lte=OuterRef("used_from"),
        due_on__gte=OuterRef("last_day"),
    )
    # Found bad after the use, with no good calibration between the use and that finding.
    between = Calibration.objects.filter(
        equipment=equipment,
        verified_at__isnull=False,
        as_left_in_tolerance=True,
        performed_at__gte=OuterRef(OuterRef("used_from")),
        performed_at__lt=OuterRef("performed_at"),
    )
    found_bad = Calibration.objects.filter(
        ~Exists(between),
        equipment=equipment,
        as_found_in_tolerance=False,
        performed_at__gt=OuterRef("used_from"),
    )
    return uses.filter(~Exists(good) | Exists(found_bad)).order_by("used_from", "pk")


def uses_in_doubt(
    equipment: Equipment, calibration: Calibration, *, since: datetime | None
) -> QuerySet[EquipmentUse]:
    """Return the uses between a moment and a calibration that found it out of tolerance."""
    found = EquipmentUse.objects.filter(
        equipment=equipment, used_from__lt=calibration.performed_at
    ).order_by("used_from", "pk")
    if since is None:
        return found
    return found.filter(Q(used_from__gte=since) | Q(used_until=None) | Q(used_until__gt=since))
