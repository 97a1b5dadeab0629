"""Create the database roles that the trail's promises rest on."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.utils import CursorWrapper
from psycopg import sql

# Nobody signs in as gmp_trail: it owns the log, and only its own functions write there.
TRAIL, OWNER, APPLICATION = "gmp_trail", "gmp_owner", "gmp_app"
SEQUENCER, SIGNER = "gmp_sequencer", "gmp_signer"


def provision(database: str, *, alias: str = "owner", login: bool) -> None:
    """Make database, roles and schemas where they are missing; change nothing that is there.

    Runs on the owner's connection, whose user must be able to create roles the first time.
    `login` lets the roles sign in by themselves (the embedded server's local socket); servers
    get their logins from their administrator, as members of these roles.
    """
    with _administrator(alias, "postgres") as cursor:
        for role in (TRAIL, OWNER, APPLICATION, SEQUENCER, SIGNER):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                can_login = login and role != TRAIL
                cursor.execute(
                    sql.SQL("CREATE ROLE {} {}").format(
                        sql.Identifier(role), sql.SQL("LOGIN" if can_login else "NOLOGIN")
                    )
                )
                cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if cursor.fetchone() is None:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(database), sql.Identifier(OWNER)
                )
            )
    with _administrator(alias, database) as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'audit'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE SCHEMA audit AUTHORIZATION gmp_trail")
        for statement in _GRANTS:
            cursor.execute(statement)


# Repeated at each start: they change nothing the second time.
_GRANTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE, CREATE ON SCHEMA public TO gmp_owner",
    "GRANT USAGE ON SCHEMA public TO gmp_app, gmp_sequencer, gmp_signer, gmp_trail",
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE gmp_owner IN SCHEMA public "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gmp_app"
    ),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE gmp_owner IN SCHEMA public "
        "GRANT USAGE, SELECT ON SEQUENCES TO gmp_app"
    ),
)


@contextmanager
def _administrator(alias: str, database: str) -> Iterator[CursorWrapper]:
    """Open a short-lived connection of the owner's own user, outside any role."""
    own = connections[alias]
    options = {
        key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "options"
    }
    other = type(own)({**own.settings_dict, "NAME": database, "OPTIONS": options}, alias)
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()
