"""SG-01: ask whether the identifiers in the record are people."""

from collections import Counter, defaultdict

from batches.execution.models import BatchEvent
from compliance.access.models import User
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("SG-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report identifiers that are generic, or belong to nobody this system knows."""
    listed = parameters["generic"]
    generic = {str(word) for word in listed} if isinstance(listed, list) else set()
    counts: Counter[str] = Counter()
    batches: dict[str, set[str]] = defaultdict(set)
    example: dict[str, BatchEvent] = {}
    events = snapshot.rows(BatchEvent).exclude(performed_by="").select_related("batch")
    for event in events:
        counts[event.performed_by] += 1
        batches[event.performed_by].add(event.batch.number)
        example.setdefault(event.performed_by, event)
    if not counts:
        return outcomes.not_applicable("No event in scope names who performed it.")
    people = {name.lower() for name in User.objects.values_list("username", flat=True)}
    people |= {name.lower() for name in User.objects.values_list("full_name", flat=True)}
    facts = []
    for name, number in sorted(counts.items()):
        if name.lower() in generic:
            problem = "is a generic account name, not a person"
        elif name.lower() not in people:
            problem = "belongs to no person known to this system"
        else:
            continue
        facts.append(
            Fact(
                f"“{name}”, named as performer of {wording.count(number, 'event')} of "
                f"{wording.listed(sorted(batches[name]))}, {problem}.",
                evidence=(
                    Evidence("execution_batchevent", str(example[name].pk), {"performed_by": name}),
                ),
                batches=frozenset(batches[name]),
                people=frozenset({name}),
            )
        )
    return outcomes.judged(facts, examined=len(counts), failing=len(facts))
