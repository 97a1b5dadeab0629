"""Samples and results in the admin, and on the pages of their batches."""

from django.contrib import admin
from django.http import HttpRequest

from batches.execution.models import Batch
from batches.laboratory.models import Result, Sample
from batches.recipes import admin as recipe_pages
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin


@record_admin.section(Batch, order=40)
def samples_and_results(batch: Batch, request: HttpRequest) -> Section:
    """Every result of a batch, corrected versions too."""
    return Section("Samples and results", [_results(batch, None)])


@admin.register(Sample)
class SampleAdmin(RecordAdmin):
    list_display = ("number", "batch", "point", "taken_at", "taken_by")
    search_fields = ("number", "batch__number", "point", "taken_by")
    list_select_related = ("batch",)
    date_hierarchy = "taken_at"
    ordering = ("-pk",)
    empty_text = "No samples yet. The LIMS posts them over the API."

    def page(self, record: Sample, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Point", record.point),
                ("Taken", page_parts.moment(record.taken_at)),
                ("Taken by", record.taken_by),
                ("Sent by", page_parts.shown(record.source)),
            ]
        )
        sections = [
            Section("Sample", [facts]),
            Section("Results", [_results(record.batch, record)]),
        ]
        return Page(record.number, f"of batch {record.batch}", [], sections)


@admin.register(Result)
class ResultAdmin(RecordAdmin):
    list_display = ("sample", "tag", "value_text", "unit", "version", "reported_at", "analyst")
    search_fields = ("sample__number", "sample__batch__number", "tag", "analyst")
    list_filter = ("tag",)
    list_select_related = ("sample__batch",)
    date_hierarchy = "reported_at"
    ordering = ("-pk",)
    empty_text = "No results yet. The LIMS posts them over the API."


def _results(batch: Batch, sample: Sample | None) -> Table:
    parameters = {one.tag: one for one in batch.recipe.parameters.all()}
    found = Result.objects.filter(sample__batch=batch).select_related("sample")
    if sample is not None:
        found = found.filter(sample=sample)
    current = {one.pk for one in found.current()}
    rows: list[list[Cell]] = [
        [
            one.sample.number,
            page_parts.moment(one.sample.taken_at),
            parameters[one.tag].name if one.tag in parameters else one.tag,
            recipe_pages.marked(parameters.get(one.tag), one.value, f"{one.value_text} {one.unit}"),
            parameters[one.tag].limits_text if one.tag in parameters else "no limits",
            _version(one, is_current=one.pk in current),
            page_parts.moment(one.reported_at),
            one.analyst,
        ]
        for one in found.order_by("sample__taken_at", "sample__number", "tag", "version")
    ]
    columns = ["Sample", "Taken", "Test", "Result", "Limits", "Version", "Reported", "Analyst"]
    return Table(columns, rows, numeric=["Result"], empty="No results yet. The LIMS posts them.")


def _version(result: Result, *, is_current: bool) -> Cell:
    if is_current and result.version == 1:
        return "1"
    said = f"{result.version}, corrected: {result.reason}" if result.reason else str(result.version)
    return said if is_current else page_parts.badge(f"{said}; superseded", "warn")
