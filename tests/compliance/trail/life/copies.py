"""Copy a database and put the copy in its place: a backup and its restore; write an export."""

from pathlib import Path

from django.db import connections
from psycopg import sql

from compliance.trail.tlog import tiles
from tests.conftest import administrator


def back_up(database: str) -> str:
    copy = f"{database}_backup"
    _replace(copy, by=database)
    return copy


def restore(database: str) -> None:
    _replace(database, by=f"{database}_backup")


def discard(database: str) -> None:
    with administrator("postgres") as postgres:
        postgres.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(f"{database}_backup")
            )
        )


def _replace(database: str, *, by: str) -> None:
    connections.close_all()
    with administrator("postgres") as postgres:
        postgres.autocommit = True
        for statement in (
            "DROP DATABASE IF EXISTS {0} WITH (FORCE)",
            "CREATE DATABASE {0} TEMPLATE {1}",
        ):
            postgres.execute(
                sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(by))
            )


def export(folder: Path, log_id: int = 1) -> Path:
    """Write what `exporting` writes of bodies and checkpoints, in its names."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT size, note FROM audit.checkpoint WHERE log_id = %s ORDER BY size", [log_id]
        )
        signed = cursor.fetchall()
        for size, note in signed:
            digits = f"{size:018}"
            groups = "/".join(digits[at : at + 3] for at in range(0, 18, 3))
            path = folder / f"{log_id}/checkpoint/{groups}/note"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(note)
        cursor.execute(
            "SELECT l.idx, e.body FROM audit.leaf l JOIN audit.entry e USING (entry_id) "
            "WHERE l.log_id = %s AND l.idx < %s ORDER BY l.idx",
            [log_id, signed[-1][0]],
        )
        bodies = [bytes(body) for _, body in cursor.fetchall()]
    for number, first in enumerate(range(0, len(bodies), tiles.TILE_WIDTH)):
        bundle = bodies[first : first + tiles.TILE_WIDTH]
        suffix = "" if len(bundle) == tiles.TILE_WIDTH else f".p/{len(bundle)}"
        path = folder / f"{log_id}/bodies/{number:03}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in bundle))
    return folder
