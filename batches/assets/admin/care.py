"""Pages of qualifications, calibrations, cleanings and replaced parts."""

from django.contrib import admin
from django.http import HttpRequest

from batches.assets.models import Calibration, Cleaning, PartChange, Qualification
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Facts, Page, Section, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations


@admin.register(Qualification)
class QualificationAdmin(RecordAdmin):
    list_display = ("equipment", "stage", "report", "performed_on", "performed_by", "approved_by")
    search_fields = ("equipment__code", "protocol", "report", "summary")
    list_filter = ("stage", ("approved_by", admin.EmptyFieldListFilter))
    list_select_related = ("equipment", "performed_by", "approved_by")
    date_hierarchy = "performed_on"
    ordering = ("-pk",)
    empty_text = "No qualification yet. Record a stage on the page of its equipment."

    def page(self, record: Qualification, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Equipment", record_admin.link(record.equipment)),
                ("Stage", record.get_stage_display()),
                ("Protocol", record.protocol),
                ("Report", record.report),
                ("Performed on", page_parts.day(record.performed_on)),
                ("Performed by", str(record.performed_by)),
                ("Valid until", page_parts.day(record.valid_until)),
                ("Approved by", str(record.approved_by or "")),
                ("Approved at", page_parts.moment(record.approved_at)),
            ]
        )
        badge = (
            page_parts.badge("Approved", "good")
            if record.approved_by_id
            else page_parts.badge("Waits for approval", "busy")
        )
        sections = [
            Section("Qualification", [facts, Text(record.summary, label="Summary")]),
            manifestations.section(record),
        ]
        return Page(str(record), record.equipment.name, [badge], sections)


@admin.register(Calibration)
class CalibrationAdmin(RecordAdmin):
    list_display = (
        "equipment", "certificate", "performed_at", "found", "left", "due_on", "performed_by",
        "verified_by",
    )  # fmt: skip
    search_fields = ("equipment__code", "certificate", "reference_standard")
    list_filter = (
        "as_found_in_tolerance", "as_left_in_tolerance", ("verified_by", admin.EmptyFieldListFilter),
        "equipment__kind",
    )  # fmt: skip
    list_select_related = ("equipment", "performed_by", "verified_by")
    date_hierarchy = "performed_at"
    ordering = ("-performed_at", "-pk")
    empty_text = "No calibration yet. Record one on the page of its instrument."

    @admin.display(description="As found", ordering="as_found_in_tolerance")
    def found(self, record: Calibration) -> str:
        return _tolerance(record.as_found_in_tolerance)

    @admin.display(description="As left", ordering="as_left_in_tolerance")
    def left(self, record: Calibration) -> str:
        return _tolerance(record.as_left_in_tolerance)

    def page(self, record: Calibration, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Instrument", record_admin.link(record.equipment)),
                ("Performed", page_parts.moment(record.performed_at)),
                ("Performed by", str(record.performed_by)),
                ("As found", record.as_found),
                ("Found", _tolerance(record.as_found_in_tolerance)),
                ("As left", record.as_left),
                ("Left", _tolerance(record.as_left_in_tolerance)),
                ("Reference standard", record.reference_standard),
                ("Certificate", record.certificate),
                ("Holds until", page_parts.day(record.due_on)),
                ("Verified by", str(record.verified_by or "")),
                ("Verified", page_parts.moment(record.verified_at)),
                ("Deviation", record_admin.link(record.deviation)),
            ]
        )
        badge = (
            page_parts.badge("Verified", "good")
            if record.verified_by_id
            else page_parts.badge("Waits for its verification", "busy")
        )
        return Page(str(record), record.equipment.name, [badge], [Section("Calibration", [facts])])


def _tolerance(is_in: bool) -> str:
    return page_parts.badge("in tolerance", "good") if is_in else page_parts.alarm("tolerance:")


@admin.register(Cleaning)
class CleaningAdmin(RecordAdmin):
    list_display = (
        "equipment", "procedure_version", "started_at", "finished_at", "state_shown",
        "performed_by", "verified_by",
    )  # fmt: skip
    search_fields = ("equipment__code", "procedure_version__procedure__code", "next_product")
    list_filter = ("outcome", "is_changeover", "is_dirty_hold_exceeded", "equipment__kind")
    list_select_related = (
        "equipment", "procedure_version__procedure", "performed_by", "verified_by",
    )  # fmt: skip
    date_hierarchy = "started_at"
    ordering = ("-pk",)
    empty_text = "No cleaning yet. Begin one on the page of the equipment."

    @admin.display(description="Outcome", ordering="outcome")
    def state_shown(self, record: Cleaning) -> str:
        return page_parts.state(record.outcome, record.get_outcome_display())

    def page(self, record: Cleaning, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Equipment", record_admin.link(record.equipment)),
                ("Procedure", str(record.procedure_version)),
                ("Changeover", page_parts.shown(record.is_changeover)),
                ("Previous product", record.previous_product),
                ("Next product", record.next_product),
                ("Dirty since", page_parts.moment(record.dirty_since)),
                ("Dirty-hold time exceeded", page_parts.shown(record.is_dirty_hold_exceeded)),
                ("Remark", record.remark),
                ("Started", page_parts.moment(record.started_at)),
                ("Finished", page_parts.moment(record.finished_at)),
                ("Cleaned by", str(record.performed_by)),
                ("Verified by", str(record.verified_by or "")),
                ("Verified", page_parts.moment(record.verified_at)),
            ]
        )
        badge = page_parts.state(record.outcome, record.get_outcome_display())
        return Page(str(record), record.equipment.name, [badge], [Section("Cleaning", [facts])])


@admin.register(PartChange)
class PartChangeAdmin(RecordAdmin):
    list_display = (
        "equipment", "component", "changed_at", "new_manufacturer", "new_model",
        "new_serial_number", "is_like_for_like", "change_reference",
    )  # fmt: skip
    search_fields = ("equipment__code", "component", "new_serial_number", "change_reference")
    list_filter = ("is_like_for_like", "equipment__kind")
    list_select_related = ("equipment",)
    date_hierarchy = "changed_at"
    ordering = ("-changed_at", "-pk")
    empty_text = "No part was replaced yet. Record it on the page of the equipment."
