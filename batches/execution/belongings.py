"""Know which records belong to a batch: each room registers its own (21 CFR 211.188)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection, models

from batches.execution.models import Batch, BatchEvent, BatchPhase, IssuedCopy, ReadingSegment
from compliance.trail import capture
from compliance.trail.tlog import canonical
from compliance.trail.verifier.contents import Record

Rows = Callable[[Batch], "models.QuerySet[Any]"]
_ANY = -(2**62)  # stands for the key of whichever batch is asked for


class Question(NamedTuple):
    """SQL for the keys of some rows of a model, with `_ANY` among its values for the batch's key."""

    model: type[models.Model]
    text: str
    values: tuple[object, ...]

    def of(self, batch: Batch) -> tuple[str, list[object]]:
        """Return it for one batch; raise `ValueError` for one that is not stored."""
        if batch.pk is None:
            raise ValueError("a batch that is not stored has no records")
        return self.text, [batch.pk if value == _ANY else value for value in self.values]


@dataclass(frozen=True)
class Part:
    """Rows of one controlled table. `is_signed`: a signature under the batch covers them.

    `rows` finds them by the batch's key alone. `is_later`: there are signatures from before the
    table was there; without rows it is not named, so that they go on covering what they were given
    for.
    """

    name: str
    rows: Rows
    is_signed: bool
    is_later: bool = False

    @cached_property
    def question(self) -> Question:
        """Return the question for the rows of any batch.

        Made once: to make those of all parts takes longer than the server takes to answer them. A
        part that asks for more of a batch than its key raises `Batch.DoesNotExist`, one that asks
        for less `ValueError`.
        """
        rows = self.rows(Batch.from_db(None, ["id"], [_ANY]))
        text, values = rows.order_by().values("pk").query.sql_with_params()
        if _ANY not in values:
            raise ValueError(f"the part {self.name} does not ask for the batch")
        return Question(rows.model, text, values)


_parts: dict[str, Part] = {}


def register(
    name: str, *, is_signed: bool = True, is_later: bool = False
) -> Callable[[Rows], Rows]:
    """Declare a function from a batch to its rows of one controlled table."""

    def declare(rows: Rows) -> Rows:
        if name in _parts:
            raise ValueError(f"the part {name} of a batch is registered already")
        _parts[name] = Part(name, rows, is_signed, is_later)
        return rows

    return declare


def parts() -> list[Part]:
    """Return every part, by name."""
    return [_parts[name] for name in sorted(_parts)]


def keys(batch: Batch, *, signed_only: bool = False) -> list[Record]:
    """Return the table and key of every record of a batch, the batch's own first."""
    chosen = [part for part in parts() if part.is_signed or not signed_only]
    found = _asked(batch, chosen, "{pk}", order=" ORDER BY 1, 3")
    own = (capture.record_of(Batch), str(batch.pk))
    return [own, *((table, str(key)) for _, table, key in found)]


def digests(batch: Batch) -> dict[str, canonical.Value]:
    """Return for each signed part how many rows it has, and one hash over all of them in order.

    Each row carries the digest of its newest entry in the trail (`audit_head`).
    """
    hashed = (
        "count(*), encode(sha256(coalesce(string_agg(audit_head, ''::bytea ORDER BY {pk}), '')), "
        "'hex')"
    )
    found = _asked(batch, [part for part in parts() if part.is_signed], hashed, order=" ORDER BY 1")
    return {
        name: {"count": count, "sha256": digest}
        for name, _, count, digest in found
        if count or not _parts[name].is_later
    }


def _asked(batch: Batch, chosen: list[Part], what: str, *, order: str) -> list[Any]:
    """Ask all parts in one statement: there are many, and a page asks several times."""
    statements: list[str] = []
    values: list[Any] = []
    for part in chosen:
        model = part.question.model
        of_part, own = part.question.of(batch)
        pk = model._meta.pk.column
        statements.append(
            f"SELECT %s, %s, {what.format(pk=pk)} "  # noqa: S608 -- tables of ours
            f"FROM {model._meta.db_table} WHERE {pk} IN ({of_part})"
        )
        values += [part.name, capture.record_of(model), *own]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements) + order, values)
        return list(cursor.fetchall())


@register("phases")
def _phases(batch: Batch) -> "models.QuerySet[BatchPhase]":
    return batch.phases.all()


@register("events")
def _events(batch: Batch) -> "models.QuerySet[BatchEvent]":
    return batch.events.all()


@register("reading-segments")
def _segments(batch: Batch) -> "models.QuerySet[ReadingSegment]":
    return batch.segments.all()


@register("deviations")
def _deviations(batch: Batch) -> "models.QuerySet[Any]":
    return batch.deviations.all()


@register("deviation-links")
def _links(batch: Batch) -> "models.QuerySet[Any]":
    return Batch.deviations.through.objects.filter(batch=batch)


@register("issued-copy")
def _copy(batch: Batch) -> "models.QuerySet[Any]":
    return IssuedCopy.objects.filter(batch=batch)


def _related(name: str) -> Rows:
    return lambda batch: getattr(batch, name).all()


# The issued copy line by line, and what was entered, charged, used and flagged beside it.
for _name in (
    "parameters", "materials", "yields", "sampling", "equipment_needs", "labels", "charges",
    "produced", "equipment", "in_process_results", "calculations", "examinations", "label_uses",
    "remarks", "files", "exceptions",
):  # fmt: skip
    register(_name.replace("_", "-"))(_related(_name))
register("material-accounts", is_later=True)(_related("material_accounts"))
