"""Collect the figures of a period: quality counts its own, other rooms register theirs."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from compliance.access.models import (
    AccessReview,
    RoleAssignment,
    SecurityAlarm,
    SignIn,
    User,
)
from compliance.quality.models import (
    Capa,
    Change,
    Deviation,
    EffectivenessCheck,
    Risk,
    SampledEntry,
    TrailReview,
)
from compliance.trail.models import Refusal
from compliance.trail.tlog import canonical

Figures = dict[str, canonical.Value]
Counter = Callable[[datetime, datetime], Figures]
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_counters: dict[str, Counter] = {}


def register(name: str) -> Callable[[Counter], Counter]:
    """Declare the figures of a room: a function from two moments to names and numbers."""

    def declare(counter: Counter) -> Counter:
        if not _NAME.fullmatch(name):  # it is a member of canonical JSON
            raise ValueError(f"“{name}” is no name of figures: letters and dashes")
        if name in _counters:
            raise ValueError(f"the figures of {name} are registered already")
        _counters[name] = counter
        return counter

    return declare


def collect(*, starts_on: date, ends_on: date) -> dict[str, canonical.Value]:
    """Return the figures of every room, from the first day to the end of the last one (UTC)."""
    start = datetime.combine(starts_on, time.min, UTC)
    end = datetime.combine(ends_on + timedelta(days=1), time.min, UTC)
    return {name: dict(counter(start, end)) for name, counter in sorted(_counters.items())}


@register("incidents")
def incidents(start: datetime, end: datetime) -> Figures:
    opened = Deviation.objects.filter(opened_at__gte=start, opened_at__lt=end)
    closed = Deviation.objects.filter(closed_at__gte=start, closed_at__lt=end)
    return {
        "opened": opened.count(),
        "closed": closed.count(),
        **{f"opened-{name}": count for name, count in _by(opened, "severity")},
        "computerised-system": opened.filter(category="computerised-system").count(),
        "open-at-the-end": Deviation.objects.filter(opened_at__lt=end).in_work().count(),
    }


@register("changes")
def changes(start: datetime, end: datetime) -> Figures:
    asked = Change.objects.filter(requested_at__gte=start, requested_at__lt=end)
    return {
        "requested": asked.count(),
        "emergencies": asked.filter(is_emergency=True).count(),
        "implemented": Change.objects.filter(
            implemented_at__gte=start, implemented_at__lt=end
        ).count(),
    }


@register("capa")
def capas(start: datetime, end: datetime) -> Figures:
    checked = EffectivenessCheck.objects.filter(checked_at__gte=start, checked_at__lt=end)
    return {
        "opened": Capa.objects.filter(opened_at__gte=start, opened_at__lt=end).count(),
        "closed": Capa.objects.filter(closed_at__gte=start, closed_at__lt=end).count(),
        "found-effective": checked.filter(is_effective=True).count(),
        "found-ineffective": checked.filter(is_effective=False).count(),
    }


@register("trail-reviews")
def trail_reviews(start: datetime, end: datetime) -> Figures:
    done = TrailReview.objects.filter(concluded_at__gte=start, concluded_at__lt=end)
    return {
        "concluded": done.count(),
        "findings": SampledEntry.objects.filter(review__in=done, outcome="finding").count(),
    }


@register("access")
def access(start: datetime, end: datetime) -> Figures:
    attempts = SignIn.objects.filter(attempted_at__gte=start, attempted_at__lt=end)
    roles = RoleAssignment.objects
    return {
        "people-made": User.objects.filter(created_at__gte=start, created_at__lt=end).count(),
        "roles-given": roles.filter(granted_at__gte=start, granted_at__lt=end).count(),
        "roles-ended": roles.filter(ended_at__gte=start, ended_at__lt=end).count(),
        "reviews-closed": AccessReview.objects.filter(
            closed_at__gte=start, closed_at__lt=end
        ).count(),
        "alarms": SecurityAlarm.objects.filter(raised_at__gte=start, raised_at__lt=end).count(),
        **{f"credentials-{name}": count for name, count in _by(attempts, "outcome")},
    }


@register("refused-acts")
def refusals(start: datetime, end: datetime) -> Figures:
    found = Refusal.objects.filter(recorded_at__gte=start, recorded_at__lt=end)
    return {"all": found.count(), **dict(_by(found, "code"))}


@register("risks")
def risks(start: datetime, end: datetime) -> Figures:
    return {"decided": Risk.objects.filter(decided_at__gte=start, decided_at__lt=end).count()}


def _by(found: QuerySet[Any], column: str) -> list[tuple[str, int]]:
    counted = found.order_by(column).values_list(column).annotate(count=Count("pk"))
    return [(str(name), count) for name, count in counted]
