"""Bulk runs in the admin: how far each is, what failed and why, and what it came to."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from compliance import times
from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Bar, Bars, Cell, Facts, Note, Page, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.trail.tlog import canonical
from twins.bulk import asking, batches_named, running, tasks
from twins.bulk.models import BulkKind, BulkRun, BulkState, PartState

_SHOWN = 50


class PredictionsForm(ReasonForm):
    batches = forms.CharField(
        label="Batches", help_text="Numbers, with spaces between them.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    field_order = ("batches", "reason")


class FuturesForm(ReasonForm):
    batch = forms.CharField(max_length=60, help_text="Its number.")
    as_of = forms.CharField(
        label="As of", max_length=40, help_text="A moment with its zone: 2026-03-08T12:00:00Z"
    )
    members = forms.IntegerField(
        label="Futures", min_value=1, max_value=asking.MOST_MEMBERS, initial=10_000
    )
    field_order = ("batch", "as_of", "members", "reason")

    def clean_as_of(self) -> Any:
        try:
            return times.parse(self.cleaned_data["as_of"])
        except times.NotAMoment as error:
            raise forms.ValidationError(str(error)) from error


# --- Acts


def _ask_predictions(occasion: Occasion) -> Done:
    run = asking.predictions(
        batches_named.all_of(occasion.values["batches"].split()),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return _started(run)


def _ask_futures(occasion: Occasion) -> Done:
    run = asking.of_futures(
        batches_named.one(occasion.values["batch"].strip()),
        as_of=occasion.values["as_of"],
        members=occasion.values["members"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return _started(run)


def _started(run: BulkRun) -> Done:
    transaction.on_commit(lambda: tasks.start(run), robust=True)
    return Done(f"{run} is on its way, in {run.part_count} parts.", run)


def _cancel(occasion: Occasion) -> Done:
    run = running.cancel(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{run} is cancelled; what was done stays.", run)


def _retry(occasion: Occasion) -> Done:
    run = running.retry(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return _started(run)


def _is_open(run: BulkRun) -> bool:
    return run.state in (BulkState.RUNNING, BulkState.INCOMPLETE)


def _is_incomplete(run: BulkRun) -> bool:
    return run.state == BulkState.INCOMPLETE


acts.offer(
    BulkRun,
    Act(
        "ask-predictions", "Predict batches", Duty.ASK_TWINS, _ask_predictions,
        form=PredictionsForm, is_for_list=True,
        explanation="Workers predict every moment of these batches that has not been predicted.",
    ),
    Act(
        "ask-futures", "Run futures of a batch", Duty.ASK_TWINS, _ask_futures, form=FuturesForm,
        is_for_list=True,
        explanation="Workers run the twin from one moment on, as often as you say. No record of the "
        "batch changes.",
    ),
    Act(
        "cancel", "Cancel", Duty.ASK_TWINS, _cancel, is_offered=_is_open, is_grave=True,
        explanation="What is done stays on record; the rest is not run.",
    ),
    Act(
        "retry", "Try failed parts again", Duty.ASK_TWINS, _retry, is_offered=_is_incomplete,
    ),
)  # fmt: skip


# --- Pages


@admin.register(BulkRun)
class BulkRunAdmin(RecordAdmin):
    list_display = ("number", "title", "state", "parts_done", "requested_by", "requested_at")
    search_fields = ("number", "title", "result_digest")
    list_filter = ("state", "kind")
    list_select_related = ("requested_by",)
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "Nothing was asked of twins in bulk yet."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("request", "result")

    @admin.display(description="Parts done")
    def parts_done(self, run: BulkRun) -> str:
        return f"{running.progress(run).done} of {run.part_count}"

    def page(self, record: BulkRun, request: HttpRequest) -> Page:
        found = running.progress(record)
        facts = Facts(
            [
                ("Asked", f"{page_parts.moment(record.requested_at)} by {record.requested_by}"),
                ("Reason", record.reason),
                ("Ended", page_parts.moment(record.ended_at)),
                ("Cancelled by", record.cancelled_by),
                ("A part may take", str(timedelta(seconds=record.seconds))),
                ("A part may add", f"{record.memory_mb} MiB of memory"),
                ("Digest of the request", page_parts.code(record.request_digest)),
                ("Digest of the result", page_parts.code(record.result_digest)),
            ]
        )
        sections = [
            Section("Progress", [*_progress(record, found)]),
            Section("Run", [facts]),
        ]
        if record.state == BulkState.DONE and record.kind == BulkKind.FUTURES:
            sections.append(Section("What the futures say", [_limits(record)]))
        if found.failed:
            sections.append(Section("Failed parts", [_failed(record)]))
        badges = [page_parts.state(record.state, record.get_state_display())]
        return Page(record.number, record.title, badges, sections)


def _progress(run: BulkRun, found: running.Progress) -> list[Bars | Note]:
    share = found.done / run.part_count
    bars = [Bar("Parts", 1.0, str(run.part_count)), Bar("Done", share, f"{share:.0%}")]
    if found.claimed:
        bars.append(Bar("Under way", found.claimed / run.part_count, str(found.claimed)))
    if found.failed:
        bars.append(Bar("Failed", found.failed / run.part_count, str(found.failed)))
    parts: list[Bars | Note] = [Bars(bars)]
    if run.state == BulkState.RUNNING:
        parts.append(Note("Workers are at it; load this page again in a moment.", "busy"))
    elif run.state == BulkState.INCOMPLETE:
        parts.append(Note("Some parts failed: try them again, or cancel the run.", "bad"))
    return parts


def _limits(run: BulkRun) -> Table | Note:
    result: Any = canonical.loads(run.result.encode())
    rows: list[list[Cell]] = [
        [
            one["tag"],
            f"{'below' if one['side'] == 'low' else 'above'} {float(one['bound']):g} {one['unit']}",
            f"{100 * float(one['probability']):.2f} % ± {100 * float(one['standard_error']):.2f}",
            f"{float(one['lead_h_median']):.1f} h" if one["lead_h_median"] else "",
        ]
        for one in result["limits"]
    ]
    columns = ["Parameter", "Limit", "Probability", "Lead time (median)"]
    return Table(columns, rows, numeric=columns[2:], empty="No limit applies in this time.")


def _failed(run: BulkRun) -> Table:
    failed = run.parts.filter(state=PartState.FAILED).order_by("order")[:_SHOWN]
    rows: list[list[Cell]] = [
        [str(part.order + 1), str(part.attempts), part.problem] for part in failed
    ]
    return Table(["Part", "Attempts", "Problem"], rows, numeric=["Part", "Attempts"])
