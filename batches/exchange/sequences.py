"""Keep the numbers of a source in order: what is expected next, what was left out, what came late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from batches.exchange.actions import Action
from batches.exchange.models import Gap, Source, SourceRecord
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

FURTHEST = 1_000_000  # numbers that may be left out at once: more is an error of the source
MOST_LISTED = 1000


class SequenceTaken(Refused):
    """Another record of the source has this number."""

    code = "sequence-taken"


class SequenceTooFar(Refused):
    """The number is so far ahead that the source's counter must be wrong."""

    code = "sequence-too-far"
    status = 422


class GapClosed(Refused):
    """Nothing is missing, or somebody explained it already."""

    code = "gap-closed"


@dataclass(frozen=True)
class Standing:
    """`next_expected` is the first number that has not come; `highest` the last that has."""

    next_expected: int
    highest: int


def standing(source: Source) -> Standing:
    """Say where a source stands; an explained gap is no longer waited for."""
    last = highest(source)
    gap = open_gaps(source).filter(explanation="").order_by("first").first()
    if gap is None:
        return Standing(last + 1, last)
    return Standing(_first_missing(gap), last)


def open_gaps(source: Source) -> QuerySet[Gap]:
    return Gap.objects.filter(source=source, missing__gt=0)


def missing_of(gap: Gap, *, most: int = MOST_LISTED) -> list[int]:
    """Return the numbers of a gap that have not come, the first `most` of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n FROM generate_series(%s::bigint, %s::bigint) n WHERE NOT EXISTS ("
            "SELECT FROM exchange_sourcerecord r WHERE r.source_id = %s AND r.sequence = n) "
            "ORDER BY n LIMIT %s",
            [gap.first, gap.last, gap.source_id, most],
        )
        return [number for (number,) in cursor.fetchall()]


def demand(source: Source, sequence: int, *, before: int) -> None:
    """Pass when a number can be taken after the highest `before`; the caller holds the source's row."""
    if sequence <= before and source.records.filter(sequence=sequence).exists():
        raise SequenceTaken(f"{source} has sent another record as number {sequence}")
    if sequence > before + FURTHEST:
        raise SequenceTooFar(
            f"{sequence} is more than {FURTHEST} ahead of what {source} sent last: its counter is wrong"
        )


def note(source: Source, sequence: int, *, before: int, at: datetime) -> None:
    """Open a gap for what a number left out, or take it out of the gap that waited for it.

    `before` is the highest number before this one. Inside the act that accepts the record.
    """
    if sequence > before + 1:
        Gap.objects.create(
            source=source, first=before + 1, last=sequence - 1, missing=sequence - 1 - before,
            opened_at=at,
        )  # fmt: skip
    elif sequence <= before:
        gap = Gap.objects.get(source=source, first__lte=sequence, last__gte=sequence)
        gap.missing -= 1
        gap.closed_at = at if gap.missing == 0 else None
        gap.save(update_fields=["missing", "closed_at"])


def highest(source: Source) -> int:
    """Return the highest number that came, 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(sequence), 0) FROM exchange_sourcerecord WHERE source_id = %s",
            [source.pk],
        )
        return int(cursor.fetchone()[0])


def explain(gap: Gap, *, reason: str, actor: User, at: datetime) -> Gap:
    """Say why numbers will never come; what comes nevertheless is taken."""
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.GAP_EXPLAINED, actor=actor, at=at, reason=text):
        held = Gap.objects.select_for_update().get(pk=gap.pk)
        if held.missing == 0 or held.explanation:
            raise GapClosed(f"the gap {held} is {held.state}")
        held.explanation, held.explained_by, held.explained_at = text, actor, at
        held.save(update_fields=["explanation", "explained_by", "explained_at"])
    return held


def listed(gaps: Sequence[Gap], *, most: int = MOST_LISTED) -> list[tuple[Gap, list[int]]]:
    """Return gaps with their first missing numbers."""
    return [(gap, missing_of(gap, most=most) if gap.missing else []) for gap in gaps]


def _first_missing(gap: Gap) -> int:
    """Return the first number that has not come: it follows one that has, in order of the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.sequence + 1 FROM exchange_sourcerecord r WHERE r.source_id = %(source)s "
            "AND r.sequence >= %(first)s AND r.sequence < %(last)s AND NOT EXISTS ("
            "SELECT FROM exchange_sourcerecord n WHERE n.source_id = %(source)s "
            "AND n.sequence = r.sequence + 1) ORDER BY r.sequence LIMIT 1",
            {"source": gap.source_id, "first": gap.first, "last": gap.last},
        )
        after = cursor.fetchone()
    is_first_here = SourceRecord.objects.filter(
        source_id=gap.source_id, sequence=gap.first
    ).exists()
    return int(after[0]) if is_first_here and after else gap.first
