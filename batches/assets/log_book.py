"""Put together the log book of equipment in the order of time (21 CFR 211.182)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from batches.assets.models import Equipment


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
    equipment: Equipment, *, since: datetime | None = None, until: datetime | None = None
) -> list[LogEntry]:
    """Return uses, cleanings, calibrations, qualifications and part changes, oldest first."""
    found = [
        *_uses(equipment),
        *_cleanings(equipment),
        *_calibrations(equipment),
        *_qualifications(equipment),
        *_part_changes(equipment),
    ]
    wanted = [
        one
        for one in found
        if (since is None or (one.until or one.at) >= since) and (until is None or one.at <= until)
    ]
    return sorted(wanted, key=lambda one: (one.at, one.kind, one.text))


def _uses(equipment: Equipment) -> Iterator[LogEntry]:
    for one in equipment.uses.all():
        product = f" ({one.product})" if one.product else ""
        yield LogEntry(
            one.used_from, one.used_until, "Use", f"{one.purpose}{product}", one.used_by, ""
        )


def _cleanings(equipment: Equipment) -> Iterator[LogEntry]:
    found = equipment.cleanings.select_related(
        "performed_by", "verified_by", "procedure_version__procedure"
    )
    for one in found:
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


def _calibrations(equipment: Equipment) -> Iterator[LogEntry]:
    for one in equipment.calibrations.select_related("performed_by", "verified_by"):
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


def _qualifications(equipment: Equipment) -> Iterator[LogEntry]:
    for one in equipment.qualifications.select_related("performed_by", "approved_by"):
        yield LogEntry(
            datetime.combine(one.performed_on, time(), UTC), None, "Qualification",
            f"{one.stage.upper()} by {one.protocol}, report {one.report}: {one.summary}",
            one.performed_by.username, one.approved_by.username if one.approved_by else "",
        )  # fmt: skip


def _part_changes(equipment: Equipment) -> Iterator[LogEntry]:
    for one in equipment.part_changes.select_related("changed_by"):
        old = f"{one.old_manufacturer} {one.old_model} {one.old_serial_number}"
        new = f"{one.new_manufacturer} {one.new_model} {one.new_serial_number}"
        kind = "like for like" if one.is_like_for_like else f"CHANGE {one.change_reference}"
        yield LogEntry(
            one.changed_at, None, "Part", f"{one.component}: {old} to {new} ({kind}): {one.reason}",
            one.changed_by.username, "", one.is_like_for_like,
        )  # fmt: skip
