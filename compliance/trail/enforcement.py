"""Say what is missing or altered in the enforcement: captures, the log's own triggers, roles."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from django.db.backends.utils import CursorWrapper

from compliance.trail import (
    capture,
    capture_check,
    declared_functions,
    guards,
    led_astray,
    rights,
    roles,
)
from compliance.trail.roles import TRAIL

SQL = Path(__file__).parent / "sql"
_GUARDS = {
    table: {"append_only": 27, "no_truncate": 34}  # pg_trigger.tgtype; see capture
    for table in ("entry", "leaf", "node", "checkpoint", "log", "cosignature", "timestamp")
} | {
    "log_state": {"only_grows": 27, "no_truncate": 34},
    "rehash": {"only_grows": 27, "no_truncate": 34},
    "opening": {"unchanged": 19, "no_truncate": 34},
}
_CALLED = {
    ("audit.log_state", "only_grows"): "audit.refuse_shrinking",
    ("audit.rehash", "only_grows"): "audit.refuse_shorter",
}
_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION audit\.(\w+)\((.*?)AS \$\$(.*?)\$\$;", re.DOTALL
)


def problems(cursor: CursorWrapper) -> list[str]:
    """Return everything that is not as declared; empty when the trail is enforced."""
    return [
        *_captures(cursor),
        *_guards(cursor),
        *_misdirected(cursor),
        *_functions(cursor),
        *rights.problems(cursor),
        *_event_triggers(cursor),
        *guards.problems(cursor),
        *led_astray.problems(cursor),
    ]


def _captures(cursor: CursorWrapper) -> Iterator[str]:
    controls = list(capture.controls())
    found = capture_check.problems(cursor, controls)
    for control in controls:
        missing = [f"{control.table}: the controlled table does not exist"]
        yield from found.get(control.table, missing)


def _guards(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = to_regclass('audit.entry')"
    )
    expected = {
        f'audit."{table}"' if table == "timestamp" else f"audit.{table}": own  # as regclass does
        for table, own in _GUARDS.items()
    }
    expected |= {partition: _GUARDS["entry"] for (partition,) in cursor.fetchall()}
    expected["trail_logevent"] = {"kinds_apart": 7}
    cursor.execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled::text, tgtype::int, "
        "tgfoid::regproc::text, tgqual IS NULL AND tgattr = '' AND tgnargs = 0 FROM pg_trigger "
        "WHERE (tgrelid::regclass::text = ANY(%s) OR tgrelid IN "
        "(SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('audit'))) "
        "AND NOT tgisinternal",
        [list(expected)],
    )
    present = {(table, name): tuple(rest) for table, name, *rest in cursor.fetchall()}
    for table, name in present:
        if table.startswith("audit.") and name not in expected.get(table, ()):
            yield f"{table}: nobody declared the trigger {name}"
    for table, own in expected.items():
        for name, kind in own.items():
            function = (
                "audit.refuse_kind"
                if name == "kinds_apart"
                else _CALLED.get((table, name), "audit.refuse_change")
            )
            match present.get((table, name)):
                case None:
                    yield f"{table}: trigger {name} is missing"
                case ("A", found, calls, True) if found == kind and calls == function:
                    pass
                case _:
                    yield f"{table}: trigger {name} is disabled or not the declared one"
    cursor.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE NOT c.relhastriggers "
        "AND c.relnamespace IN (to_regnamespace('audit'), to_regnamespace('public')) "
        "AND EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid) ORDER BY 1"
    )
    for (table,) in cursor.fetchall():
        yield f"{table}: has triggers, and the catalogue says that it has none: no one fires"


_MISDIRECTED = """
WITH RECURSIVE ends AS (
    SELECT log_id AS asked_for, log_id FROM audit.log
    UNION ALL SELECT e.asked_for, n.log_id FROM ends e JOIN audit.log n ON n.follows = e.log_id
), due AS (
    SELECT e.asked_for, l.log_id::text, to_json(l.origin)::text FROM ends e
    JOIN audit.log l USING (log_id)
    WHERE NOT EXISTS (SELECT FROM audit.log n WHERE n.follows = l.log_id))
SELECT DISTINCT asked_for FROM ((TABLE due EXCEPT TABLE audit.current_log)
    UNION ALL (TABLE audit.current_log EXCEPT TABLE due)) found ORDER BY asked_for
"""


def _misdirected(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(_MISDIRECTED)
    for (log_id,) in cursor.fetchall():
        yield f"audit.current_log: acts for log {log_id} are sent elsewhere"


def _functions(cursor: CursorWrapper) -> Iterator[str]:
    declared = {
        name: (source.strip(), *declared_functions.attributes(header), TRAIL)
        for path in sorted(SQL.glob("*.sql"))
        for name, header, source in _FUNCTION.findall(path.read_text())
    }
    present = {
        name: found
        for name, found in declared_functions.present(cursor, "audit").items()
        if not name.startswith("capture_")  # see capture_check; they stay when a control ends
    }
    for name, one in declared.items():
        # one alone: of two with the same name, the arguments decide which is called
        if present.pop(name, None) != [one]:
            yield f"audit.{name}: the function is missing or not the declared one"
    cursor.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('audit') "
        "AND proname LIKE %s AND prorettype <> 'trigger'::regtype",
        ["capture\\_%"],
    )
    for name in (*present, *(name for (name,) in cursor.fetchall())):
        yield f"audit.{name}: nobody declared this function"


def _event_triggers(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(
        "SELECT evtname, evtenabled::text = 'A' AND evtevent = %s::jsonb ->> evtname::text "
        "AND evtfoid = to_regprocedure('audit.log_ddl()') AND evttags IS NULL "
        "FROM pg_event_trigger WHERE evtname = ANY(%s)",
        [json.dumps(roles.EVENT_TRIGGERS), list(roles.EVENT_TRIGGERS)],
    )
    present = dict(cursor.fetchall())
    for name in roles.EVENT_TRIGGERS:
        if name not in present:
            yield (
                f"event trigger {name} is missing, so DDL leaves no entry; a superuser makes it: "
                f"{roles.watching_sql(name)}"
            )
        elif not present[name]:
            yield f"event trigger {name} is disabled or not the declared one"
    cursor.execute("SELECT current_setting('event_triggers', true) = 'off'")  # since version 17
    if cursor.fetchone() == (True,):
        yield "event_triggers is off, so DDL leaves no entry"
