"""What writing costs under one product, beside the same writes under none, and what it captures."""

import importlib
import sys
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.bench import measuring, workloads
from tests.bench.measuring import Cost, Row
from tests.bench.workloads import Subject

SINGLES, SIZED, COUNTED = 200, 2000, 100
BULK_ROUNDS = 2  # so many times fewer than of the small ones: they are long enough by themselves
MEASURED = {
    "create": workloads.create, "get_save": workloads.get_save,
    "bulk_create": workloads.bulk_create, "queryset_update": workloads.queryset_update,
}  # fmt: skip


def rows(name: str, rounds: str, bulk: str) -> list[Row]:
    """Measure one product on a database of its own."""
    product: Any = importlib.import_module(f"tests.bench.peers.with_{name}.product")
    subject = Subject(f"with_{name}", product.block)
    call_command("migrate", verbosity=0)
    with _owner().schema_editor() as editor:
        for model in apps.get_app_config(subject.app).get_models():
            if not model._meta.proxy:
                editor.create_model(model)
    product.prepare()
    found = []
    for workload in MEASURED:
        is_bulk = workload in {"bulk_create", "queryset_update"}
        found += _costs(
            product, subject, workload,
            rows=int(bulk) if is_bulk else SINGLES,
            rounds=max(3, int(rounds) // BULK_ROUNDS) if is_bulk else int(rounds),
        )  # fmt: skip
    return [*found, *_sizes(product, subject), *_captured(product, subject)]


def _owner() -> BaseDatabaseWrapper:
    return connections["owner" if "owner" in connections else "default"]


def _costs(product: Any, subject: Subject, name: str, *, rows: int, rounds: int) -> list[Row]:
    work = MEASURED[name]
    before = product.captured()["row"]
    pairs = measuring.beside(
        lambda: _exactly(rows, work(subject.model("Audited"), subject.block, rows)),
        lambda: _exactly(rows, work(subject.model("Plain"), transaction.atomic, rows)),
        rounds=rounds,
        between=lambda: _vacuum(subject),
    )
    captured, changed = product.captured()["row"] - before, rows * (rounds + 1)
    if subject.app == "with_trail" and captured != changed:  # of peers, the table says it
        sys.exit(f"{name}: {captured} entries for {changed} rows: no figure counts")
    return [
        _row(name, pairs, lambda cost: cost.cpu_s, unit="us CPU/row", rows=rows),
        _row(f"{name}_wall", pairs, lambda cost: cost.wall_s, unit="us/row", rows=rows),
    ]


def _row(name: str, pairs: list[tuple[Cost, Cost]], of: Any, *, unit: str, rows: int) -> Row:
    figures = [(of(ours), of(theirs)) for ours, theirs in pairs]
    return measuring.compared(name, figures, unit=unit, scale=1e6 / rows)


def _exactly(expected: int, changed: int) -> None:
    if changed != expected:
        sys.exit(f"{changed} rows were changed where {expected} should be: no figure counts")


def _vacuum(subject: Subject) -> None:
    """Leave every round the same: dead rows of the one before are not its cost."""
    with _owner().cursor() as cursor:
        for name in ("Audited", "Plain"):
            cursor.execute(f"VACUUM (ANALYZE) {subject.model(name)._meta.db_table}")


def _sizes(product: Any, subject: Subject) -> list[Row]:
    """Return the bytes (heap, index, toast) of what was recorded, for each row."""
    found = []
    for name, work in (("insert", workloads.create), ("update", workloads.get_save)):
        before, rows_before = _size(subject), product.captured()["row"]
        work(subject.model("Audited"), subject.block, SIZED)
        _exactly(SIZED, product.captured()["row"] - rows_before)
        found.append(Row(f"bytes_per_{name}", (_size(subject) - before) / SIZED, "bytes"))
    return found


def _size(subject: Subject) -> int:
    """Sum up everything but the records themselves."""
    models = [subject.model(name) for name in ("Audited", "Linked", "Part", "Plain", "Tag")]
    models.append(subject.model("Linked").tags.through)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND NOT relname = ANY(%s) AND relnamespace NOT IN "
            "('pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
            [[model._meta.db_table for model in models]],
        )
        return int(cursor.fetchone()[0])


def _captured(product: Any, subject: Subject) -> list[Row]:
    """Return for every workload the rows that were recorded, of those that were changed."""
    found = []
    for name, run in workloads.each(subject, COUNTED):
        before = product.captured()
        changed = run()
        after = product.captured()
        gained = {kind: after[kind] - before[kind] for kind in after}
        if name == "m2m":  # some record the other side as well
            count = gained.get("link", gained["row"])
        else:
            count = sum(gained.values()) if name == "cascade" else gained["row"]
        recorded = min(count, changed)
        found.append(Row(f"captured_{name}", recorded, "rows", changed, recorded / changed))
    return found
