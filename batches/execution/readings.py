"""Store posted readings of a batch, all or nothing, sealed by one segment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from batches.execution import events, sample_bytes, signals, source_fitness, states
from batches.execution.actions import Action
from batches.execution.models import LATE_AFTER, Batch, ReadingSegment
from batches.execution.sample_bytes import Reading
from batches.execution.states import Step
from batches.recipes.models import Parameter, ParameterKind
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.times import EARLIEST
from compliance.trail import recording
from compliance.trail.tlog import merkle

MOST_ROWS = 50_000
MOST_ERRORS = 100
MOST_DIGITS = MOST_EXPONENT = 30
SPAN_TOO_LONG = "GM005"


class ReadingsRefused(Refused):
    """Some lines break a rule; nothing was stored. `errors` names them by line."""

    code = "readings-refused"
    status = 422


def store(
    batch: Batch, *, rows: Sequence[Reading], message_id: str, source: Device, content_digest: str,
    at: datetime,
) -> ReadingSegment:  # fmt: skip
    """Store rows as one segment; raise `ReadingsRefused` with every faulty line named."""
    authority.demand(source, Duty.RECORD_EXECUTION)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise ReadingsRefused(f"post 1 to {MOST_ROWS} readings at once, not {len(rows)}")
    _demand_plausible(batch, rows, at)
    hashes = sample_bytes.leaf_hashes(rows)
    first_at = min(row.observed_at for row in rows)
    last_at = max(row.observed_at for row in rows)
    with recording.recording(
        Action.READINGS_STORED, actor=source, at=at, reason=f"readings of batch {batch.number}"
    ):
        held = states.hold(batch, Step.STORE_READINGS)
        if ReadingSegment.objects.filter(source=source, message_id=message_id).exists():
            raise events.MessageKnown(f"{source} has sent other readings as {message_id} before")
        _ensure_partitions(first_at, last_at)
        segment = ReadingSegment.objects.create(
            batch=held,
            source=source,
            message_id=message_id,
            count=len(rows),
            first_at=first_at,
            last_at=last_at,
            root=merkle.root_of(hashes).hex(),
            content_digest=content_digest,
            is_backfilled=at - last_at > LATE_AFTER,
            recorded_at=at,
        )
        _copy(segment, rows)
        source_fitness.judge(held, about=segment, source=source, measured_at=first_at, at=at)
        signals.announce(batch_id=held.pk, kind="readings", record_id=segment.pk)
    return segment


def _demand_plausible(batch: Batch, rows: Sequence[Reading], at: datetime) -> None:
    """Check each line against the recipe: tag, unit, digits and time (21 CFR 211.68(b))."""
    units = dict(
        Parameter.objects.filter(recipe=batch.recipe_id, kind=ParameterKind.READING).values_list(
            "tag", "unit"
        )
    )
    latest = at + events.CLOCK_TOLERANCE
    errors: list[dict[str, str]] = []
    for line, row in enumerate(rows, start=1):
        unit = units.get(row.tag)
        if unit is None:
            known = ", ".join(sorted(units)) or "none"
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


def _ensure_partitions(first: datetime, last: datetime) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT execution_ensure_reading_partitions(%s, %s)", [first, last])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != SPAN_TOO_LONG:
            raise
        raise ReadingsRefused("one post spans more than 400 days; send shorter ones") from error


def _copy(segment: ReadingSegment, rows: Sequence[Reading]) -> None:
    # COPY's text form by hand: a tenth of the time of adapting seven values a row. Tags and units
    # are the recipe's own by now, yet are escaped like any other text.
    names: dict[str, str] = {}
    lines = []
    for position, row in enumerate(rows):
        for text in (row.tag, row.unit):
            if text not in names:
                names[text] = _escaped(text)
        lines.append(
            f"{segment.pk}\t{position}\t{segment.batch_id}\t{names[row.tag]}\t"
            f"{row.observed_at.isoformat()}\t{sample_bytes.plain(row.value)}\t{names[row.unit]}\n"
        )
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY execution_reading (segment_id, position, batch_id, tag, observed_at, value, unit)"
            " FROM STDIN"
        ) as copy,
    ):
        copy.write("".join(lines))


def _escaped(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return text
