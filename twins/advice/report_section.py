"""Write what was advised on a batch into its report: the move, the answer, what was done and came."""

from batches.disposition import batch_report
from batches.disposition.report_sections import moment
from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.reports.document import Block, Chart, Fact, Facts, Paragraph
from twins.advice import charts, outputs
from twins.advice.models import GIVEN, Comparison, Proposal

HEADING = "Advice of the twin"
_HELD = {None: "it was not measured", False: "it was not crossed", True: "it was crossed"}


def write(batch: Batch) -> list[Block]:
    """Give every proposal with both futures, its answer, and how it compares."""
    found = list(
        Proposal.objects.filter(alert__batch=batch, state__in=GIVEN)
        .select_related("alert__batch", "prediction", "comparison", "superseded_by")
        .defer("prediction__input", "prediction__output")
        .order_by("pk")
    )
    if not found:
        return []
    blocks: list[Block] = [
        Paragraph(
            f"{'One proposal' if len(found) == 1 else f'{len(found)} proposals'}. A proposal does "
            "nothing: a person accepts or rejects it, and sets the feed through the MES. Each can be "
            "repeated to the byte from its question."
        )
    ]
    for proposal in found:
        blocks += _proposal(proposal)
    return blocks


def _proposal(proposal: Proposal) -> list[Block]:
    alert = proposal.alert
    kind = "Trial proposal" if proposal.is_trial else "Proposal"
    departures = "; ".join(
        f"{rate:+g} L/h from {start:g} to {end:g} h"
        for start, end, rate in outputs.steps(outputs.document(proposal))
    )
    facts = [
        Fact("As of", moment(proposal.prediction.as_of)),
        Fact("Departure from the feed as is", departures or "none"),
        Fact("Registered range", _range(proposal)),
        Fact("Last safe moment", _last_safe(proposal)),
        Fact("Answer", _answer(proposal)),
        Fact("Question, SHA-256", proposal.input_digest),
        Fact("Advice, SHA-256", proposal.output_digest),
        *_compared(getattr(proposal, "comparison", None)),
    ]
    said = Paragraph(
        f"{kind} {proposal.pk} on {alert.tag} {alert.get_side_display().lower()} "
        f"{float(alert.limit):g} {unit_words.shown(alert.unit)}: {outputs.headline(proposal)}"
    )
    blocks: list[Block] = [said, Facts(tuple(facts))]
    if proposal.before:
        blocks += [Chart(charts.futures(proposal)), Chart(charts.feeds(proposal))]
    return blocks


def _range(proposal: Proposal) -> str:
    low, high = float(proposal.range_low), float(proposal.range_high)
    return f"{low:g} to {high:g} L/h, {proposal.range_source}"


def _last_safe(proposal: Proposal) -> str:
    if proposal.last_safe_at is None:
        return "none"
    return (
        f"{moment(proposal.last_safe_at)} (surely {moment(proposal.last_safe_low_at)}, "
        f"perhaps {moment(proposal.last_safe_high_at)})"
    )


def _answer(proposal: Proposal) -> str:
    if proposal.answered_by:
        return (
            f"{proposal.get_state_display()} by {proposal.answered_by} at "
            f"{moment(proposal.ended_at)}: {proposal.answer_reason}"
        )
    if proposal.superseded_by_id:
        return f"superseded by proposal {proposal.superseded_by_id}"
    return proposal.get_state_display().lower()


def _compared(comparison: Comparison | None) -> list[Fact]:
    if comparison is None:
        return [Fact("Compared with what was done", "not yet")]
    hours = comparison.hours_measured
    said = (
        f"{comparison.get_followed_display()}. Of the limit: {_HELD[comparison.is_crossed]}. "
        f"Hours inside the interval as is: {comparison.inside_as_is} of {hours}"
    )
    if comparison.inside_moved is not None:
        said += f", with the move: {comparison.inside_moved} of {hours}"
    return [Fact("Compared with what was done", f"{said}, until {moment(comparison.until)}")]


batch_report.add_section(HEADING, write)
