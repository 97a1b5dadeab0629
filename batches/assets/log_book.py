"""Put together the log book of equipment in the order of time (21 CFR 211.182)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TypeVar

from django.db.models import Model, QuerySet

from batches.assets.models import Equipment

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class LogEntry:
    """One line: when, what kind of thing, what happened, by whom, and who checked it."""

    at: datetime
    until: datetime | None
    kind: str
    text: str
    by: str
    checked_by: str
    is_in_order: bool = True


def of(
    equipment: Equipment, *, newest: int, since: datetime | None = None,
    until: datetime | None = None,
) -> list[LogEntry]:  # fmt: skip
    """Return the newest lines that began in a period, oldest first: uses, cleanings,
    calibrations, qualifications and replaced parts."""
    period = _Period(since, until, newest)
    found = [
        *_uses(equipment, period),
        *_cleanings(equipment, period),
        *_calibrations(equipment, period),
        *_qualifications(equipment, period),
        *_part_changes(equipment, period),
    ]
    # A stage has a day only: the one of `since` is found above, and began before it.
    found = [one for one in found if since is None or one.at >= since]
    return sorted(found, key=lambda one: (one.at, one.kind, one.text))[-newest:]


@dataclass(frozen=True)
class _Period:
    """Which lines are asked for; each kind is read only as far back as they can reach."""

    since: datetime | None
    until: datetime | None
    newest: int

    def of(self, lines: QuerySet[M], begin: str) -> QuerySet[M]:
        if self.since is not None:
            lines = lines.filter(**{f"{begin}__gte": self.since})
        if self.until is not None:
            lines = lines.filter(**{f"{begin}__lte": self.until})
        return lines.order_by(f"-{begin}", "-pk")[: self.newest]


def _uses(equipment: Equipment, period: _Period) -> Iterator[LogEntry]:
    for one in period.of(equipment.uses.all(), "used_from"):
        product = f" ({one.product})" if one.product else ""
        yield LogEntry(
            one.used_from, one.used_until, "Use", f"{one.purpose}{product}", one.used_by, ""
        )


def _cleanings(equipment: Equipment, period: _Period) -> Iterator[LogEntry]:
    found = equipment.cleanings.select_related(
        "performed_by", "verified_by", "procedure_version__procedure"
    )
    for one in period.of(found, "started_at"):
        parts = [str(one.procedure_version), one.get_outcome_display().lower()]
        if one.is_changeover:
            parts.append(f"changeover {one.previous_product or 'nothing'} to {one.next_product}")
        if one.is_dirty_hold_exceeded:
            parts.append(f"dirty-hold time exceeded: {one.remark}")
        yield LogEntry(
            one.started_at, one.finished_at, "Cleaning", "; ".join(parts),
            one.performed_by.username, one.verified_by.username if one.verified_by else "",
            one.outcome != "failed" and not one.is_dirty_hold_exceeded,
        )  # fmt: skip


def _calibrations(equipment: Equipment, period: _Period) -> Iterator[LogEntry]:
    calibrations = equipment.calibrations.select_related("performed_by", "verified_by")
    for one in period.of(calibrations, "performed_at"):
        found, left = (
            "in tolerance" if good else "OUT OF TOLERANCE"
            for good in (one.as_found_in_tolerance, one.as_left_in_tolerance)
        )
        yield LogEntry(
            one.performed_at, None, "Calibration",
            f"{one.certificate}: found {one.as_found} ({found}), left {one.as_left} ({left}); "
            f"due on {one.due_on}",
            one.performed_by.username, one.verified_by.username if one.verified_by else "",
            one.as_found_in_tolerance and one.as_left_in_tolerance,
        )  # fmt: skip


def _qualifications(equipment: Equipment, period: _Period) -> Iterator[LogEntry]:
    stages = equipment.qualifications.select_related("performed_by", "approved_by")
    for one in period.of(stages, "performed_on"):
        yield LogEntry(
            datetime.combine(one.performed_on, time(), UTC), None, "Qualification",
            f"{one.stage.upper()} by {one.protocol}, report {one.report}: {one.summary}",
            one.performed_by.username, one.approved_by.username if one.approved_by else "",
        )  # fmt: skip


def _part_changes(equipment: Equipment, period: _Period) -> Iterator[LogEntry]:
    for one in period.of(equipment.part_changes.select_related("changed_by"), "changed_at"):
        old = f"{one.old_manufacturer} {one.old_model} {one.old_serial_number}"
        new = f"{one.new_manufacturer} {one.new_model} {one.new_serial_number}"
        kind = "like for like" if one.is_like_for_like else f"CHANGE {one.change_reference}"
        yield LogEntry(
            one.changed_at, None, "Part", f"{one.component}: {old} to {new} ({kind}): {one.reason}",
            one.changed_by.username, "", one.is_like_for_like,
        )  # fmt: skip
