"""Say what would lead readers of the trail astray: rules, policies, foreign triggers, exchanged code."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.utils import CursorWrapper

from compliance.trail import bulk_seals, capture

SQL = Path(__file__).parent / "sql"
_VIEW = re.compile(r"CREATE (?:OR REPLACE )?VIEW audit\.(\w+) AS(.*?);", re.DOTALL)
# Functions of PostgreSQL that entries are made and rows are compared by, each with its code in the
# server itself.
_OF_POSTGRESQL = {
    "byteaeq": "byteaeq", "byteacat": "byteacat", "texteq": "texteq", "textcat": "textcat",
    "int8eq": "int8eq", "sha256": "sha256_bytea", "convert_to": "pg_convert_to",
    "convert_from": "pg_convert_from", "encode": "binary_encode", "decode": "binary_decode",
    "record_send": "record_send", "int8send": "int8send", "int2send": "int2send",
    "timestamptz_send": "timestamptz_send", "to_json": "to_json", "host": "network_host",
    "numeric_send": "numeric_send", "concat": "text_concat", "int8div": "int8div",
    "set_config": "set_config_by_name", "strpos": "textpos", "nextval": "nextval_oid",
    "pg_current_xact_id": "pg_current_xact_id", "statement_timestamp": "statement_timestamp",
    "timezone": None, "extract": None,
    "pg_get_viewdef": None, "format": None, "to_char": None, "string_agg": None,
    "octet_length": None, "current_setting": None, "has_table_privilege": None,
    "pg_get_userbyid": None, "to_regclass": None, "to_regprocedure": None, "replace": None,
}  # fmt: skip

# Making a server ends with its template0, some 720 transactions after it began. Whoever writes that
# row anew to hide something has a number that is far above the second bound by then.
_MADE_BY = "least(1000, (SELECT xmin::text::bigint FROM pg_database WHERE datname = 'template0'))"


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield everything that shows readers something else than what is stored."""
    yield from _rules_and_policies(cursor)
    yield from _bulk_tables(cursor)
    yield from _server_functions(cursor)
    yield from _altered_since_made(cursor)
    yield from _code_in_tables(cursor)
    yield from _views()


def _rules_and_policies(cursor: CursorWrapper) -> Iterator[str]:
    # Rules on controlled tables are named by capture_check; the rule of a view is its query.
    cursor.execute(
        "SELECT r.ev_class::regclass || ': rule ' || r.rulename || ' rewrites statements' "
        "FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class "
        "WHERE c.relnamespace = to_regnamespace('audit') "
        "AND (c.relkind <> 'v' OR r.rulename <> '_RETURN') "
        "UNION ALL SELECT c.oid::regclass || ': row level security can hide rows of it' "
        "FROM pg_class c WHERE (c.relrowsecurity OR EXISTS "
        "(SELECT FROM pg_policy WHERE polrelid = c.oid)) "
        "AND (c.relnamespace = to_regnamespace('audit') "
        "OR c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%s)) "
        "UNION ALL SELECT c.oid::regclass || ': a controlled table is no plain table any more' "
        "FROM pg_class c WHERE c.relnamespace = to_regnamespace('public') "
        "AND c.relname = ANY(%s) AND (c.relkind <> 'r' OR c.relpersistence <> 'p')",
        [[one.table for one in capture.controls()]] * 2,
    )
    for (problem,) in cursor.fetchall():
        yield problem


# Bulk data are not captured, so no trigger of their tables is ours: only foreign keys have some.
_BULK = """
WITH RECURSIVE bulk AS (
    SELECT c.oid, c.relkind = 'v' AS is_view,
        c.relkind NOT IN ('r', 'p') OR c.relpersistence <> 'p' AS is_other,
        c.relrowsecurity AS is_secured FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%(tables)s)
    UNION SELECT c.oid, false,
        c.relkind <> 'r' OR c.relpersistence <> 'p' OR NOT c.relispartition, c.relrowsecurity
    FROM bulk b JOIN pg_inherits i ON i.inhparent = b.oid JOIN pg_class c ON c.oid = i.inhrelid)
SELECT name || ': the table of bulk data does not exist' FROM unnest(%(tables)s::text[]) name
WHERE to_regclass(format('public.%%I', name)) IS NULL
UNION ALL SELECT oid::regclass || ': bulk data are in no plain table any more' FROM bulk
WHERE is_other
UNION ALL SELECT ev_class::regclass || ': rule ' || rulename || ' rewrites statements'
FROM bulk JOIN pg_rewrite ON ev_class = bulk.oid WHERE NOT is_view
UNION ALL SELECT oid::regclass || ': row level security can hide rows of it' FROM bulk
WHERE is_secured OR EXISTS (SELECT FROM pg_policy WHERE polrelid = bulk.oid)
UNION ALL SELECT tgrelid::regclass || ': trigger ' || tgname || CASE
    WHEN tgconstraint <> 0 AND p.pronamespace = to_regnamespace('pg_catalog')
        AND p.proname IN ('RI_FKey_check_ins', 'RI_FKey_check_upd') THEN ' is disabled'
    ELSE ' is declared by nobody' END
FROM bulk JOIN pg_trigger ON tgrelid = bulk.oid JOIN pg_proc p ON p.oid = tgfoid
WHERE tgenabled <> 'O' OR tgconstraint = 0
    OR p.pronamespace IS DISTINCT FROM to_regnamespace('pg_catalog')
    OR p.proname NOT IN ('RI_FKey_check_ins', 'RI_FKey_check_upd')
"""


def _bulk_tables(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(_BULK, {"tables": bulk_seals.tables()})
    for (problem,) in cursor.fetchall():
        yield problem


def _server_functions(cursor: CursorWrapper) -> Iterator[str]:
    """Compare what a superuser can exchange without touching the server's files.

    Functions of users have higher numbers than PostgreSQL's own (FirstNormalObjectId).
    """
    cursor.execute(
        "SELECT p.oid::regprocedure::text, p.proname, p.prosrc, l.lanname, p.oid >= 16384 "
        "FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang "
        "WHERE p.pronamespace = to_regnamespace('pg_catalog') AND p.proname = ANY(%s)",
        [list(_OF_POSTGRESQL)],
    )
    for signature, name, source, language, is_new in cursor.fetchall():
        declared = _OF_POSTGRESQL[name]
        if is_new or language != "internal" or declared not in (None, source):
            yield f"pg_catalog.{signature}: the function is not the one of PostgreSQL"


def _altered_since_made(cursor: CursorWrapper) -> Iterator[str]:
    """Find what is PostgreSQL's own and was written by a transaction after the server was made.

    A right that is granted or taken away since writes a function too, and leaves its code.
    """
    cursor.execute(f"SELECT {_MADE_BY}")
    (made,) = cursor.fetchone()
    cursor.execute(
        "SELECT 'pg_catalog.' || p.oid::regprocedure || ': the function is not the one of "
        "PostgreSQL' FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang "
        "WHERE p.oid < 16384 AND p.pronamespace = to_regnamespace('pg_catalog') "
        "AND p.xmin::text::bigint >= %(made)s AND NOT p.proname = ANY(%(named)s) "
        "AND (l.lanname <> 'internal' OR p.prosrc <> p.proname) "
        "UNION ALL SELECT 'operator ' || o.oid::regoperator || ' of PostgreSQL was altered' "
        "FROM pg_operator o WHERE o.oid < 16384 AND o.xmin::text::bigint >= %(made)s "
        "UNION ALL SELECT 'cast of ' || castsource::regtype || ' to ' || casttarget::regtype "
        "|| ' of PostgreSQL was altered' FROM pg_cast c WHERE c.oid < 16384 "
        "AND c.xmin::text::bigint >= %(made)s "
        "UNION ALL SELECT 'aggregate ' || aggfnoid || ' of PostgreSQL was altered' "
        "FROM pg_aggregate a WHERE a.aggfnoid::oid < 16384 AND a.xmin::text::bigint >= %(made)s "
        "UNION ALL SELECT 'operator family ' || amopfamily || ' of PostgreSQL was altered' "
        "FROM pg_amop m WHERE m.oid < 16384 AND m.xmin::text::bigint >= %(made)s "
        "UNION ALL SELECT 'support function ' || amproc || ' of PostgreSQL was altered' "
        "FROM pg_amproc m WHERE m.oid < 16384 AND m.xmin::text::bigint >= %(made)s",
        {"made": made, "named": list(_OF_POSTGRESQL)},
    )
    for (problem,) in cursor.fetchall():
        yield problem


def _code_in_tables(cursor: CursorWrapper) -> Iterator[str]:
    """Find code that runs while a controlled table is written or read, and that nobody declared.

    The functions that a default, a constraint or an index calls stand in its expression by number.
    """
    cursor.execute(
        "WITH code AS ("
        "SELECT d.adrelid AS rel, 'the default of ' || a.attname AS what, d.adbin::text AS tree "
        "FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum "
        "UNION ALL SELECT conrelid, 'the constraint ' || conname, conbin::text "
        "FROM pg_constraint WHERE conbin IS NOT NULL AND conrelid <> 0 "
        "UNION ALL SELECT indrelid, 'the index ' || indexrelid::regclass, "
        "concat(indexprs::text, indpred::text) FROM pg_index) "
        "SELECT DISTINCT c.relname || ': ' || what || ' calls ' || p.oid::regprocedure "
        "FROM code JOIN pg_class c ON c.oid = code.rel "
        "CROSS JOIN LATERAL regexp_matches(tree, ':(?:funcid|opfuncid) (\\d+)', 'g') called "
        "JOIN pg_proc p ON p.oid = called[1]::oid "
        "WHERE c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%(tables)s) "
        "AND (p.oid >= 16384 OR p.provolatile = 'v') "
        "UNION ALL SELECT c.relname || ': column ' || a.attname || ' is generated' "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE a.attgenerated <> '' AND NOT a.attisdropped "
        "AND c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%(tables)s) "
        "ORDER BY 1",
        {"tables": [one.table for one in capture.controls()]},
    )
    for (problem,) in cursor.fetchall():
        yield problem


def _views() -> Iterator[str]:
    """Compare each view with one made a moment ago from its declaration, in a transaction undone."""
    declared = {
        name: query
        for path in sorted(SQL.glob("*.sql"))
        for name, query in _VIEW.findall(path.read_text())
    }
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = pg_catalog")
            for name, query in declared.items():
                if not _is_view(cursor, name, query):
                    yield f"audit.{name}: the view is missing or not the declared one"
    except Error as error:
        yield f"the views of the schema audit cannot be compared: {str(error).splitlines()[0]}"
    finally:
        own.close()


def _is_view(cursor: CursorWrapper, name: str, query: str) -> bool:
    cursor.execute(f"CREATE TEMPORARY VIEW declared_{name} AS {query}")
    cursor.execute(
        "SELECT c.relkind = 'v' AND pg_get_viewdef(c.oid) = pg_get_viewdef(to_regclass(%s)) "
        "FROM pg_class c WHERE c.oid = to_regclass(%s)",
        [f"pg_temp.declared_{name}", f"audit.{name}"],
    )
    return bool(cursor.fetchone() == (True,))
