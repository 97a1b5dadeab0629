"""Write what may explain the alerts of a batch into its report: weights, signs, and what it cost."""

from collections.abc import Mapping
from typing import Any

from batches.disposition import batch_report
from batches.disposition.report_sections import moment
from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.reports.document import Align, Block, Chart, Column, Fact, Facts, Paragraph, Table
from twins.explanations import charts, outputs
from twins.explanations.models import ENDED, Explanation, ExplanationState
from twins.predictions.explainable import VERDICTS

HEADING = "Explanations of the twin"

_CAPTION = (
    "Impact; in brackets 5 to 95 % of the estimated members, with and without what the estimate "
    "corrected since the onset. A class is proposed when all courses of a hypothesis agree."
)


def write(batch: Batch) -> list[Block]:
    """Give every explanation that ended, in the order in which it was asked for."""
    found = list(
        Explanation.objects.filter(alert__batch=batch, state__in=ENDED)
        .select_related("alert__batch", "prediction__model_version")
        .defer("prediction__input", "prediction__output")
        .order_by("pk")
    )
    if not found:
        return []
    blocks: list[Block] = [Paragraph(f"{outputs.ADVICE} Each can be repeated to the byte.")]
    for explanation in found:
        blocks += _explanation(explanation)
    if any(one.state == ExplanationState.EXPLAINED for one in found):
        blocks.append(Paragraph(outputs.WEAKNESS))
    return blocks


def _explanation(explanation: Explanation) -> list[Block]:
    kind = "Trial explanation" if explanation.is_trial else "Explanation"
    head = Paragraph(
        f"{kind} {explanation.pk} of alert {explanation.alert_id}, asked for by "
        f"{explanation.requested_by}: {outputs.headline(explanation)}"
    )
    facts = [
        Fact("Standing", outputs.standing(explanation)),
        Fact("Twin", str(explanation.prediction.model_version)),
        Fact("As of", moment(explanation.prediction.as_of)),
        Fact("Rows, SHA-256", explanation.prediction.input_digest),
        Fact("Question, SHA-256", explanation.input_digest or "none"),
        Fact("Answer, SHA-256", explanation.output_digest or "none"),
        Fact("Code, SHA-256", explanation.code_digest or "none"),
    ]
    if explanation.state != ExplanationState.EXPLAINED:
        return [head, Facts(tuple(facts))]
    said = outputs.document(explanation)
    facts[3:3] = [
        Fact("Suspected onset", outputs.onset(said)),
        Fact("Probe or process", VERDICTS[said["verdict"]]),
        Fact(
            "Undecided between", outputs.undecided(said) or "nothing: one holds nine tenths alone"
        ),
        *(Fact("Never told apart by these signals", one) for one in outputs.inseparable(said)),
    ]
    drawn = [Chart(charts.product(explanation, name)) for name in charts.costed(explanation)]
    return [head, Facts(tuple(facts)), _weights(said), _signs(said), *_impacts(said), *drawn]


def _weights(said: Mapping[str, Any]) -> Block:
    rows = tuple(
        (one["title"], one["kind"], f"{float(one['prior']):.3f}", f"{float(one['weight']):.3f}")
        for one in outputs.ranked(said)
        if float(one["weight"]) >= outputs.LEAST_WEIGHT
    )
    columns = (
        Column("Hypothesis", 2.4), Column("Kind", 0.8), Column("Prior", 0.7, Align.RIGHT),
        Column("Weight", 0.7, Align.RIGHT),
    )  # fmt: skip
    return Table(
        columns, rows, caption=f"Hypotheses; weights below {outputs.LEAST_WEIGHT:g} are left out."
    )


def _signs(said: Mapping[str, Any]) -> Block:
    rows = tuple(
        (
            one["title"],
            f"{float(one['departure']):+.3g} {unit_words.shown(one['unit'])}",
            f"{float(one['usual_sizes']):+.1f}",
            f"{float(one['at_h']):.1f} h",
        )
        for one in sorted(said["signs"], key=lambda one: -abs(float(one["usual_sizes"])))
    )
    columns = (
        Column("Sign", 2.2), Column("Departure", 0.9, Align.RIGHT),
        Column("Usual sizes", 0.7, Align.RIGHT), Column("At", 0.6, Align.RIGHT),
    )  # fmt: skip
    return Table(
        columns, rows, caption="Signs; one normal window in twenty exceeds a usual size of 1."
    )


def _impacts(said: Mapping[str, Any]) -> list[Block]:
    title = outputs.titles(said)
    rows, refused = [], []
    for one in said["impacts"]:
        if "refused" in one:
            why = one["refused"]
            refused.append(Paragraph(f"{title[one['name']]}: {why['reason']} ({why['code']})."))
            continue
        for course in one["courses"]:
            rows.append(
                (
                    title[one["name"]],
                    outputs.future(course, as_of_h=said["as_of_h"]),
                    outputs.kg(course["lost_kg"]),
                    outputs.share(course["lost_share"]),
                    course["proposed"],
                )
            )
    columns = (
        Column("If it was", 1.4), Column("Product counted", 1.3), Column("Lost", 1.3),
        Column("Share", 1.3), Column("Class", 0.7),
    )  # fmt: skip
    table = [Table(columns, tuple(rows), caption=_CAPTION)]
    return [*(table if rows else []), *refused]


batch_report.add_section(HEADING, write)
