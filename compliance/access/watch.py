"""Look for what nobody reports: a turned clock, many refusals, leavers and reviews that are late."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count

from compliance.access import alarms, people, reviews
from compliance.access.alarms import ACCESS
from compliance.access.models import AlarmKind, SecurityAlarm
from compliance.trail.models import Refusal
from compliance.trail.recording import Identity

BACK_BY = timedelta(seconds=2)  # what the clock shows now, against what it has shown
STEP_BY = timedelta(seconds=60)  # between entries: a long statement writes its entries at its end
APART_BY = timedelta(seconds=30)
REFUSALS, WITHIN = 20, timedelta(hours=1)
_CLOCKS = """
    WITH newest AS (SELECT entry_id, at FROM audit.entry_view ORDER BY entry_id DESC LIMIT 2000),
    steps AS (SELECT entry_id, at, max(at) OVER (ORDER BY entry_id) - at AS behind FROM newest)
    SELECT clock_timestamp(), (SELECT max(at) FROM newest),
        (SELECT min(entry_id) FROM steps WHERE behind > make_interval(secs => %s))
"""


@dataclass(frozen=True)
class DatabaseClock:
    """What the database's clock shows, the latest that it has shown, and where it went back."""

    now: datetime
    latest: datetime | None = None
    stepped_at_entry: int | None = None


class _Named:
    """Somebody as the trail names them."""

    def __init__(self, id_: str, name: str) -> None:
        self._identity = Identity(id=id_, name=name, role="")

    def trail_identity(self) -> Identity:
        return self._identity


def look(*, at: datetime) -> list[SecurityAlarm]:
    """Look for everything; return the alarms that stand for what was found, new or known."""
    return [
        *clocks(database_clock(), at=at),
        *refused_often(at=at),
        *leavers(at=at),
        *late_review(at=at),
    ]


def database_clock() -> DatabaseClock:
    """Read the database's clock and the times of its newest entries."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOCKS, [STEP_BY.total_seconds()])
        return DatabaseClock(*cursor.fetchone())


def clocks(shown: DatabaseClock, *, at: datetime) -> list[SecurityAlarm]:
    """Find a database clock that was set back, or that is apart from the application's."""
    found = []
    if shown.latest is not None and shown.latest - shown.now > BACK_BY:
        text = (
            f"shows {shown.now.isoformat()}, and an entry was written at {shown.latest.isoformat()}"
        )
        found.append((f"it was set back: it {text}", f"back {shown.latest.isoformat()}"))
    if shown.stepped_at_entry is not None:
        text = (
            f"it was set back before entry {shown.stepped_at_entry}, which is earlier than others"
        )
        found.append((text, f"step {shown.stepped_at_entry}"))
    if abs(at - shown.now) > APART_BY:
        text = f"it shows {shown.now.isoformat()}, and the application's {at.isoformat()}"
        found.append((text, f"apart {at:%Y-%m-%d %H}"))
    return [
        alarms.raise_(
            AlarmKind.CLOCK, f"The database's clock: {text}", about=ACCESS, at=at, once=once
        )
        for text, once in found
    ]


def refused_often(*, at: datetime) -> list[SecurityAlarm]:
    """Find who was refused again and again within the hour (21 CFR 11.300(d))."""
    often = (
        Refusal.objects.filter(recorded_at__gt=at - WITHIN, recorded_at__lte=at)
        .exclude(actor_id="unidentified")  # the lock of the name has raised its own
        .values("actor_id", "actor")
        .annotate(count=Count("pk"))
        .filter(count__gte=REFUSALS)
        .order_by("actor_id")
    )
    return [
        alarms.raise_(
            AlarmKind.REPEATED_REFUSALS,
            f"{one['actor']} was refused {one['count']} acts within an hour",
            about=_Named(one["actor_id"], one["actor"]), at=at, once=f"{at:%Y-%m-%d %H}",
        )
        for one in often
    ]  # fmt: skip


def leavers(*, at: datetime) -> list[SecurityAlarm]:
    """Find who has left and could still sign in."""
    return [
        alarms.raise_(
            AlarmKind.LEAVER_ACTIVE,
            f"{person} left on {person.leaves_on} and is still active",
            about=person, at=at, once=str(person.leaves_on),
        )
        for person in people.leavers_still_active(on=at.date())
    ]  # fmt: skip


def late_review(*, at: datetime) -> list[SecurityAlarm]:
    """Find that the review of access is overdue."""
    due = reviews.overdue(on=at.date())
    if due is None:
        return []
    text = f"the review of access was due on {due}"
    return [alarms.raise_(AlarmKind.REVIEW_OVERDUE, text, about=ACCESS, at=at, once=str(due))]
