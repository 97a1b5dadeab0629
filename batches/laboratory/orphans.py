"""List data of a run that nobody recorded, or that no record names (21 CFR 211.194(a)(4))."""

from dataclasses import dataclass

from django.db import connection

from batches.execution.models import Batch
from batches.laboratory.models import Run, RunState
from compliance.trail.models import Attachment


@dataclass(frozen=True)
class Orphan:
    """A number that is missing from a sequence, or raw data of no injection; it may be explained."""

    name: str
    explanation: str = ""


def subject_of(run: Run) -> str:
    """Return what attachments call a run."""
    return f"run {run.number}"


def of(run: Run) -> list[Orphan]:
    """Return every gap of a run's numbers and every orphan file, with its explanation.

    Numbers run from 1 to what was planned, or further when the instrument went on; of a run that
    still goes on only the gaps below the newest one are known.
    """
    numbers = set(run.injections.values_list("number", flat=True))
    last = max(numbers, default=0)
    if run.state != RunState.RUNNING:
        last = max(last, run.planned_injections)
    names = [f"injection {one}" for one in range(1, last + 1) if one not in numbers]
    named = set(run.injections.values_list("raw_data_digest", flat=True))
    files = Attachment.objects.filter(subject=subject_of(run)).order_by("pk")
    names += [f"raw data {one.sha256}" for one in files if one.sha256 not in named]
    explained = dict(run.notes.values_list("orphan", "text"))
    return [Orphan(name, explained.get(name, "")) for name in names]


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
