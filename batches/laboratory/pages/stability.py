"""Stability studies and complaints in the admin: pulls, trends, findings and closures."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from batches.laboratory import stability, stability_results
from batches.laboratory.models import (
    Judgement,
    PullState,
    SpecificationTest,
    StabilityPull,
    StabilityResult,
    StabilityStudy,
    StudyState,
)
from batches.laboratory.pages import fields
from batches.laboratory.pages.fields import ReasonForm, SignForm
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Picture, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.reports import charts
from compliance.signatures import manifestations
from compliance.signatures.forms import confirmed


class PullForm(forms.Form):
    pulled_at = fields.at_utc("Pulled at")
    remark = fields.text(rows=2, required=False, help_text="Needed outside the window.")


class ReportForm(forms.Form):
    test = forms.ChoiceField()
    value = forms.CharField(max_length=40)
    tested_at = fields.at_utc("Tested at")


def _approve(occasion: Occasion) -> Done:
    stability.approve(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{occasion.record} runs as planned.")


def _complete(occasion: Occasion) -> Done:
    stability.complete(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is completed.")


def _pull(occasion: Occasion) -> Done:
    stability.pull(occasion.record, actor=occasion.actor, at=occasion.at, **occasion.values)
    return Done(f"{occasion.record} is pulled.")


def _miss(occasion: Occasion) -> Done:
    stability.miss(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} is recorded as missed.")


def _report(occasion: Occasion) -> Done:
    given = occasion.values
    made = stability_results.report(
        occasion.record, test=SpecificationTest.objects.get(pk=given["test"]),
        value_text=given["value"], tested_at=given["tested_at"], actor=occasion.actor,
        at=occasion.at,
    )  # fmt: skip
    return Done(f"{made}: {made.get_judgement_display().lower()}.")


def _review(occasion: Occasion) -> Done:
    stability_results.review(occasion.record, confirmed=confirmed(occasion))
    return Done(f"{occasion.record} is reviewed.")


def _tests(pull: StabilityPull) -> list[tuple[str, str]]:
    tests = pull.study.specification.tests.order_by("tag", "point")
    return [(str(one.pk), f"{one.name} {one.point} ({one.limits_text})") for one in tests]


acts.offer(
    StabilityStudy,
    Act(
        "approve", "Approve", Duty.APPROVE_SPECIFICATION, _approve, form=SignForm, is_grave=True,
        is_offered=lambda study: study.state == StudyState.PLANNED,
        explanation="The author does not approve. From then on the plan does not change.",
    ),
    Act(
        "complete", "Complete", Duty.AUTHOR_SPECIFICATION, _complete, form=ReasonForm,
        is_offered=lambda study: study.state == StudyState.RUNNING,
    ),
)  # fmt: skip
acts.offer(
    StabilityPull,
    Act(
        "pull", "Record the pull", Duty.ENTER_RESULTS, _pull, form=PullForm,
        is_offered=lambda pull: pull.state == PullState.PLANNED, initial=fields.now("pulled_at"),
    ),
    Act(
        "miss", "It was missed", Duty.ENTER_RESULTS, _miss, form=ReasonForm,
        is_offered=lambda pull: pull.state == PullState.PLANNED,
    ),
    Act(
        "report", "Report a result", Duty.ENTER_RESULTS, _report, form=ReportForm,
        is_offered=lambda pull: pull.state == PullState.PULLED, choices={"test": _tests},
        initial=fields.now("tested_at"),
    ),
)  # fmt: skip
acts.offer(
    StabilityResult,
    Act(
        "review", "Review", Duty.REVIEW_RESULTS, _review, form=SignForm,
        is_offered=lambda result: not hasattr(result, "review"),
    ),
)  # fmt: skip


@admin.register(StabilityStudy)
class StabilityStudyAdmin(RecordAdmin):
    list_display = ("number", "batch", "kind", "condition", "state", "started_on")
    search_fields = ("number", "batch__number", "condition")
    list_filter = ("state", "kind", "condition")
    list_select_related = ("batch",)
    badges = ("state",)
    date_hierarchy = "started_on"
    ordering = ("-pk",)
    empty_text = "No study yet. QC plans one over the API; quality approves it here."

    def page(self, record: StabilityStudy, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Specification", record_admin.link(record.specification)),
                ("Kind", record.get_kind_display()),
                ("Condition", record.condition),
                ("Container", record.container),
                ("Started", page_parts.day(record.started_on)),
                ("Author", str(record.author)),
                ("Approved by", page_parts.shown(record.approver)),
            ]
        )
        sections = [
            Section("Study", [facts], is_wide=False),
            manifestations.section(record, is_wide=False),
            Section("Pulls", [_pulls(record)]),
            Section("Results and trends", _trends(record)),
        ]
        badge = page_parts.state(record.state, record.get_state_display())
        return Page(record.number, f"{record.batch} at {record.condition}", [badge], sections)


def _pulls(study: StabilityStudy) -> Table:
    today = timezone.now().date()
    rows: list[list[Cell]] = [
        [
            page_parts.link(str(one.month), record_admin.url(one)),
            page_parts.day(one.due_on),
            f"{one.opens_on} to {one.closes_on}",
            page_parts.badge("overdue", "bad")
            if one.state == PullState.PLANNED and one.closes_on < today
            else page_parts.state(one.state, one.get_state_display()),
            page_parts.moment(one.pulled_at),
            one.pulled_by,
            one.remark,
        ]
        for one in study.pulls.order_by("month")
    ]
    return Table(["Month", "Due", "Window", "State", "Pulled", "By", "Remark"], rows)


def _trends(study: StabilityStudy) -> list[Part]:
    parts: list[Part] = [_results(study)]
    for trend in stability_results.trends(study):
        name = trend.test.name
        if trend.line is not None:
            says = f"{name} changes by {float(trend.line.slope):.4g} {trend.test.unit} a month"
            if trend.months is not None:
                says += (
                    f"; its 95 % confidence limit stays within {trend.test.limits_text} for "
                    f"{trend.months} months (ICH Q1E, no further than it allows)"
                )
            parts.append(Note(f"{says}."))
        parts.append(
            Picture(
                record_admin.picture_url(study, "trend", str(trend.test.pk)),
                f"{name} over months; limits {trend.test.limits_text}",
            )
        )
    return parts


def _marked(result: StabilityResult) -> Cell:
    is_out = result.judgement == Judgement.OOS
    return page_parts.alarm(result.value_text) if is_out else result.value_text


def _results(study: StabilityStudy) -> Table:
    found = stability_results.current(study).select_related(
        "pull", "test", "entered_by", "review__reviewer"
    )
    rows: list[list[Cell]] = [
        [
            str(one.pull.month),
            one.test.name,
            _marked(one),
            one.test.limits_text,
            one.entered_by.full_name,
            one.review.reviewer.full_name
            if hasattr(one, "review")
            else page_parts.badge("not reviewed", "warn"),
        ]
        for one in found.order_by("pull__month", "test__tag")
    ]
    columns = ["Month", "Test", "Result", "Limits", "Analyst", "Review"]
    return Table(columns, rows, numeric=["Month", "Result"], empty="No result yet.")


@record_admin.picture(StabilityStudy, "trend")
def trend_chart(study: StabilityStudy, key: str) -> bytes | None:
    """Draw one test over the months of its study, with its limits."""
    trend = next((one for one in stability_results.trends(study) if str(one.test.pk) == key), None)
    if trend is None:
        return None
    sides = (("low", trend.test.low), ("high", trend.test.high))
    series = [
        charts.Series(trend.test.name, [(float(month), float(v)) for month, v in trend.points])
    ]
    if trend.line is not None:
        ends = (trend.points[0][0], trend.points[-1][0])
        line = [(float(month), float(trend.line.at(month))) for month in ends]
        series.append(charts.Series("regression", line))
    drawing = charts.time_series(
        series,
        limits=[
            charts.Limit(f"{side} {value.normalize():f}", float(value))
            for side, value in sides
            if value is not None
        ],
        title=trend.test.name,
        unit=trend.test.unit,
        x_label="months",
    )
    return charts.to_svg(drawing)


@admin.register(StabilityPull)
class StabilityPullAdmin(RecordAdmin):
    list_display = ("study", "month", "due_on", "opens_on", "closes_on", "state", "pulled_at")
    search_fields = ("study__number", "study__batch__number")
    list_filter = ("state", "study__kind")
    list_select_related = ("study",)
    badges = ("state",)
    date_hierarchy = "due_on"
    ordering = ("due_on", "pk")
    empty_text = "No pull is planned. A study is planned with its pulls."


@admin.register(StabilityResult)
class StabilityResultAdmin(RecordAdmin):
    list_display = ("pull", "test", "written", "judgement", "version", "tested_at", "entered_by")
    search_fields = ("pull__study__number", "test__tag", "entered_by__username")
    list_filter = ("judgement", "test__tag")
    list_select_related = ("pull__study", "test__version__specification", "entered_by")
    badges = ("judgement",)
    date_hierarchy = "tested_at"
    ordering = ("-pk",)
    empty_text = "No stability result yet. They are reported on the pages of pulls."

    @admin.display(description="Result", ordering="judged_value")
    def written(self, record: StabilityResult) -> Cell:
        return _marked(record)

    def page(self, record: StabilityResult, request: HttpRequest) -> Page:
        page = super().page(record, request)
        return Page(page.title, sections=[*page.sections, manifestations.section(record)])
