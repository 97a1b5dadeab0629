"""Compare what was asked with what is there: each prediction and part once, and the same bytes again."""

import json
from collections.abc import Iterator
from typing import Any

from tests.journeys.conftest import Installation

EVERY_H = 6  # the recipe's interval
FOUND = """
import json
from collections import Counter
from django.db import connection
from twins.bulk.models import BulkPart, BulkRun
from twins.predictions.models import Prediction
def ended(action, record):
    with connection.cursor() as c:
        c.execute("SELECT body FROM audit.entry")
        bodies = [json.loads(bytes(row[0])) for row in c.fetchall()]
    return Counter(b["record_id"] for b in bodies
                   if b["record"] == record and b["act"]["action"] == action)
predictions = ended("predictions.prediction-finished", "predictions_prediction")
parts = ended("bulk.part-finished", "bulk_bulkpart")
print(json.dumps({
    "predictions": [[p.batch.number, p.as_of.isoformat(), p.state, predictions[str(p.pk)]]
                    for p in Prediction.objects.select_related("batch").defer("input", "output")],
    "parts": [[p.run.number, p.order, p.state, p.attempts, parts[str(p.pk)]]
              for p in BulkPart.objects.select_related("run").defer("output", "run__request")],
    "runs": {r.number: [r.state, r.result_digest] for r in BulkRun.objects.all()},
}))
"""


class Books:
    """What the installation has on record when its work has ended."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def faults(self, numbers: list[str], *, batches: int, hours: int) -> list[str]:
        """Say what is not as it must be."""
        found = json.loads(self._installation.ask(FOUND).splitlines()[-1])
        attempts = sum(part[3] for part in found["parts"])
        print(
            f"{len(found['predictions'])} predictions, {len(found['parts'])} parts in "
            f"{attempts} attempts",
            flush=True,
        )
        return [
            *self._predictions(found["predictions"], batches * (hours // EVERY_H)),
            *self._parts(found["parts"]),
            *self._results(numbers, found["runs"]),
        ]

    @staticmethod
    def _predictions(there: list[Any], wanted: int) -> Iterator[str]:
        moments = {(batch, as_of) for batch, as_of, _, _ in there}
        if not len(moments) == len(there) == wanted:
            yield f"{wanted} predictions wanted, {len(there)} there of {len(moments)} moments"
        for batch, as_of, state, ended in there:
            if (state, ended) != ("done", 1):
                yield f"{batch} as of {as_of} is {state} and ended {ended} times"

    @staticmethod
    def _parts(there: list[Any]) -> Iterator[str]:
        for run, order, state, attempts, ended in there:
            if (state, ended) != ("done", 1):
                yield f"{run} part {order} is {state} after {attempts}, and ended {ended} times"

    def _results(self, numbers: list[str], runs: dict[str, list[str]]) -> Iterator[str]:
        if ended := [number for number in numbers if runs[number][0] != "done"]:
            yield f"not done: {', '.join(ended)}"
            return
        done = self._installation.manage("bulk", "replay", *numbers)
        print(f"again, in one process:\n{done.stdout.strip()}", flush=True)
        for number in numbers:
            same = f"{number}\tidentical to the byte\t{runs[number][1]}"
            if done.returncode or same not in done.stdout:
                yield f"{number} is not the same again: {done.stderr}"
