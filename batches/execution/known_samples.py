"""Tell samples that are new from those that are here already: the same, or with another value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from batches.execution.models import Batch
from batches.execution.samples import Samples

_ANY = """
SELECT EXISTS (
    SELECT FROM execution_reading
    WHERE batch_id = %s AND tag = ANY(%s) AND observed_at BETWEEN %s AND %s
)
"""
# The window beside the join: without it, every partition is looked into.
_KNOWN = """
SELECT p.number - 1, r.value::text, r.unit
FROM unnest(%(tags)s::text[], %(texts)s::timestamptz[]) WITH ORDINALITY AS p (tag, at, number)
JOIN execution_reading r
    ON r.batch_id = %(batch)s AND r.tag = p.tag AND r.observed_at = p.at
    AND r.observed_at BETWEEN %(first)s AND %(last)s
"""
_NONE = Samples((), (), (), ())


class Clash(NamedTuple):
    """A sample that was sent again with another value."""

    tag: str
    at: str
    kept: str
    sent: str


@dataclass(frozen=True)
class Divided:
    new: Samples
    conflicting: Samples = _NONE
    repeated: int = 0
    clashes: Sequence[Clash] = ()


def divide(batch: Batch, sent: Samples, *, first_at: datetime, last_at: datetime) -> Divided:
    """Divide a post by what is stored of the batch, whose row the caller holds.

    Equal is what has the same digits and the same unit: 36.8 and 36.80 are not.
    """
    tags = set(sent.tags)
    is_once = len(set(zip(sent.tags, sent.texts, strict=True))) == len(sent)
    with connection.cursor() as cursor:
        cursor.execute(_ANY, [batch.pk, list(tags), first_at, last_at])
        (may_be_known,) = cursor.fetchone()
        if is_once and not may_be_known:
            return Divided(sent)
        known = {}
        if may_be_known:
            cursor.execute(
                _KNOWN,
                {"tags": list(sent.tags), "texts": list(sent.texts), "batch": batch.pk,
                 "first": first_at, "last": last_at},
            )  # fmt: skip
            known = {position: (value, unit) for position, value, unit in cursor.fetchall()}
    return _divided(sent, known)


def _divided(sent: Samples, known: dict[int, tuple[str, str]]) -> Divided:
    new: list[int] = []
    conflicting: list[int] = []
    clashes: list[Clash] = []
    repeated = 0
    first_of: dict[tuple[str, str], tuple[str, str]] = {}  # of this post
    columns = zip(sent.tags, sent.texts, sent.values, sent.units, strict=True)
    for position, (tag, at, value, unit) in enumerate(columns):
        kept = known.get(position) or first_of.get((tag, at))
        if kept is None:
            first_of[tag, at] = (value, unit)
            new.append(position)
        elif kept == (value, unit):
            repeated += 1
        else:
            conflicting.append(position)
            clashes.append(Clash(tag, at, " ".join(kept), f"{value} {unit}"))
    return Divided(sent.chosen(new), sent.chosen(conflicting), repeated, clashes)
