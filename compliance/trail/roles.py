"""Create the database roles that the trail's promises rest on."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.utils import ProgrammingError
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

# Nobody signs in as gmp_trail: it owns the log, and only its own functions write there.
TRAIL, OWNER, APPLICATION = "gmp_trail", "gmp_owner", "gmp_app"
SEQUENCER, SIGNER = "gmp_sequencer", "gmp_signer"
LOGINS = (OWNER, APPLICATION, SEQUENCER, SIGNER)


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
        for is_done, statement in _GRANTS:
            cursor.execute(is_done)
            if cursor.fetchone() != (True,):
                cursor.execute(statement)


# What makes DDL an entry: event trigger, and when it fires. See audit.log_ddl.
EVENT_TRIGGERS = {"gmp_ddl": "ddl_command_end", "gmp_drop": "sql_drop"}


def watch_ddl(database: str, *, alias: str = "owner") -> bool:
    """Make the event triggers where they are missing; say whether all are there.

    Only a superuser may. A disabled one stays as it is, for `enforcement.problems` to name.
    """
    with _administrator(alias, database) as cursor:
        for name in EVENT_TRIGGERS:
            cursor.execute("SELECT FROM pg_event_trigger WHERE evtname = %s", [name])
            if cursor.fetchone() is not None:
                continue
            try:
                cursor.execute(watching_sql(name))
            except ProgrammingError as error:
                if not isinstance(error.__cause__, InsufficientPrivilege):
                    raise
                return False
    return True


def watching_sql(name: str) -> str:
    """Return the statements by which a superuser makes an event trigger."""
    return (
        f"CREATE EVENT TRIGGER {name} ON {EVENT_TRIGGERS[name]} "
        f"EXECUTE FUNCTION audit.log_ddl(); ALTER EVENT TRIGGER {name} ENABLE ALWAYS"
    )


_ON_PUBLIC = "FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'public'"
# Each with the question whether it was done: a GRANT is an entry of the log.
_GRANTS = (
    (
        "SELECT NOT has_schema_privilege('public', 'public', 'CREATE')",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ),
    (
        # granted to the role itself, not through PUBLIC or the ownership of the database
        f"SELECT count(*) = 2 {_ON_PUBLIC} AND grantee = 'gmp_owner'::regrole "
        "AND privilege_type IN ('USAGE', 'CREATE')",
        "GRANT USAGE, CREATE ON SCHEMA public TO gmp_owner",
    ),
    (
        f"SELECT count(*) = 4 {_ON_PUBLIC} AND privilege_type = 'USAGE' AND grantee = ANY("
        "'{gmp_app,gmp_sequencer,gmp_signer,gmp_trail}'::regrole[])",
        "GRANT USAGE ON SCHEMA public TO gmp_app, gmp_sequencer, gmp_signer, gmp_trail",
    ),
    (
        "SELECT count(*) = 4 FROM pg_default_acl, aclexplode(defaclacl) WHERE defaclobjtype = 'r' "
        "AND defaclrole = 'gmp_owner'::regrole AND grantee = 'gmp_app'::regrole",
        "ALTER DEFAULT PRIVILEGES FOR ROLE gmp_owner IN SCHEMA public "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gmp_app",
    ),
    (
        "SELECT count(*) = 2 FROM pg_default_acl, aclexplode(defaclacl) WHERE defaclobjtype = 'S' "
        "AND defaclrole = 'gmp_owner'::regrole AND grantee = 'gmp_app'::regrole",
        "ALTER DEFAULT PRIVILEGES FOR ROLE gmp_owner IN SCHEMA public "
        "GRANT USAGE, SELECT ON SEQUENCES TO gmp_app",
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
