"""List data of a run that nobody recorded, or that no record names (21 CFR 211.194(a)(4))."""

from collections import Counter
from dataclasses import dataclass

from django.db import connection

from batches.execution.models import Batch
from batches.laboratory.models import InjectionKind, InjectionOutcome, Retest, Run, RunState
from compliance.trail.models import Attachment


@dataclass(frozen=True)
class Orphan:
    """A number that is missing from a sequence, raw data of no injection, or an injection of a sample
    that no result is from; it may be explained."""

    name: str
    explanation: str = ""


def subject_of(run: Run) -> str:
    """Return what attachments call a run."""
    return f"run {run.number}"


def of(run: Run) -> list[Orphan]:
    """Return every gap, every orphan file and every unreported injection, with its explanation.

    Numbers run from 1 to what was planned, or further when the instrument went on; of a run that
    still goes on only the gaps below the newest one are known, and results may still be reported.
    """
    numbers = set(run.injections.values_list("number", flat=True))
    last = max(numbers, default=0)
    if run.state != RunState.RUNNING:
        last = max(last, run.planned_injections)
    names = [f"injection {one}" for one in range(1, last + 1) if one not in numbers]
    named = set(run.injections.values_list("raw_data_digest", flat=True))
    files = Attachment.objects.filter(subject=subject_of(run)).order_by("pk")
    names += [f"raw data {one.sha256}" for one in files if one.sha256 not in named]
    if run.state != RunState.RUNNING:
        names += [f"result of injection {number}" for number in _unreported(run)]
    explained = dict(run.notes.values_list("orphan", "text"))
    return [Orphan(name, explained.get(name, "")) for name in names]


def _unreported(run: Run) -> list[int]:
    """Return the completed injections of samples that nobody reported a result of.

    FDA, OOS guidance III: a result that was obtained is reported, whatever it is. Where results do
    not name their injections, a sample has at most as many of them as its results need.
    """
    unnamed = run.injections.filter(
        kind=InjectionKind.SAMPLE, outcome=InjectionOutcome.COMPLETED, replicates=None
    ).order_by("number")
    left = _determined_without_naming(run)
    found = []
    for number, sample in unnamed.values_list("number", "sample_id"):
        if left[sample] > 0:
            left[sample] -= 1
        else:
            found.append(number)
    return found


def _determined_without_naming(run: Run) -> Counter[int | None]:
    """Count, of each sample, the determinations of the test that has most of them."""
    of_tests: Counter[tuple[int | None, str]] = Counter()
    results = run.results.exclude(replicates__injection__isnull=False).select_related("test")
    for one in results:  # a correction is of the same determinations, so the largest version counts
        needed = one.test.replicates if one.test else 1
        of_tests[one.sample_id, one.tag] = max(of_tests[one.sample_id, one.tag], needed)
    for again in Retest.objects.filter(run=run).select_related("oos__test"):
        of_tests[again.sample_id, again.oos.test.tag] += 1
    most: Counter[int | None] = Counter()
    for (sample, _), count in of_tests.items():
        most[sample] = max(most[sample], count)
    return most


def of_batch(batch: Batch) -> list[tuple[Run, Orphan]]:
    """Return the orphans of every run that a batch's results or injections are from."""
    return [(run, one) for run in runs_of(batch) for one in of(run)]


def runs_of(batch: Batch) -> list[Run]:
    found = Run.objects.filter(results__sample__batch=batch) | Run.objects.filter(
        injections__sample__batch=batch
    )
    return list(found.distinct().order_by("number"))


_ENTRIES = """
SELECT r.audit_seq
    + coalesce((SELECT sum(audit_seq) FROM laboratory_injection WHERE run_id = r.id), 0)
    + coalesce((SELECT sum(audit_seq) FROM laboratory_sequencenote WHERE run_id = r.id), 0)
    + coalesce((SELECT sum(audit_seq) FROM laboratory_runreagent WHERE run_id = r.id), 0)
FROM laboratory_run r WHERE r.id = %s
"""


def trail_entries(run: Run) -> int:
    """Return how many entries the audit trail has of a run and all that belongs to it.

    Each controlled row carries the number of its newest entry.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [run.pk])
        (count,) = cursor.fetchone()
    return int(count)
