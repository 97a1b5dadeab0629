"""LB-01: find results outside limits that no deviation speaks of (211.192)."""

from datetime import timedelta

from batches.laboratory.inspection import limits
from batches.laboratory.models import OosInvestigation, Result
from batches.recipes.models import Criticality, Parameter
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation


@CHECKS.register("LB-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report such results. Of a quality attribute the last sample counts: it is the product."""
    before = timedelta(hours=int(str(parameters["before_hours"])))
    after = timedelta(hours=int(str(parameters["after_hours"])))
    results = list(
        snapshot.rows(Result).select_related("sample__batch").order_by("sample__taken_at", "pk")
    )
    known = limits.of_batches(results)
    judged = _counting(results, known)
    if not judged:
        return outcomes.not_applicable("No result with a limit is in scope.")
    facts = []
    covered = []
    for result, parameter in judged:
        if not limits.is_outside(result, parameter):
            continue
        batch = result.sample.batch
        words = (
            f"{parameter.name} {result.value_text} {result.unit} of sample {result.sample.number}, "
            f"taken {wording.moment(result.sample.taken_at)}, outside {parameter.limits_text}"
        )
        speaking = [
            one.number
            for one in batch.deviations.order_by("number")
            if _speaks_of(one, result, parameter, before, after)
        ]
        speaking += [one.number for one in OosInvestigation.objects.filter(result=result)]
        if speaking:
            covered.append(f"{batch.number}: {words}, see {wording.listed(speaking)}")
            continue
        facts.append(
            Fact(
                f"Batch {batch.number}: {words}, reported {wording.moment(result.reported_at)}; no "
                "deviation or investigation linked to the batch is about it.",
                evidence=(
                    Evidence(
                        "laboratory_result",
                        str(result.pk),
                        {"tag": result.tag, "value": f"{result.value_text} {result.unit}"},
                    ),
                ),
                batches=frozenset({batch.number}),
            )
        )
    remark = f"Covered by a deviation: {'; '.join(covered)}." if covered else ""
    return outcomes.judged(facts, examined=len(judged), failing=len(facts), remark=remark)


def _counting(
    results: list[Result], known: dict[tuple[int, str], Parameter]
) -> list[tuple[Result, Parameter]]:
    newest: dict[tuple[int, str], Result] = {}
    for one in results:  # the highest version of each test of each sample
        key = (one.sample_id, one.tag)
        if key not in newest or one.version > newest[key].version:
            newest[key] = one
    last: dict[tuple[int, str], tuple[Result, Parameter]] = {}
    every: list[tuple[Result, Parameter]] = []
    for one in newest.values():
        parameter = known.get((one.sample.batch.recipe_id, one.tag))
        if parameter is None:
            continue
        if parameter.criticality == Criticality.CQA:
            last[one.sample.batch_id, one.tag] = (one, parameter)
        else:
            every.append((one, parameter))
    return [*every, *last.values()]


def _speaks_of(
    deviation: Deviation, result: Result, parameter: Parameter, before: timedelta, after: timedelta
) -> bool:
    text = " ".join(
        (deviation.title, deviation.description, deviation.impact, deviation.conclusion)
    ).lower()
    if parameter.tag.lower() in text or parameter.name.lower() in text:
        return True
    taken = result.sample.taken_at
    return taken - before <= deviation.occurred_at <= taken + after
