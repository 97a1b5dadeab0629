"""Freeze what an inspection reads: one transaction that sees one state of every record."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from compliance.inspection import scopes
from compliance.trail import capture, verification
from compliance.trail.tlog import canonical, merkle
from compliance.trail.verification import Report

M = TypeVar("M", bound=Model)

# What an inspection writes about itself is not what it read.
OWN_TABLES = frozenset({"inspection_inspection", "inspection_checkresult"})
_TAG = b"gmp-inspection/snapshot/v1\0"


class SnapshotNotPossible(Exception):
    """A transaction is open already, so its reads could differ from each other."""


@dataclass(frozen=True)
class Extent:
    """How far an inspection reads the trail: a tree size, and the last entry it saw."""

    tree_size: int
    last_entry: int


@dataclass(frozen=True)
class Snapshot:
    """The records as of one tree size, narrowed to a scope of batches.

    Its digest covers the root of the log at that size, and how many rows and versions each
    inspected table has: any later change gives another digest.
    """

    as_of: datetime
    scope: tuple[str, ...]
    extent: Extent
    digest: str

    def rows(self, model: type[M]) -> QuerySet[M]:
        """Return the rows of a model that are in scope, in order."""
        return scopes.narrow(model, self.scope)

    def released(self) -> frozenset[str]:
        """Return the batches in scope that were released."""
        return scopes.released(self.scope)

    @cached_property
    def verification(self) -> Report:
        """Verify the whole trail, once a snapshot; raise `NotAssessable` where that is impossible.

        It takes a snapshot of its own, a moment later than this one.
        """
        return verification.verify()


@contextmanager
def frozen(
    *, scope: Sequence[str], as_of: datetime, extent: Extent | None = None
) -> Iterator[Snapshot]:
    """Open a read-only transaction in which every query sees the same state."""
    if connection.in_atomic_block:
        raise SnapshotNotPossible("a snapshot begins outside any transaction")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield take(scope=scope, as_of=as_of, extent=extent)


def take(*, scope: Sequence[str], as_of: datetime, extent: Extent | None = None) -> Snapshot:
    """Describe the state that this transaction sees; an extent repeats an earlier description."""
    seen = extent or _extent()
    document: dict[str, canonical.Value] = {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "last_entry": seen.last_entry,
        "root": _root(seen.tree_size),
        "scope": sorted(scope),
        "size": seen.tree_size,
        "tables": _tables(),
    }
    digest = hashlib.sha256(_TAG + canonical.dumps(document)).hexdigest()
    return Snapshot(as_of=as_of, scope=tuple(scope), extent=seen, digest=digest)


def _extent() -> Extent:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT size FROM audit.log_state WHERE log_id = 1), 0), "
            "coalesce((SELECT max(entry_id) FROM audit.entry WHERE log_id = 1), 0)"
        )
        return Extent(*cursor.fetchone())


def _root(size: int) -> str:
    """Return the root of the log's first leaves, from the stored state where it is that size."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT root FROM audit.log_state WHERE log_id = 1 AND size = %s", [size])
        if row := cursor.fetchone():
            return bytes(row[0]).hex()
        cursor.execute(
            "SELECT leaf_hash FROM audit.leaf WHERE log_id = 1 AND idx < %s ORDER BY idx", [size]
        )
        return merkle.root_of(bytes(leaf) for (leaf,) in cursor).hex()


def _tables() -> dict[str, canonical.Value]:
    """Count rows and versions of each controlled table: any change moves one of the two."""
    found: dict[str, canonical.Value] = {}
    with connection.cursor() as cursor:
        for control in capture.controls():
            if control.table in OWN_TABLES:
                continue
            cursor.execute(
                "SELECT count(*), coalesce(sum(audit_seq), 0)::bigint "  # noqa: S608 -- own models
                f'FROM public."{control.table}"'
            )
            found[control.table] = list(cursor.fetchone())
    return found
