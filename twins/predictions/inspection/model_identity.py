"""AI-01: hold the stored bytes of predictions against their digests, and ask for their domain."""

import hashlib
from collections import defaultdict

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from twins.predictions.models import Prediction, PredictionState

OUT_OF_DOMAIN = "out-of-domain"


@CHECKS.register("AI-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report predictions that are not what was stored, and models used outside their domain."""
    percent, least = int(str(parameters["out_of_domain_percent"])), int(str(parameters["at_least"]))
    examined = failing = 0
    facts: list[Fact] = []
    outside: dict[str, list[Prediction]] = defaultdict(list)
    totals: dict[str, int] = defaultdict(int)
    done = snapshot.rows(Prediction).filter(state=PredictionState.DONE).select_related("batch")
    for one in done.iterator(chunk_size=50):
        examined += 1
        totals[one.batch.number] += 1
        for name, text, digest in (
            ("input", one.input, one.input_digest),
            ("output", one.output, one.output_digest),
        ):
            if hashlib.sha256(text.encode()).hexdigest() != digest:
                failing += 1
                facts.append(
                    Fact(
                        f"Prediction {one.pk} on batch {one.batch.number} as of "
                        f"{wording.moment(one.as_of)}: the stored {name} does not have the digest "
                        "recorded for it.",
                        evidence=(Evidence("predictions_prediction", str(one.pk), {name: digest}),),
                        batches=frozenset({one.batch.number}),
                    )
                )
        if one.status == OUT_OF_DOMAIN:
            outside[one.batch.number].append(one)
    if not examined:
        return outcomes.not_applicable("No prediction is in scope.")
    for number, found in sorted(outside.items()):
        if totals[number] >= least and 100 * len(found) >= percent * totals[number]:
            failing += len(found)
            facts.append(
                Fact(
                    f"Batch {number}: {len(found)} of {totals[number]} predictions were outside the "
                    "model's domain; the model watched a process it was not made for.",
                    evidence=tuple(
                        Evidence("predictions_prediction", str(one.pk), {"status": one.status})
                        for one in found[:10]
                    ),
                    batches=frozenset({number}),
                )
            )
    return outcomes.judged(facts, examined=examined, failing=min(failing, examined))
