"""Say who may do more to the log and the controlled tables than was declared, directly or by another."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from compliance.trail import capture, guards
from compliance.trail.roles import APPLICATION, LOGINS, OWNER, SEQUENCER, SIGNER, TRAIL

SQL = Path(__file__).parent / "sql"
_GRANT = re.compile(
    r"^GRANT ([A-Z, ]+) ON (?:FUNCTION )?(audit\..*?) TO (.*?);", re.DOTALL | re.MULTILINE
)
_RUNNING = (
    APPLICATION,
    SEQUENCER,
    SIGNER,
)  # the roles of processes that serve or run by themselves
# What these let a role see is no right to change anything. Whoever owns the database is a member of
# pg_database_owner.
_HARMLESS = (
    "pg_monitor", "pg_read_all_settings", "pg_read_all_stats", "pg_stat_scan_tables",
    "pg_database_owner",
)  # fmt: skip


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield every right beyond those that the product's own statements grant."""
    yield from _of_the_application(cursor)
    yield from _roles(cursor)
    yield from _granted(cursor)
    yield from _owners(cursor)
    yield from _borrowed(cursor)
    yield from _personal_data(cursor)


def _of_the_application(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(
        "SELECT c.oid::regclass::text, p FROM pg_class c "
        "CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p "
        "WHERE c.relnamespace = to_regnamespace('audit') AND c.relkind IN ('r', 'p', 'v') "
        "AND (has_table_privilege(%s, c.oid, p) "
        "OR p IN ('INSERT', 'UPDATE') AND has_any_column_privilege(%s, c.oid, p))",
        [APPLICATION, APPLICATION],
    )
    for table, privilege in cursor.fetchall():
        yield f"{table}: the application may {privilege}"


def _roles(cursor: CursorWrapper) -> Iterator[str]:
    """Find what a role is allowed everywhere, and which others it may become."""
    cursor.execute(
        "SELECT CASE r.rolname WHEN %(app)s THEN 'the application' ELSE r.rolname END "
        "|| ' may become ' || o.rolname FROM pg_roles r JOIN pg_roles o ON o.oid <> r.oid "
        "WHERE r.rolname = ANY(%(ours)s) AND NOT r.rolsuper AND NOT o.rolname = ANY(%(harmless)s) "
        "AND pg_has_role(r.oid, o.oid, 'MEMBER') "
        "UNION ALL SELECT rolname || ' has the attribute ' || said FROM pg_roles "
        "CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), "
        "('CREATEDB', rolcreatedb), ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) "
        "AS attribute (said, is_set) WHERE rolname = ANY(%(ours)s) AND is_set",
        {"ours": [TRAIL, *LOGINS], "app": APPLICATION, "harmless": list(_HARMLESS)},
    )
    for (problem,) in cursor.fetchall():
        yield problem


def _granted(cursor: CursorWrapper) -> Iterator[str]:
    """Compare who was granted what in the schema audit, and on controlled tables."""
    tables = [control.table for control in capture.controls()]
    declared = {
        *_declared(),
        *((table, APPLICATION, one) for table in tables for one in ("INSERT", "UPDATE", "DELETE")),
        *(("trail_logevent", role, "INSERT") for role in (TRAIL, SEQUENCER, SIGNER)),
    }
    cursor.execute(
        "SELECT name, coalesce(r.rolname, 'PUBLIC'), privilege FROM ("
        "SELECT c.relname::text AS name, a.grantee, a.privilege_type AS privilege "
        "FROM pg_class c CROSS JOIN aclexplode(c.relacl) a WHERE a.grantee <> c.relowner "
        "AND (c.relnamespace = to_regnamespace('audit') "
        "OR c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%(tables)s)) "
        "UNION ALL SELECT c.relname, a.grantee, a.privilege_type FROM pg_attribute t "
        "JOIN pg_class c ON c.oid = t.attrelid CROSS JOIN aclexplode(t.attacl) a "
        "WHERE c.relnamespace = to_regnamespace('audit') "
        "UNION ALL SELECT p.proname, a.grantee, a.privilege_type FROM pg_proc p "
        "CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a "
        "WHERE a.grantee <> p.proowner AND p.pronamespace = to_regnamespace('audit')) found "
        "LEFT JOIN pg_roles r ON r.oid = grantee WHERE privilege <> 'SELECT'",
        {"tables": tables},
    )
    for name, role, privilege in sorted(set(cursor.fetchall()) - declared):
        if name.startswith("capture_") and (role, privilege) == (OWNER, "EXECUTE"):
            continue  # who makes the triggers
        where = name if name in tables else f"audit.{name}"
        yield f"{where}: {role} may {privilege}, which was not granted by the product"


@cache
def _declared() -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (name.strip().removeprefix("audit."), role.strip(), privilege.strip())
        for path in sorted(SQL.glob("*.sql"))
        for privileges, names, roles in _GRANT.findall(path.read_text())
        for privilege in privileges.split(",")
        for name in names.split(",")
        for role in roles.split(",")
    )


def _owners(cursor: CursorWrapper) -> Iterator[str]:
    """Find whoever may do everything to something because it is theirs."""
    cursor.execute(
        "SELECT c.oid::regclass::text, pg_get_userbyid(c.relowner), expected.owner FROM pg_class c "
        "JOIN (VALUES ('audit', %(trail)s), ('public', %(owner)s)) AS expected (schema, owner) "
        "ON c.relnamespace = to_regnamespace(expected.schema) "
        "WHERE c.relkind IN ('r', 'p', 'v', 'S') AND pg_get_userbyid(c.relowner) <> expected.owner "
        "AND (expected.schema = 'audit' OR c.relname = ANY(%(tables)s))",
        {"trail": TRAIL, "owner": OWNER, "tables": [one.table for one in capture.controls()]},
    )
    for table, owner, expected in cursor.fetchall():
        yield f"{table}: belongs to {owner}, not to {expected}"
    cursor.execute(
        "SELECT thing || ' belongs to ' || r.rolname FROM (SELECT 'schema ' || nspname AS thing, "
        "nspowner AS owner FROM pg_namespace WHERE nspname IN ('public', 'audit') "
        "UNION ALL SELECT 'database ' || datname, datdba FROM pg_database "
        "WHERE datname = current_database()) found JOIN pg_roles r ON r.rolname = ANY(%(running)s) "
        "WHERE NOT r.rolsuper AND pg_has_role(r.oid, owner, 'MEMBER') "
        "UNION ALL SELECT 'schema ' || schema || ': ' || role || ' may CREATE in it' "
        "FROM unnest(ARRAY['public', 'audit']) schema CROSS JOIN unnest(%(all)s::text[]) role "
        "WHERE has_schema_privilege(role, schema, 'CREATE') "
        "AND (schema, role) <> ('public', %(owner)s)",
        {"running": list(_RUNNING), "all": list(LOGINS), "owner": OWNER},
    )
    for (problem,) in cursor.fetchall():
        yield problem


def _borrowed(cursor: CursorWrapper) -> Iterator[str]:
    """Find functions that run with the rights of another, and that no migration declares."""
    cursor.execute(
        "SELECT p.oid::regprocedure || ': runs with the rights of ' || o.rolname "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "JOIN pg_roles o ON o.oid = p.proowner WHERE p.prosecdef AND p.oid >= 16384 "
        "AND n.nspname <> 'audit' AND (o.rolsuper OR o.rolname = ANY(%(others)s)) "
        "AND NOT (n.nspname = 'public' AND p.proname = ANY(%(declared)s)) "
        "AND has_function_privilege(%(app)s, p.oid, 'EXECUTE')",
        {"others": [TRAIL, OWNER, SEQUENCER, SIGNER], "app": APPLICATION,
         "declared": list(guards.declared().functions)},
    )  # fmt: skip
    for (problem,) in cursor.fetchall():
        yield problem


def _personal_data(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(
        "SELECT role FROM unnest(%s::name[]) role "
        "WHERE has_table_privilege(role, 'audit.opening', 'SELECT')",
        [list(LOGINS)],
    )
    for (role,) in cursor.fetchall():
        yield f"audit.opening: {role} may read personal data without asking"
