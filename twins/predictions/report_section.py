"""Write what the twin said of a batch into its report: runs, alerts, causes, a forecast chart."""

from batches.disposition import batch_report
from batches.disposition.report_sections import moment
from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.reports.document import Align, Block, Chart, Column, Fact, Facts, Paragraph, Table
from twins.predictions import charts, outputs
from twins.predictions.models import Alert, AlertSide, Prediction

HEADING = "Predictions of the twin"


def write(batch: Batch) -> list[Block]:
    """Give every run with its digests, every alert with its causes and its chart."""
    runs = list(
        Prediction.objects.filter(batch=batch)
        .select_related("model_version")
        .defer("input", "output")
        .order_by("as_of", "pk")
    )
    if not runs:
        return []
    versions = sorted({str(one.model_version) for one in runs})
    blocks: list[Block] = [
        Paragraph(
            f"{'One run' if len(runs) == 1 else f'{len(runs)} runs'} of {', '.join(versions)}. "
            "A prediction changes nothing by itself: a person accepts or rejects each alert. "
            "Every run can be repeated to the byte from its input."
        )
    ]
    for alert in batch.alerts.select_related("prediction", "deviation").order_by("pk"):
        blocks += _alert(alert)
    rows = tuple(
        (
            moment(one.as_of), one.get_state_display(), one.status,
            one.input_digest[:16], one.output_digest[:16],
        )
        for one in runs
    )  # fmt: skip
    columns = (
        Column("As of", 1.6),
        Column("State", 0.6),
        Column("Status", 0.9),
        Column("Input, SHA-256", 1.3),
        Column("Output, SHA-256", 1.3),
    )
    return [*blocks, Table(columns, rows, caption="Digests are shortened to 16 digits.")]


def _alert(alert: Alert) -> list[Block]:
    kind = "Trial alert" if alert.is_trial else "Alert"
    said = Paragraph(f"{kind} as of {moment(alert.prediction.as_of)}: {_foretold(alert)}.")
    answer = "not answered yet"
    if alert.answered_at:
        answer = (
            f"{alert.get_state_display()} by {alert.answered_by} at {moment(alert.answered_at)}: "
            f"{alert.answer_reason}"
        )
    facts = Facts(
        (
            *_lead_time(alert),
            Fact("Answer", answer),
            Fact("Deviation", alert.deviation.number if alert.deviation else "none"),
        )
    )
    rows = tuple((str(name), f"{float(share):+.3f}") for name, share in alert.contributions)
    added = "Share of the score" if alert.side == AlertSide.UNLIKE else "Log-odds added"
    causes = Table((Column("Contributing variable", 2.0), Column(added, 1.0, Align.RIGHT)), rows)
    return [said, facts, causes, Chart(charts.forecast(alert.prediction, tag=alert.tag))]


def _foretold(alert: Alert) -> str:
    probability = f"probability {float(alert.probability):.2f}"
    if alert.side == AlertSide.UNLIKE:
        return (
            f"the batch is unlike normal ones; a deviation is active with {probability}, one that "
            f"costs product has begun with probability {float(alert.impact_probability):.2f}"
        )
    limit = f"{alert.limit} {unit_words.shown(alert.unit)}"
    if outputs.is_past(alert):
        return f"{alert.tag} was {alert.get_side_display().lower()} {limit} already, {probability}"
    side = "fall below" if alert.side == AlertSide.LOW else "rise above"
    return (
        f"{alert.tag} was foreseen to {side} {limit} within {alert.prediction.horizon_h} h, "
        f"{probability}"
    )


def _lead_time(alert: Alert) -> list[Fact]:
    if not alert.lead_time_h or outputs.is_past(alert):
        return []
    low, high = float(alert.lead_time_low_h), float(alert.lead_time_high_h)
    median = f"{float(alert.lead_time_h):.1f} h in the median"
    return [Fact("Lead time", f"{median}, {low:.1f} to {high:.1f} h (10 to 90 %)")]


batch_report.add_section(HEADING, write)
