"""How fast the sequencer seals what the writers left, and how fast it is made searchable."""

import sys
from collections.abc import Callable

from django.apps import apps
from django.db import connection

from compliance.trail import projecting, sequencer
from tests.bench import measuring
from tests.bench.columns import values
from tests.bench.measuring import Row
from tests.bench.peers.with_trail import product

SEGMENTS = 8
PENDING = 200_000  # at least
_BATCH = 20_000


def rows() -> list[Row]:
    """Seal and project everything that is pending, in segments of one size."""
    _top_up()
    pending, sealed = _state()
    found = _measured("seal", lambda: sequencer.seal().count, pending)
    found += _measured("project", projecting.project, pending)
    left, size = _state()
    if left or size != sealed + pending:
        sys.exit(f"{left} entries are left unsealed: no figure counts")
    return [*found, _size_of_log(size), Row("seal_pending", pending, "entries")]


def _top_up() -> None:
    model = apps.get_model("with_trail.Audited")
    while _state()[0] < PENDING:
        with product.block():
            model.objects.bulk_create(
                [model(**values(number)) for number in range(_BATCH)], batch_size=2000
            )


def _measured(name: str, step: Callable[[], int], total: int) -> list[Row]:
    """Measure in segments, so that the spread shows; the process is that of the sequencer."""
    by_cpu, by_wall = [], []
    left = True
    while left:
        counted: list[int] = []

        def segment(counted: list[int] = counted) -> None:
            while sum(counted) < total / SEGMENTS:
                counted.append(step())
                if not counted[-1]:
                    return

        cost = measuring.cost(segment, using=sequencer.ALIAS)
        left = counted[-1] > 0
        if sum(counted) >= total / SEGMENTS:  # the rest is too short to be measured
            by_cpu.append(sum(counted) / cost.cpu_s)
            by_wall.append(sum(counted) / cost.wall_s)
    return [
        measuring.alone(f"{name}_rate", by_cpu, unit="entries/CPU-s"),
        measuring.alone(f"{name}_rate_wall", by_wall, unit="entries/s"),
    ]


def _state() -> tuple[int, int]:
    """Return how many entries are unsealed, and the size of the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM audit.entry) - size, size FROM audit.log_state"
        )
        unsealed, size = cursor.fetchone()
        return int(unsealed), int(size)


def _size_of_log(size: int) -> Row:
    """Return what a sealed and searchable entry takes beside its own row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'audit'::regnamespace AND NOT relname LIKE 'entry_p%'"
        )
        return Row("bytes_per_sealed", float(cursor.fetchone()[0]) / size, "bytes")
