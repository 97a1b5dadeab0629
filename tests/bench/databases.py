"""Make the databases of one run on the server of the product, and drop them afterwards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from config.embedded import folders

PREFIX = "gmp_bench_"  # never the database of an installation


@contextmanager
def administrator(database: str = "postgres") -> Iterator[CursorWrapper]:
    """Connect to a database of the server outside of any role."""
    own = connections["owner"]
    other = type(own)({**own.settings_dict, "NAME": database, "OPTIONS": _options()}, "owner")
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


@contextmanager
def made(*names: str) -> Iterator[None]:
    """Begin with empty databases of these names, and leave none."""
    drop(*names)
    try:
        with administrator() as cursor:
            for name in names:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                        sql.Identifier(name)
                    )
                )
        yield
    finally:
        drop(*names)


def drop(*names: str) -> None:
    with administrator() as cursor:
        for name in names:
            cursor.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def plain_settings(name: str) -> str:
    """Return Django's settings of a database of this run, as JSON, for a project without us."""
    own = connections["owner"].settings_dict
    found: dict[str, Any] = {
        key: own[key] for key in ("USER", "PASSWORD", "HOST", "PORT") if key in own
    }
    if settings.EMBEDDED_POSTGRES:
        found["HOST"] = str(folders.run_folder(settings.VAR_DIR.resolve()))
    return json.dumps(
        {"ENGINE": "django.db.backends.postgresql", "NAME": name, "OPTIONS": _options(), **found}
    )


def _options() -> dict[str, Any]:
    own = connections["owner"].settings_dict["OPTIONS"]
    return {key: value for key, value in own.items() if key != "options"}


def entries(name: str) -> int:
    """Return how many entries the trail of a database has."""
    with administrator(name) as cursor:
        cursor.execute("SELECT count(*) FROM audit.entry")
        return int(cursor.fetchone()[0])
