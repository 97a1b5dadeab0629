"""Count how long equipment ran since its last service (21 CFR 211.67, 211.68)."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import DurationField, F, Q, Sum, Value
from django.db.models.functions import Coalesce, Greatest, Least

from batches.assets.models import Equipment


def running(equipment: Equipment, *, at: datetime) -> timedelta:
    """Return how long equipment was in use since it was last serviced, until a moment."""
    since = equipment.serviced_at
    uses = equipment.uses.filter(used_from__lt=at)
    begin: F | Greatest = F("used_from")
    if since is not None:
        uses = uses.filter(Q(used_until=None) | Q(used_until__gt=since))
        begin = Greatest(F("used_from"), Value(since))
    end = Least(Coalesce(F("used_until"), Value(at)), Value(at))
    total: timedelta | None = uses.aggregate(total=Sum(end - begin, output_field=DurationField()))[
        "total"
    ]
    return total or timedelta()


def service_due_at(equipment: Equipment, *, at: datetime) -> datetime | None:
    """Return when its running hours since the last service reached their limit, until a moment."""
    if equipment.service_after_hours is None:
        return None
    left = timedelta(hours=equipment.service_after_hours)
    for use in equipment.uses.filter(used_from__lt=at).order_by("used_from", "pk"):
        begin = max(use.used_from, equipment.serviced_at or use.used_from)
        ran = max(min(use.used_until or at, at) - begin, timedelta())
        if ran >= left:
            return begin + left
        left -= ran
    return None


def in_hours(equipment: Equipment, *, at: datetime) -> Decimal:
    """Return the same in hours, as it is shown."""
    seconds = int(running(equipment, at=at).total_seconds())
    return (Decimal(seconds) / 3600).quantize(Decimal("0.01"))


def is_service_due(equipment: Equipment, *, at: datetime) -> bool:
    """Say whether its running hours have reached what it is serviced after."""
    limit = equipment.service_after_hours
    return limit is not None and running(equipment, at=at) >= timedelta(hours=limit)
