"""Count the predictions that are due and that nobody has taken, and say since when they wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from compliance.refusals import Refused
from twins.hub import versions
from twins.predictions import moments

# A batch that has waited for so many counts as so many.
_MOST_A_BATCH = 1000
# The moment was due when the first readings came that reached it.
_REACHED = """
SELECT min(found.at)
FROM unnest(%s::bigint[], %s::timestamptz[]) AS missing (batch_id, as_of)
CROSS JOIN LATERAL (
    SELECT min(recorded_at) AS at FROM execution_readingsegment
    WHERE batch_id = missing.batch_id AND last_at >= missing.as_of
) AS found
"""


@dataclass(frozen=True)
class Overdue:
    """Moments that readings reached and that nobody has predicted.

    `refused`: as many are due, but their twin is missing, altered or retired, or the recipe's
    settings are: no worker can do them.
    """

    due: int = 0
    since: datetime | None = None
    refused: int = 0


def of_all() -> Overdue:
    """Return what is due beside all predicted batches; a handful of queries."""
    due = refused = 0
    first: dict[int, datetime] = {}
    answers: dict[str, bool] = {}
    for batch, missing in moments.missing_of_all(at_most=_MOST_A_BATCH):
        twin = batch.recipe.twin
        if isinstance(missing, Refused):
            refused += 1
        elif missing and not answers.setdefault(twin, versions.may_predict(twin)):
            refused += len(missing)
        elif missing:
            due += len(missing)
            first[batch.pk] = missing[0]
    return Overdue(due, _since(first), refused)


def _since(first: Mapping[int, datetime]) -> datetime | None:
    if not first:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_REACHED, [list(first), list(first.values())])
        row: tuple[datetime | None] = cursor.fetchone()
    return row[0]
