"""The ways in which an application changes rows, each with the number of rows that it changes."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from tests.bench.columns import values

Block = Callable[[], AbstractContextManager[Any]]
LINKS, PARTS = 3, 2  # of each record


@dataclass(frozen=True)
class Subject:
    """The models of one product, and its way of saying who changes them and why."""

    app: str
    block: Block

    def model(self, name: str) -> Any:
        return apps.get_model(self.app, name)


def create(model: Any, block: Block, rows: int) -> int:
    for number in range(rows):
        with block():
            model.objects.create(**values(number))
    return rows


def get_save(model: Any, block: Block, rows: int) -> int:
    keys = list(model.objects.order_by("pk").values_list("pk", flat=True)[:rows])
    for pk in keys:
        with block():
            record = model.objects.get(pk=pk)
            record.count += 1
            record.save()
    return len(keys)


def bulk_create(model: Any, block: Block, rows: int) -> int:
    with block():
        model.objects.bulk_create([model(**values(n)) for n in range(rows)], batch_size=2000)
    return rows


def queryset_update(model: Any, block: Block, rows: int) -> int:
    first = model.objects.order_by("-pk").values_list("pk", flat=True)[rows - 1]
    with block():
        return int(model.objects.filter(pk__gte=first).update(count=models.F("count") + 1))


def bulk_update(model: Any, block: Block, rows: int) -> int:
    records = list(model.objects.order_by("-pk")[:rows])
    for record in records:
        record.count += 1
    with block():
        return int(model.objects.bulk_update(records, ["count"]))


def raw_sql(model: Any, block: Block, rows: int) -> int:
    first = model.objects.order_by("-pk").values_list("pk", flat=True)[rows - 1]
    with block(), connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"UPDATE {table} SET count = count + 1 WHERE id >= %s", [first])
        return int(cursor.rowcount)


def link(subject: Subject, rows: int) -> int:
    """Link records to tags."""
    tags = [subject.model("Tag").objects.create(name=f"T-{n}") for n in range(LINKS)]
    records = list(subject.model("Linked").objects.order_by("-pk")[:rows])
    for record in records:
        with subject.block():
            record.tags.add(*tags)
    return len(records) * LINKS


def cascade(subject: Subject, records: list[Any]) -> int:
    """Delete records together with their links and parts."""
    deleted = 0
    for record in records:
        with subject.block():
            deleted += record.delete()[0]
    return deleted


def with_parts(subject: Subject, rows: int) -> list[Any]:
    """Give the records that were linked last their parts, and return them."""
    records = list(subject.model("Linked").objects.order_by("-pk")[:rows])
    part = subject.model("Part")
    with subject.block():
        part.objects.bulk_create(
            [part(record=record, name=f"P-{n}") for record in records for n in range(PARTS)]
        )
    return records


SIMPLE = {
    "create": create, "save": get_save, "update": queryset_update,
    "bulk_create": bulk_create, "bulk_update": bulk_update, "raw_sql": raw_sql,
}  # fmt: skip


def each(subject: Subject, rows: int) -> Iterator[tuple[str, Callable[[], int]]]:
    """Yield every workload with its name, to be run before the next one is asked for."""
    linked, block = subject.model("Linked"), subject.block
    for name, run in SIMPLE.items():
        yield name, functools.partial(run, linked, block, rows)
    yield "m2m", functools.partial(link, subject, rows)
    records = with_parts(subject, rows)
    yield "cascade", functools.partial(cascade, subject, records)
