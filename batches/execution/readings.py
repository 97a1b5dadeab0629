"""Store posted readings of a batch, all or nothing, sealed by one segment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.utils import Error as DatabaseError

from batches.execution import (
    events,
    exceptions,
    known_samples,
    samples,
    signals,
    source_fitness,
    states,
)
from batches.execution.actions import Action
from batches.execution.known_samples import Clash
from batches.execution.models import LATE_AFTER, Batch, ExceptionKind, ReadingSegment
from batches.execution.sample_bytes import LeafHasher, Reading
from batches.execution.samples import Samples
from batches.execution.states import Step
from batches.recipes.models import Parameter, ParameterKind
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.times import EARLIEST
from compliance.trail import recording

MOST_ROWS = 50_000
MOST_ERRORS = 100
MOST_DIGITS = MOST_EXPONENT = 30
SPAN_TOO_LONG = "GM005"
_ALLOWED = "SELECT tag, unit FROM recipes_parameter WHERE recipe_id = %s AND kind = %s"
_BEGUN = """
SELECT EXISTS (
        SELECT FROM execution_readingsegment WHERE source_id = %s AND message_id = %s
    ),
    nextval('public.execution_readingsegment_id_seq'),
    execution_ensure_reading_partitions(%s, %s)
"""
_READINGS, _CONFLICTS = "public.execution_reading", "public.execution_readingconflict"


class ReadingsRefused(Refused):
    """Some lines break a rule; nothing was stored. `errors` names them by line."""

    code = "readings-refused"
    status = 422


def store(
    batch: Batch, *, rows: Sequence[Reading] | Samples, message_id: str, source: Device,
    content_digest: str, at: datetime,
) -> ReadingSegment:  # fmt: skip
    """Store samples as one segment; raise `ReadingsRefused` with every faulty line named.

    A sample is known by its batch, tag and moment. One that is here already is not stored again;
    with another value it is kept beside as a conflict, flagged, and what was first stays.
    """
    authority.demand(source, Duty.RECORD_EXECUTION)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise ReadingsRefused(f"post 1 to {MOST_ROWS} readings at once, not {len(rows)}")
    if not isinstance(rows, Samples):
        _demand_plausible(batch, rows, at)
    sent = rows if isinstance(rows, Samples) else samples.of(rows)
    _demand_plausible_columns(batch, sent, at)
    first_at, last_at = sent.first_at, sent.last_at
    with recording.recording(
        Action.READINGS_STORED, actor=source, at=at, reason=f"readings of batch {batch.number}"
    ):
        # The lock on the batch: what is new and what is known stays so until the commit.
        held = states.hold(batch, Step.STORE_READINGS)
        number = _begun(source, message_id, first_at, last_at)
        found = known_samples.divide(held, sent, first_at=first_at, last_at=last_at)
        root = _copy(_READINGS, number, held, found.new)
        conflict_root = _copy(_CONFLICTS, number, held, found.conflicting) if found.clashes else ""
        segment = ReadingSegment.objects.create(
            pk=number,
            batch=held,
            source=source,
            message_id=message_id,
            count=len(found.new),
            repeated=found.repeated,
            conflicting=len(found.conflicting),
            first_at=first_at,
            last_at=last_at,
            root=root,
            conflict_root=conflict_root,
            content_digest=content_digest,
            is_backfilled=at - last_at > LATE_AFTER,
            recorded_at=at,
        )
        if found.clashes:
            _flag(held, segment, found.clashes, at)
        source_fitness.judge(held, about=segment, source=source, measured_at=first_at, at=at)
        signals.announce(held, kind="readings", record_id=segment.pk)
    return segment


def _flag(batch: Batch, segment: ReadingSegment, clashes: Sequence[Clash], at: datetime) -> None:
    first = clashes[0]
    exceptions.flag(
        batch, ExceptionKind.READING_CONFLICT, about=segment, at=at,
        text=f"{segment.source} sent {len(clashes)} readings again with another value; what was "
        f"first stays. The first of them: {first.tag} at {first.at} is {first.kept}, sent again as "
        f"{first.sent}",
    )  # fmt: skip


def _demand_plausible_columns(batch: Batch, sent: Samples, at: datetime) -> None:
    """Pass what is plausible as a whole; else look at each line, and say what is wrong with it."""
    with connection.cursor() as cursor:
        cursor.execute(_ALLOWED, [batch.recipe_id, ParameterKind.READING])
        allowed = set(cursor.fetchall())
    if (
        sent.pairs <= allowed
        and sent.first_at >= EARLIEST
        and sent.last_at <= at + events.CLOCK_TOLERANCE
        and max(map(len, sent.values)) <= MOST_DIGITS
    ):
        return
    _demand_plausible(batch, list(sent.rows()), at)


def units(batch: Batch) -> dict[str, str]:
    """Return the unit of each tag that a batch has readings of, in order of the tags."""
    declared = Parameter.objects.filter(recipe=batch.recipe_id, kind=ParameterKind.READING)
    return dict(declared.order_by("tag").values_list("tag", "unit"))


def _demand_plausible(batch: Batch, rows: Sequence[Reading], at: datetime) -> None:
    """Check each line against the recipe: tag, unit, digits and time (21 CFR 211.68(b))."""
    units_of = units(batch)
    latest = at + events.CLOCK_TOLERANCE
    errors: list[dict[str, str]] = []
    for line, row in enumerate(rows, start=1):
        unit = units_of.get(row.tag)
        if unit is None:
            known = ", ".join(units_of) or "none"
            errors.append(
                _error(line, "tag", f"“{row.tag}” is no tag of the recipe; known: {known}")
            )
        elif row.unit != unit:
            errors.append(_error(line, "unit", f"{row.tag} is in {unit}, got “{row.unit}”"))
        if problem := _problem_of(row.value):
            errors.append(_error(line, "value", f"{row.tag}: {problem}"))
        if not EARLIEST <= row.observed_at <= latest:
            errors.append(
                _error(line, "at", f"{row.observed_at.isoformat()} is in the future or before 2000")
            )
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise ReadingsRefused(f"nothing was stored: {errors[0]['detail']}", errors=errors)


def _problem_of(value: Decimal) -> str | None:
    if not value.is_finite():
        return f"{value} is no number"
    _, digits, exponent = value.as_tuple()
    if len(digits) > MOST_DIGITS or not -MOST_EXPONENT <= int(exponent) <= MOST_EXPONENT:
        return f"more than {MOST_DIGITS} digits, or an exponent beyond ±{MOST_EXPONENT}"
    return None


def _error(line: int, member: str, detail: str) -> dict[str, str]:
    return {
        "pointer": f"/{line - 1}/{member}",
        "line": str(line),
        "code": f"{member}-refused",
        "detail": f"line {line}: {detail}",
    }


def _begun(source: Device, message_id: str, first: datetime, last: datetime) -> int:
    """Make room for samples, and return the number of the segment to be: its root is known last."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_BEGUN, [source.pk, message_id, first, last])
            is_known, number, _ = cursor.fetchone()
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != SPAN_TOO_LONG:
            raise
        raise ReadingsRefused("one post spans more than 400 days; send shorter ones") from error
    if is_known:
        raise events.MessageKnown(f"{source} has sent other readings as {message_id} before")
    return int(number)


def _copy(table: str, number: int, batch: Batch, rows: Samples) -> str:
    """Copy samples into a table, and return their Merkle root.

    COPY's text form by hand: a tenth of the time of adapting seven values a row. The server takes
    one block in while it is hashed here. Blocks are perfect subtrees, all but the last: the root
    over their roots is the root over all leaves.
    """
    hasher, roots = LeafHasher(), []
    parts = _parts(batch, rows)
    with (
        connection.wrap_database_errors,  # Django's cursors leave those of COPY as they are
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY {table} (segment_id, position, batch_id, tag, observed_at, value, unit) FROM STDIN"
        ) as copy,
    ):
        for start, block in samples.blocks(rows):
            copy.write(
                "".join(
                    [
                        f"{number}\t{position}{before}{at}\t{value}{after}"
                        for position, (at, value, (before, after)) in enumerate(
                            zip(block.texts, block.values, _each(parts, block), strict=True), start
                        )
                    ]
                )
            )
            roots.append(samples.root(samples.hashes(start, block, hasher)))
        return samples.root(roots).hex()


_Parts = Mapping[tuple[str, str], tuple[str, str]]


def _parts(batch: Batch, rows: Samples) -> _Parts:
    """Return what stands before the moment and after the value, for each tag with its unit."""
    return {
        (tag, unit): (f"\t{batch.pk}\t{_escaped(tag)}\t", f"\t{_escaped(unit)}\n")
        for tag, unit in rows.pairs
    }


def _each(parts: _Parts, block: Samples) -> Iterable[tuple[str, str]]:
    return [parts[pair] for pair in zip(block.tags, block.units, strict=True)]


def _escaped(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return text
