"""Predictions and alerts in the admin: what a twin foresees, why, and what people answered."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import (
    Bar,
    Bars,
    Cell,
    Facts,
    Note,
    Page,
    Part,
    Picture,
    Section,
    Table,
    Text,
)
from compliance.access.record_admin import RecordAdmin
from compliance.quality.models import Deviation, Severity
from compliance.refusals import Refused
from compliance.reports import charts as drawings
from twins.hub.models import ModelVersion
from twins.predictions import achieved, alerts, charts, outputs, replays
from twins.predictions.models import Alert, AlertSide, AlertState, Prediction, PredictionState
from twins.predictions.said import in_words
from twins.predictions.watching import LEAST_SHARE

PAST = "none: crossed already"
_SIDES = {"low": "below", "high": "above"}


class AcceptForm(ReasonForm):
    severity = forms.ChoiceField(
        label="Severity of the deviation", choices=Severity.choices, initial=Severity.MAJOR
    )
    field_order = ("severity", "reason")


# --- Acts


def _accept(occasion: Occasion) -> Done:
    alert = alerts.answer(
        occasion.record,
        accept=True,
        reason=occasion.values["reason"],
        severity=Severity(occasion.values["severity"]),
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"The alert is accepted; {alert.deviation} is open.", alert.deviation)


def _reject(occasion: Occasion) -> Done:
    alerts.answer(
        occasion.record,
        accept=False,
        reason=occasion.values["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done("The alert is rejected; your reason stays with it.")


def _replay(occasion: Occasion) -> Done:
    return Done(str(replays.replay(occasion.record)))


def _is_open(alert: Alert) -> bool:
    return alert.state == AlertState.OPEN


def _is_done(prediction: Prediction) -> bool:
    return prediction.state == PredictionState.DONE


acts.offer(
    Alert,
    Act(
        "accept", "Accept", Duty.ANSWER_ALERT, _accept, form=AcceptForm, is_offered=_is_open,
        explanation="Accepting opens a deviation that is linked to the batch.",
    ),
    Act(
        "reject", "Reject", Duty.ANSWER_ALERT, _reject, is_offered=_is_open,
        explanation="Say why the prediction does not hold. The alert stays on record.",
    ),
)  # fmt: skip
acts.offer(
    Prediction,
    Act(
        "replay", "Replay", Duty.READ, _replay, form=acts.ConfirmForm, is_offered=_is_done,
        explanation="Runs the twin again on the recorded input, here and now, and compares every "
        "byte of its answer. It changes nothing and takes a few seconds.",
    ),
)  # fmt: skip


# --- Alerts


@admin.register(Alert)
class AlertAdmin(RecordAdmin):
    list_display = ("foreseen", "batch", "state", "chance", "lead_time", "raised_at", "answered_by")
    search_fields = ("batch__number", "tag", "answered_by", "answer_reason")
    list_filter = ("state", "side", "tag")
    list_select_related = ("batch", "prediction", "deviation")
    badges = ("state",)
    date_hierarchy = "raised_at"
    ordering = ("-pk",)
    empty_text = "No alert yet. Twins raise them while batches run."

    @admin.display(description="Foreseen", ordering="tag")
    def foreseen(self, alert: Alert) -> str:
        return outputs.foreseen(alert)

    @admin.display(description="Probability", ordering="probability")
    def chance(self, alert: Alert) -> str:
        return percent(alert.probability)

    @admin.display(description="Lead time")
    def lead_time(self, alert: Alert) -> str:
        return lead_time(alert)

    def page(self, record: Alert, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Probability", percent(record.probability)),
                ("That it costs product", percent(record.impact_probability) or "not told apart"),
                ("Lead time", lead_time(record)),
                ("Limit", f"{record.limit} {unit_words.shown(record.unit)}"),
                ("As of", page_parts.moment(record.prediction.as_of)),
                ("Raised", page_parts.moment(record.raised_at)),
                ("Prediction", record_admin.link(record.prediction)),
            ]
        )
        added = "the score" if record.side == AlertSide.UNLIKE else "the log-odds"
        sections = [
            Section(_heading(record), [facts], is_wide=False),
            Section("Answer", [_answer(record)], is_wide=False),
            Section(f"Why: contributions to {added}", [_contributions(record)]),
        ]
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.is_trial:
            badges.append(page_parts.badge("Trial: version not qualified", "warn"))
        return Page(outputs.foreseen(record), f"of batch {record.batch}", badges, sections)


@record_admin.section(Alert, order=8)
def forecast_of(alert: Alert, request: HttpRequest) -> Section | None:
    """What was foretold, after what higher rooms say of the alert first."""
    if alert.prediction.state != PredictionState.DONE:
        return None
    return Section("Forecast", [_picture(alert.prediction, one) for one in _telling(alert)])


def _telling(alert: Alert) -> list[str]:
    """Name what is drawn beside an alert: its tag, or the score and the strongest signals."""
    if alert.side != AlertSide.UNLIKE:
        return [alert.tag]
    foretold = {one["quantity"] for one in outputs.document(alert.prediction)["forecasts"]}
    return [one for one in charts.tags(alert.prediction) if one not in foretold]


def _heading(alert: Alert) -> str:
    return "What the twin found" if outputs.is_past(alert) else "What was foreseen"


def percent(share: str) -> str:
    return f"{100 * float(share):.0f} %" if share else ""


def lead_time(alert: Alert) -> str:
    """Write the median time to the limit with its 10 and 90 % quantiles."""
    if not alert.lead_time_h:
        return ""
    if outputs.is_past(alert):
        return PAST
    low, high = float(alert.lead_time_low_h), float(alert.lead_time_high_h)
    return f"{float(alert.lead_time_h):.1f} h ({low:.1f} to {high:.1f} h)"


def _answer(alert: Alert) -> Part:
    if alert.state == AlertState.OPEN:
        return Note("Nobody has answered yet. Accept it, which opens a deviation, or reject it.")
    return Facts(
        [
            ("Answered", f"{page_parts.moment(alert.answered_at)} by {alert.answered_by}"),
            ("Reason", alert.answer_reason),
            ("Deviation", record_admin.link(alert.deviation)),
        ]
    )


def _contributions(alert: Alert) -> Part:
    bars = [
        Bar(variable, float(share), f"{float(share):+.2f}")
        for variable, share in alert.contributions
    ]
    return Bars(bars) if bars else Note("The twin named no contribution.")


# --- Predictions


@admin.register(Prediction)
class PredictionAdmin(RecordAdmin):
    list_display = (
        "as_of",
        "batch",
        "model_version",
        "state",
        "status",
        "horizon_h",
        "finished_at",
    )
    search_fields = ("batch__number", "input_digest", "output_digest")
    list_filter = ("state", "status")
    list_select_related = ("batch", "model_version")
    badges = ("state",)
    date_hierarchy = "as_of"
    ordering = ("-pk",)
    empty_text = "No prediction yet. Twins run beside batches whose recipe names one."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("input", "output")

    def page(self, record: Prediction, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("As of", page_parts.moment(record.as_of)),
                ("Horizon", f"{record.horizon_h} h"),
                ("Seed", str(record.seed)),
                ("Twin", record_admin.link(record.model_version)),
                ("Claimed", page_parts.moment(record.claimed_at)),
                ("Finished", page_parts.moment(record.finished_at)),
                ("Digest of the input", page_parts.code(record.input_digest)),
                ("Digest of the output", page_parts.code(record.output_digest)),
            ]
        )
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.is_trial:
            badges.append(page_parts.badge("Trial: version not qualified", "warn"))
        if record.status:
            badges.append(page_parts.state(record.status, record.status.replace("-", " ")))
        sections = [Section("Prediction", [facts])]
        if record.problem:
            code = f" ({record.refusal})" if record.refusal else ""
            sections.append(Section("Problem", [Text(f"{record.problem}{code}")]))
        if record.state == PredictionState.DONE:
            sections += _foretold(record)
        if record.environment:
            rows: list[list[Cell]] = [
                [name, page_parts.shown(value)] for name, value in record.environment.items()
            ]
            sections.append(Section("Where it ran", [Table(["What", "Version"], rows)]))
        title = f"As of {page_parts.moment(record.as_of)}"
        return Page(title, f"of batch {record.batch}", badges, sections)


def _foretold(prediction: Prediction) -> list[Section]:
    document = outputs.document(prediction)
    sections = []
    if document["reasons"]:
        is_partial = prediction.status == "forecast"
        title = "What is missing" if is_partial else "Why there is no forecast"
        sections.append(Section(title, [Text("\n\n".join(document["reasons"]))]))
    sections.append(_watched(document) if "shares" in document else _limits(document))
    if drawn := [_picture(prediction, tag) for tag in charts.tags(prediction)]:
        sections.append(Section("Forecasts", drawn))
    return sections


def _limits(document: dict[str, Any]) -> Section:
    rows: list[list[Cell]] = [
        [
            one["tag"],
            f"{_SIDES[one['side']]} {_rounded(one['bound'])} {unit_words.shown(one['unit'])}",
            percent(one["probability"] or ""),
            _median(one["lead_h_median"] or ""),
        ]
        for one in document["limits"]
    ]
    columns = ["Parameter", "Limit", "Probability within the horizon", "Lead time (median)"]
    return Section("Limits", [Table(columns, rows, numeric=columns[2:])])


def _median(lead_h: str) -> str:
    """Write the median time to a limit; one that is crossed already has none, as in an alert."""
    if not lead_h:
        return ""
    return f"{float(lead_h):.1f} h" if float(lead_h) > 0.0 else PAST


def _watched(document: dict[str, Any]) -> Section:
    facts = Facts(
        [
            ("A deviation is active", percent(document["p"] or "")),
            ("One that costs product has begun", percent(document["p_impact"] or "")),
            ("Score, 1 is the limit", _rounded(document["score"] or "")),
            ("Alarm since", f"{_rounded(document['alarm_since_h'] or '')} h"),
        ]
    )
    bars = [
        Bar(in_words(one["signal"], one["check"]), share, f"{share:.2f}")
        for one in document["shares"]
        if (share := float(one["share"])) >= LEAST_SHARE
    ]
    why = Bars(bars) if bars else Note("There is no score yet.")
    return Section("Against normal batches", [facts, why])


def _picture(prediction: Prediction, tag: str) -> Picture:
    return Picture(
        record_admin.picture_url(prediction, "forecast", tag),
        f"{tag} of batch {prediction.batch}: measured, and foretold with a 5 to 95 % band",
    )


@record_admin.picture(Prediction, "forecast")
def forecast_chart(prediction: Prediction, key: str) -> bytes | None:
    try:
        return drawings.to_svg(charts.forecast(prediction, tag=key))
    except Refused:
        return None


def _rounded(number: str) -> str:
    return f"{float(number):.4g}" if number else "–"


# --- On the pages of lower rooms


@record_admin.section(Batch, order=20)
def of_batch(batch: Batch, request: HttpRequest) -> Section | None:
    """The alerts and newest prediction of a batch."""
    raised = batch.alerts.select_related("deviation").order_by("-pk")[:20]
    done = batch.predictions.filter(state=PredictionState.DONE)
    newest = done.select_related("batch").order_by("-as_of").first()
    if newest is None and not raised:
        if not batch.recipe.twin:
            return None
        return Section("Predictions", [Note("Its twin has not predicted yet.")])
    rows: list[list[Cell]] = [
        [
            page_parts.link(outputs.foreseen(one), record_admin.url(one)),
            page_parts.state(one.state, one.get_state_display()),
            percent(one.probability),
            lead_time(one),
            page_parts.moment(one.raised_at),
            record_admin.link(one.deviation),
        ]
        for one in raised
    ]
    columns = ["Alert", "State", "Probability", "Lead time", "Raised", "Deviation"]
    parts: list[Part] = [Table(columns, rows, numeric=["Probability"], empty="No alerts.")]
    if newest is not None:
        every = f"{record_admin.list_url(Prediction)}?batch__id__exact={batch.pk}"
        shown = page_parts.link(f"Newest prediction: {newest}", record_admin.url(newest))
        parts += [Note(shown), Note(page_parts.link("All predictions of this batch", every))]
        parts += [_picture(newest, tag) for tag in charts.tags(newest)[:1]]
    return Section("Alerts and predictions", parts)


@record_admin.section(Deviation, order=30)
def of_deviation(deviation: Deviation, request: HttpRequest) -> Section | None:
    """The alerts that a deviation was opened for."""
    rows: list[list[Cell]] = [
        [
            page_parts.link(outputs.foreseen(one), record_admin.url(one)),
            record_admin.link(one.batch),
            percent(one.probability),
            lead_time(one),
        ]
        for one in deviation.alerts.select_related("batch").order_by("pk")
    ]
    if not rows:
        return None
    table = Table(["Alert", "Batch", "Probability", "Lead time"], rows, numeric=["Probability"])
    return Section("Seen by a twin", [table])


@record_admin.section(ModelVersion, order=10)
def of_version(version: ModelVersion, request: HttpRequest) -> Section | None:
    """How a version does in use, beside what it promised."""
    found = achieved.of(version)
    if not found:
        return None
    rows: list[list[Cell]] = [
        [
            "As a trial" if one.is_trial else "For GMP",
            _share(one.false_alarms),
            "none was promised"
            if one.contract is None
            else f"{one.contract:.0%} of normal batches",
            "" if one.chance is None else f"{one.chance:.2f}",
            _share(one.detected),
        ]
        for one in found
    ]
    columns = [
        "Used", "Normal batches with an alarm", "Promised at most", "Chance of so many, or more",
        "Deviations it warned of",
    ]  # fmt: skip
    note = Note(
        "Of batches that have ended, whose alerts are answered and whose deviations are settled; in "
        "brackets the exact interval, 95 %."
    )
    return Section("In use: the alarm contract", [Table(columns, rows), note])


def _share(rate: achieved.Rate) -> str:
    if rate.interval is None:
        return "none yet"
    low, high = rate.interval.low, rate.interval.high
    return f"{rate.count} of {rate.of} ({low:.1%} to {high:.1%})"
