"""Pages of equipment: what it is, whether it may be used now, and its log book."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from batches.assets import calibrations, equipment, log_book, qualifications, running_hours
from batches.assets.models import Equipment, EquipmentUse
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Tone
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations

NEWEST = 200
TONES: dict[str, Tone] = {
    "in-qualification": "busy", "qualified": "good", "out-of-service": "warn", "retired": "quiet",
    "to-be-cleaned": "warn", "in-cleaning": "busy", "clean": "good", "not-needed": "quiet",
}  # fmt: skip


def state(record: Equipment) -> SafeString:
    return page_parts.badge(record.get_state_display(), TONES[record.state])


def cleaning_state(record: Equipment) -> SafeString:
    return page_parts.badge(record.get_cleaning_state_display(), TONES[record.cleaning_state])


class CalibrationDue(SimpleListFilter):
    """Find instruments whose calibration does not hold."""

    title = "calibration"
    parameter_name = "calibration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "overdue":
            late = calibrations.overdue(on=timezone.now().date()).order_by()
            return queryset.filter(pk__in=late.values("pk"))
        return queryset


@admin.register(Equipment)
class EquipmentAdmin(RecordAdmin):
    list_display = ("code", "name", "kind", "location", "standing", "cleaning", "calibration_due")
    search_fields = ("code", "name", "serial_number", "location", "manufacturer", "model")
    list_filter = ("state", "cleaning_state", CalibrationDue, "kind", "location")
    date_hierarchy = "registered_at"
    ordering = ("code",)
    empty_text = "No equipment yet. Register the first piece here."

    @admin.display(description="State", ordering="state")
    def standing(self, record: Equipment) -> Cell:
        return state(record)

    @admin.display(description="Cleaning", ordering="cleaning_state")
    def cleaning(self, record: Equipment) -> Cell:
        return cleaning_state(record)

    @admin.display(description="Calibration due", ordering="calibration_due_on")
    def calibration_due(self, record: Equipment) -> Cell:
        if not record.is_calibrated:
            return "-"
        due = record.calibration_due_on
        if due is None or due < timezone.now().date():
            return page_parts.badge("overdue" if due else "never calibrated", "bad")
        return page_parts.day(due)

    def page(self, record: Equipment, request: HttpRequest) -> Page:
        sections = [
            Section("Equipment", [_facts(record)], is_wide=False),
            Section("May it be used now?", [*_usable(record), *_waiting(record)], is_wide=False),
            Section("Qualification", [_stages(record)]),
        ]
        if record.is_calibrated:
            sections.append(_impact(record))
        sections += [_log_book(record), manifestations.section(record)]
        return Page(record.code, record.name, [state(record), cleaning_state(record)], sections)


def _facts(record: Equipment) -> Facts:
    hours = running_hours.in_hours(record, at=timezone.now())
    limit = record.service_after_hours
    interval = record.calibration_interval_days
    return Facts(
        [
            ("Kind", record.kind),
            ("Location", record.location),
            ("Manufacturer", record.manufacturer),
            ("Model", record.model),
            ("Serial number", record.serial_number),
            ("Qualified until", page_parts.day(record.qualified_until)),
            ("Calibrated every", f"{interval} days" if interval else ""),
            ("Calibration holds until", page_parts.day(record.calibration_due_on)),
            ("Cleaned at", page_parts.moment(record.cleaned_at)),
            ("Clean until", page_parts.moment(record.clean_until)),
            ("Dirty-hold time", _hours(record.dirty_hold_hours)),
            ("Clean-hold time", _hours(record.clean_hold_hours)),
            ("Running hours since service", f"{hours}{f' of {limit}' if limit else ''}"),
        ]
    )


def _hours(hours: int | None) -> str:
    return "" if hours is None else f"{hours} hours"


def _usable(record: Equipment) -> list[Part]:
    at = timezone.now()
    found = equipment.objections(record, at=at)
    parts: list[Part] = [Note(one.capitalize(), "bad") for one in found]
    if not found:
        parts.append(Note("Nothing stands against its use.", "good"))
    if running_hours.is_service_due(record, at=at):
        parts.append(Note("Its service is due by running hours.", "warn"))
    return parts


def _waiting(record: Equipment) -> list[Part]:
    """Lead a second person to what waits for them."""
    unverified = record.calibrations.filter(verified_at=None).order_by("pk")
    unfinished = record.cleanings.filter(verified_at=None).order_by("pk")
    return [
        Note(page_parts.link(f"{one} waits for its verification", record_admin.url(one)), "warn")
        for one in (*unverified, *unfinished)
    ]


def _stages(record: Equipment) -> Table:
    counting = {one.pk for one in qualifications.standing(record).values() if one is not None}
    rows: list[list[Cell]] = [
        [
            page_parts.link(one.stage.upper(), record_admin.url(one)),
            one.protocol,
            one.report,
            page_parts.day(one.performed_on),
            one.performed_by.username,
            one.approved_by.username
            if one.approved_by
            else page_parts.badge("not approved", "warn"),
            page_parts.day(one.valid_until),
            page_parts.badge("counts", "good") if one.pk in counting else "",
        ]
        for one in record.qualifications.select_related("performed_by", "approved_by").order_by(
            "-performed_on", "-pk"
        )
    ]
    columns = [
        *("Stage", "Protocol", "Report", "Performed", "By", "Approved by", "Valid until"),
        "Standing",
    ]
    return Table(columns, rows, empty=f"None yet. It needs {record.needed_stages.upper()}.")


def _impact(record: Equipment) -> Section:
    found = calibrations.impact(record, at=timezone.now())
    rows: list[list[Cell]] = [
        [page_parts.moment(one.used_from), page_parts.moment(one.used_until), one.purpose,
         one.product, one.used_by]
        for one in found[:NEWEST]
    ]  # fmt: skip
    table = Table(
        ["From", "Until", "Purpose", "Product", "By"], rows,
        empty="No use is in doubt: each was covered by a calibration that held.",
    )  # fmt: skip
    return Section("Uses that its calibration leaves in doubt", [table])


def _log_book(record: Equipment) -> Section:
    entries = log_book.of(record, newest=NEWEST + 1)
    rows: list[list[Cell]] = [
        [
            page_parts.moment(one.at),
            page_parts.moment(one.until),
            one.kind,
            one.text
            if one.is_in_order
            else page_parts.beside(page_parts.badge("!", "warn"), one.text),
            one.by,
            one.checked_by,
        ]
        for one in entries[-NEWEST:]
    ]
    parts: list[Part] = []
    if len(entries) > NEWEST:
        parts.append(Note(f"The newest {NEWEST} lines; the API has all of them."))
    columns = ["From", "Until", "What", "Text", "By", "Checked by"]
    parts.append(Table(columns, rows, empty="Nothing was done with it yet."))
    return Section("Log book", parts, anchor="log-book")


@admin.register(EquipmentUse)
class EquipmentUseAdmin(RecordAdmin):
    list_display = ("equipment", "purpose", "product", "used_from", "used_until", "used_by")
    search_fields = ("equipment__code", "purpose", "product", "campaign", "used_by")
    list_filter = ("equipment__kind",)
    list_select_related = ("equipment",)
    date_hierarchy = "used_from"
    ordering = ("-used_from", "-pk")
    empty_text = "No use yet. Batches and tests record them, or a person on a page of equipment."
