"""LB-01: find results outside limits that no deviation speaks of (211.192)."""

from datetime import timedelta

from batches.laboratory.inspection import limits
from batches.laboratory.inspection.limits import Limit
from batches.laboratory.models import OosInvestigation, Result
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
        snapshot.rows(Result)
        .select_related("sample__batch", "test")
        .order_by("sample__taken_at", "pk")
    )
    known = limits.of_results(results)
    judged = _counting(results, known)
    if not judged:
        return outcomes.not_applicable("No result with a limit is in scope.")
    facts = []
    covered = []
    for result, limit in judged:
        if not limits.is_outside(result, limit):
            continue
        batch = result.sample.batch
        words = (
            f"{limit.name} {result.value_text} {result.unit} of sample {result.sample.number}, "
            f"taken {wording.moment(result.sample.taken_at)}, outside {limit.text}"
        )
        speaking = [
            one.number
            for one in batch.deviations.order_by("number")
            if _speaks_of(one, result, limit, before, after)
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


def _counting(results: list[Result], known: dict[int, Limit]) -> list[tuple[Result, Limit]]:
    newest: dict[tuple[int, str], Result] = {}
    for one in results:  # the highest version of each test of each sample
        key = (one.sample_id, one.tag)
        if key not in newest or one.version > newest[key].version:
            newest[key] = one
    last: dict[tuple[int, str], tuple[Result, Limit]] = {}
    every: list[tuple[Result, Limit]] = []
    for one in newest.values():
        limit = known.get(one.pk)
        if limit is None:
            continue
        if limit.is_last_counting:
            last[one.sample.batch_id, one.tag] = (one, limit)
        else:
            every.append((one, limit))
    return [*every, *last.values()]


def _speaks_of(
    deviation: Deviation, result: Result, limit: Limit, before: timedelta, after: timedelta
) -> bool:
    text = " ".join(
        (deviation.title, deviation.description, deviation.impact, deviation.conclusion)
    ).lower()
    if limit.tag.lower() in text or limit.name.lower() in text:
        return True
    taken = result.sample.taken_at
    return taken - before <= deviation.occurred_at <= taken + after
