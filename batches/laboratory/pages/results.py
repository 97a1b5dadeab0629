"""Results in the admin: judged, charted across batches, and reviewed by a second person."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from batches.execution.models import Batch
from batches.laboratory import reviews
from batches.laboratory.models import (
    Judgement,
    Result,
    ResultState,
    Sample,
    SpecificationTest,
)
from batches.laboratory.pages import fields
from batches.recipes import admin as recipe_pages
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Picture, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.reports import charts
from compliance.signatures import manifestations
from compliance.signatures.forms import confirmed

CHARTED = 200


def _review(occasion: Occasion) -> Done:
    reviews.review(
        occasion.record, confirmed=confirmed(occasion), comment=occasion.values["comment"]
    )
    return Done(f"{occasion.record} is reviewed.")


def _is_unreviewed(result: Result) -> bool:
    return Result.objects.unreviewed().filter(pk=result.pk).exists()


acts.offer(
    Result,
    Act(
        "review", "Review", Duty.REVIEW_RESULTS, _review, form=fields.CommentedSignForm,
        is_offered=_is_unreviewed,
        explanation="You are not its analyst. An out-of-trend result needs a comment.",
    ),
)  # fmt: skip


class StateFilter(SimpleListFilter):
    title = "where it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(one.value, str(one.label)) for one in ResultState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Result]) -> QuerySet[Result]:
        value = self.value()
        return queryset.in_state(value) if value else queryset  # type: ignore[attr-defined]


class TrendFilter(SimpleListFilter):
    title = "trend"
    parameter_name = "trend"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("out", "Out of trend")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Result]) -> QuerySet[Result]:
        return queryset.exclude(trend="") if self.value() == "out" else queryset


@admin.register(Result)
class ResultAdmin(RecordAdmin):
    list_display = (
        "sample", "tag", "written", "judgement", "version", "reported_at", "analyst",
    )  # fmt: skip
    search_fields = ("sample__number", "sample__batch__number", "tag", "analyst")
    list_filter = (StateFilter, "judgement", TrendFilter, "tag")
    list_select_related = ("sample__batch",)
    badges = ("judgement",)
    date_hierarchy = "reported_at"
    ordering = ("-pk",)
    empty_text = "No results yet. The LIMS posts them, or they are reported on the page of a run."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Result]:
        return super().get_queryset(request).prefetch_related("sample__batch__recipe__parameters")

    @admin.display(description="Result", ordering="value")
    def written(self, record: Result) -> Cell:
        """Write the value, marked where it is outside its limits as on the page of its batch."""
        of_recipe = record.sample.batch.recipe.parameters.all()
        parameter = next((one for one in of_recipe if one.tag == record.tag), None)
        text = f"{record.value_text} {record.unit}"
        return _marked(record, recipe_pages.marked(parameter, record.value, text), text)

    def page(self, record: Result, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Sample", record_admin.link(record.sample)),
                ("Batch", record_admin.link(record.sample.batch)),
                ("Value", f"{record.value_text} {record.unit}"),
                ("Specification", record.test.limits_text if record.test else ""),
                ("Judged by", record_admin.link(record.test.version) if record.test else ""),
                ("Analyst", record.analyst),
                ("Reported", page_parts.moment(record.reported_at)),
                ("Run", record_admin.link(record.run)),
                ("OOS investigation", record_admin.link(getattr(record, "oos", None))),
            ]
        )
        parts: list[Part] = [facts]
        if record.trend:
            parts.append(Note(f"Out of trend: {record.trend}.", "warn"))
        sections = [
            Section("Result", parts, is_wide=False),
            manifestations.section(record, is_wide=False),
            Section("Determinations", [_replicates(record)]),
        ]
        if record.test is not None and record.test.unit:
            picture = Picture(
                record_admin.picture_url(record.test.version, "results", str(record.test_id)),
                f"{record.test.name} of the newest batches, limits {record.test.limits_text}",
            )
            sections.append(Section("Across batches", [picture]))
        badges = [page_parts.state(record.judgement or "none", record.get_judgement_display())]
        return Page(str(record), f"of batch {record.sample.batch}", badges, sections)


def _replicates(result: Result) -> Table:
    rows: list[list[Cell]] = [
        [str(one.number), one.value_text, str(one.injection or "")]
        for one in result.replicates.select_related("injection__run").order_by("number")
    ]
    columns = ["No.", "Value", "Injection"]
    empty = "One value as reported; of a system's results the system keeps the determinations."
    return Table(columns, rows, numeric=["No.", "Value"], empty=empty)


def table(batch: Batch, sample: Sample | None) -> Table:
    """Return every result of a batch or of a sample, corrected versions too."""
    parameters = {one.tag: one for one in batch.recipe.parameters.all()}
    found = Result.objects.filter(sample__batch=batch).select_related(
        "sample", "test", "review__reviewer", "invalidation__oos"
    )
    if sample is not None:
        found = found.filter(sample=sample)
    current = {one.pk for one in found.current()}
    rows: list[list[Cell]] = []
    for one in found.order_by("sample__taken_at", "sample__number", "tag", "version"):
        parameter, written = parameters.get(one.tag), f"{one.value_text} {one.unit}"
        rows.append(
            [
                one.sample.number,
                page_parts.moment(one.sample.taken_at),
                one.test.name if one.test else parameter.name if parameter else one.tag,
                _marked(one, recipe_pages.marked(parameter, one.value, written), written),
                one.test.limits_text
                if one.test
                else parameter.limits_text
                if parameter
                else "no limits",
                _version(one, is_current=one.pk in current),
                page_parts.moment(one.reported_at),
                one.analyst,
                _reviewed(one),
            ]
        )
    columns = [
        "Sample", "Taken", "Test", "Result", "Limits", "Version", "Reported", "Analyst", "Review",
    ]  # fmt: skip
    return Table(columns, rows, numeric=["Result"], empty="No results yet. The LIMS posts them.")


def _marked(result: Result, by_recipe: Cell, written: str) -> Cell:
    if result.judgement == Judgement.NONE:
        return by_recipe
    return page_parts.alarm(written) if result.judgement == Judgement.OOS else written


def _version(result: Result, *, is_current: bool) -> Cell:
    if is_current and result.version == 1:
        return "1"
    said = f"{result.version}, corrected: {result.reason}" if result.reason else str(result.version)
    return said if is_current else page_parts.badge(f"{said}; superseded", "warn")


def _reviewed(result: Result) -> Cell:
    if hasattr(result, "invalidation"):
        return page_parts.badge(f"invalidated by {result.invalidation.oos}", "bad")
    if hasattr(result, "review"):
        return f"{result.review.reviewer.full_name}"
    return "" if result.test is None else page_parts.badge("not reviewed", "warn")


def across_batches(test: SpecificationTest) -> bytes:
    """Draw the standing results of a test across batches, against its limits."""
    found = (
        Result.objects.standing()
        .filter(
            test__version__specification=test.version.specification_id,
            tag=test.tag,
            test__point=test.point,
            judged_value__isnull=False,
        )
        .order_by("-sample__taken_at", "-pk")
        .values_list("sample__taken_at", "judged_value")[:CHARTED]
    )
    points = [(at, float(value)) for at, value in reversed(found) if value is not None]
    sides = (
        ("low", test.low), ("high", test.high), ("alert low", test.alert_low),
        ("alert high", test.alert_high),
    )  # fmt: skip
    drawing = charts.time_series(
        [charts.Series(test.name, points)],
        limits=[
            charts.Limit(f"{side} {value.normalize():f}", float(value))
            for side, value in sides
            if value is not None
        ],
        title=test.name,
        unit=test.unit,
    )
    return charts.to_svg(drawing)
