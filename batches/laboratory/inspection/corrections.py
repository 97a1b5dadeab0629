"""DI-13: find corrections that move results from outside to inside their limits."""

from collections import defaultdict
from itertools import pairwise

from batches.laboratory.inspection import limits
from batches.laboratory.models import Result
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-13")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report analysts with several such corrections."""
    least = int(str(parameters["at_least"]))
    results = list(snapshot.rows(Result).select_related("sample__batch", "test"))
    known = limits.of_results(results)
    versions: dict[tuple[int, str], list[Result]] = defaultdict(list)
    for one in results:
        versions[one.sample_id, one.tag].append(one)
    corrected = [sorted(found, key=lambda one: one.version) for found in versions.values()]
    corrected = [found for found in corrected if len(found) > 1]
    if not corrected:
        return outcomes.not_applicable("No result in scope was corrected.")
    moved: dict[str, list[tuple[Result, Result]]] = defaultdict(list)
    for found in corrected:
        for before, after in pairwise(found):
            was, now = known.get(before.pk), known.get(after.pk)
            if was and now and limits.is_outside(before, was) and not limits.is_outside(after, now):
                moved[after.analyst or "an unnamed analyst"].append((before, after))
    facts = [
        Fact(
            f"{analyst} corrected {wording.count(len(pairs), 'result')} from outside to inside the "
            f"limits: "
            + wording.listed(
                f"{after.tag} of {after.sample} from {before.value_text} to {after.value_text} "
                f"{after.unit} on {wording.moment(after.recorded_at)} (“{after.reason}”)"
                for before, after in pairs
            )
            + ".",
            evidence=tuple(
                Evidence("laboratory_result", str(after.pk), {"value": after.value_text})
                for _, after in pairs
            ),
            batches=frozenset(after.sample.batch.number for _, after in pairs),
            people=frozenset({analyst}),
        )
        for analyst, pairs in sorted(moved.items())
        if len(pairs) >= least
    ]
    failing = sum(len(moved[name]) for fact in facts for name in fact.people)
    if not facts:
        return outcomes.clean(examined=len(corrected))
    return outcomes.finding(
        facts,
        examined=len(corrected),
        failing=failing,
        indicator="Several corrections by one analyst move results into their limits.",
    )
