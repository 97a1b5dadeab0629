"""Explanations in the admin: what an alarm may be, why, what it costs; and on alert and deviation."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from batches.execution.models import Batch
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.reports import charts as drawings
from twins.explanations import charts, offers, outputs, parts, quoting, requests, tasks
from twins.explanations.models import Explanation
from twins.predictions.asked.parts import badges
from twins.predictions.models import Alert, AlertSide

# --- Acts


def _ask(occasion: Occasion) -> Done:
    explanation = requests.by_person(occasion.record, actor=occasion.actor, at=occasion.at)
    transaction.on_commit(lambda: tasks.explain.delay(explanation_id=explanation.pk), robust=True)
    return Done("An explanation is requested; a worker gives it in some seconds.", explanation)


def _is_offered(alert: Alert) -> bool:
    return not offers.why_not(alert)


acts.offer(
    Alert,
    Act(
        "explain", "Explain again", Duty.ANSWER_ALERT, _ask, form=acts.ConfirmForm,
        is_offered=_is_offered,
        explanation="A worker weighs what the alarm may be and what it costs, with the newest rows that "
        "the twin has seen. Earlier explanations stay as they are.",
    ),
)  # fmt: skip

# --- Explanations


@admin.register(Explanation)
class ExplanationAdmin(RecordAdmin):
    list_display = (
        "number", "batch", "state", "likeliest", "share", "verdict", "proposed", "as_of",
        "requested_by",
    )  # fmt: skip
    search_fields = ("alert__batch__number", "likeliest", "requested_by", "output_digest")
    list_filter = ("state", "verdict", "proposed")
    list_select_related = ("alert__batch", "prediction")
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "No explanation yet. One is made for each alert of the penicillin batch twin."

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        return found.defer("prediction__input", "prediction__output")

    @admin.display(description="Explanation", ordering="pk")
    def number(self, explanation: Explanation) -> str:
        return str(explanation)

    @admin.display(description="Batch")
    def batch(self, explanation: Explanation) -> str:
        return explanation.alert.batch.number

    @admin.display(description="Weight")
    def share(self, explanation: Explanation) -> str:
        return f"{float(explanation.weight):.2f}" if explanation.weight else ""

    @admin.display(description="Rows as of", ordering="prediction__as_of")
    def as_of(self, explanation: Explanation) -> str:
        return page_parts.moment(explanation.prediction.as_of)

    def page(self, record: Explanation, request: HttpRequest) -> Page:
        return Page(
            f"What alert {record.alert_id} may be",
            f"{record}, batch {record.alert.batch}",
            badges(record),
            [
                Section("What it says", [Note(outputs.headline(record)), *_newer(record)]),
                *parts.sections(record),
                Section("Run", [_run(record)]),
            ],
        )


def _newer(explanation: Explanation) -> list[Part]:
    newest = quoting.newest_of(explanation.alert)
    decides: list[Part] = [Note(outputs.standing(explanation)), Note(outputs.ADVICE)]
    if newest is None or newest.prediction.as_of <= explanation.prediction.as_of:
        return decides
    told = page_parts.link(f"There is one of newer rows: {newest}", record_admin.url(newest))
    return [Note(told, "warn"), *decides]


def _run(explanation: Explanation) -> Facts:
    prediction = explanation.prediction
    requested = page_parts.moment(explanation.requested_at)
    return Facts(
        [
            ("Alert", record_admin.link(explanation.alert)),
            ("Rows as of", page_parts.moment(prediction.as_of)),
            ("Rows as seen by", record_admin.link(prediction)),
            ("Twin", record_admin.link(prediction.model_version)),
            ("Requested", f"{requested} by {explanation.requested_by}"),
            ("Finished", page_parts.moment(explanation.finished_at)),
            ("Seed", str(explanation.seed)),
            ("Digest of the rows", page_parts.code(prediction.input_digest)),
            ("Digest of the question", _digest(explanation.input_digest)),
            ("Digest of the answer", _digest(explanation.output_digest)),
            ("Digest of the code", _digest(explanation.code_digest)),
            *((name, page_parts.shown(value)) for name, value in explanation.environment.items()),
            ("Repeat it", page_parts.code(f"manage.py replay --of explanation {explanation.pk}")),
        ]
    )


def _digest(text: str) -> Cell:
    return page_parts.code(text) if text else ""


@record_admin.picture(Explanation, "product")
def product_chart(explanation: Explanation, key: str) -> bytes | None:
    try:
        return drawings.to_svg(charts.product(explanation, key))
    except Refused:
        return None


# --- On the pages of alerts, deviations and batches


@record_admin.section(Alert, order=5)
def of_alert(alert: Alert, request: HttpRequest) -> Section | None:
    """The newest explanation of an alert whole, and all others by name."""
    found = _listed(alert.explanations.order_by("-pk"))
    if alert.side != AlertSide.UNLIKE and not found:
        return None
    if not found:
        why = offers.why_not(alert)
        told = f"It is not explained: {why}." if why else "A worker has not explained it yet."
        return Section("What it may be", [Note(told)])
    newest = quoting.newest_of(alert)
    shown: list[Part] = []
    if newest is not None:
        said = (outputs.headline(newest), outputs.standing(newest), outputs.ADVICE)
        shown = [*map(Note, said), *parts.summary(newest)]
    return Section("What it may be", [*shown, _table(found)])


@record_admin.section(Deviation, order=31)
def of_deviation(deviation: Deviation, request: HttpRequest) -> Section | None:
    """The explanations of the alerts that a deviation was opened for."""
    return _section(_listed(Explanation.objects.filter(alert__deviation=deviation).order_by("-pk")))


@record_admin.section(Batch, order=22)
def of_batch(batch: Batch, request: HttpRequest) -> Section | None:
    """The explanations of the alerts of a batch."""
    return _section(_listed(Explanation.objects.filter(alert__batch=batch).order_by("-pk")))


def _listed(rows: Any) -> list[Explanation]:
    wanted = rows.select_related("prediction")
    return list(wanted.defer("input", "output", "prediction__input", "prediction__output")[:20])


def _section(found: list[Explanation]) -> Section | None:
    return Section("What the alarm may be", [_table(found)]) if found else None


def _table(found: list[Explanation]) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.state(one.state, one.get_state_display()),
            outputs.headline(one),
            page_parts.moment(one.prediction.as_of),
            one.requested_by,
        ]
        for one in found
    ]
    columns = ["Explanation", "State", "What it says", "Rows as of", "Asked for by"]
    return Table(columns, rows)
