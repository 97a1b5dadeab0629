"""Acts begun as machine code leave the same behind as those begun by the SQL function."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from compliance.trail import recording
from compliance.trail.recording import System
from compliance.trail.roles import EVENT_TRIGGERS
from tests import trail_log
from tests.compliance.trail.capture.test_native import ACT, WITHOUT_REASON

SETTINGS = ("audit.log", "audit.log_id", "audit.act", "audit.xid")
Server = psycopg.Connection[Any]


@pytest.fixture
def session(server: Server) -> Iterator[Server]:
    """Return a connection whose SQL reads audit.current_log by its index: machine code scans it."""
    server.execute("SET enable_seqscan = off")
    server.execute("SET enable_bitmapscan = off")
    server.commit()
    yield server
    server.rollback()


def _scans(session: Server) -> int:
    """Return how often this session scanned audit.current_log, since its counts were last told."""
    (found,) = session.execute(
        "SELECT coalesce(sum(seq_scan), 0)::int FROM pg_stat_xact_user_tables "
        "WHERE schemaname = 'audit' AND relname = 'current_log'"
    ).fetchone() or (0,)
    return int(found)


def _begin(session: Server, *arguments: object, as_code: bool = True) -> tuple[Any, bool]:
    """Begin an act in a transaction of its own; return what it left, and whether SQL did not run."""
    try:
        with session.transaction(force_rollback=True):
            session.execute("SELECT set_config('gmp_capture.native', %s, true)", [str(as_code)])
            before = _scans(session)
            session.execute("SELECT audit.begin_act(%s::smallint, %s::text)", arguments)
            (xid,) = session.execute("SELECT pg_current_xact_id()::text").fetchone() or ("",)
            left = session.execute(
                f"SELECT {', '.join('current_setting(%s, true)' for _ in SETTINGS)}", SETTINGS
            ).fetchone()
            assert left
            return (*left[:3], left[3].removeprefix(xid)), _scans(session) > before
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.message_primary), False


@pytest.mark.parametrize(
    ("log", "act"),
    [(1, ACT), (1, WITHOUT_REASON), (1, "{}"), (1, ""), (1, ACT.replace("é", "漢字 \\\\ ' 😀"))],
)
def test_both_leave_the_same(session: Server, log: int, act: str) -> None:
    code, is_code = _begin(session, log, act)
    plain, is_code_too = _begin(session, log, act, as_code=False)

    assert code == plain
    assert code[2] == act
    assert (is_code, is_code_too) == (True, False)


@pytest.mark.parametrize(
    ("log", "act", "code"),
    [
        (7, ACT, "GM001"),
        (1, ACT.replace('"actor":"é \\"q\\""', '"actor":""'), "GM001"),
        (1, ACT.replace('"action":"test.tried"', '"action":""'), "GM001"),
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(
    session: Server, log: int, act: str, code: str
) -> None:
    refused, _ = _begin(session, log, act)

    assert refused == _begin(session, log, act, as_code=False)[0]
    assert refused[0] == code


@pytest.mark.parametrize(("log", "act"), [(None, ACT), (1, None)])
def test_what_is_missing_is_left_to_sql(session: Server, log: Any, act: Any) -> None:
    assert _begin(session, log, act) == _begin(session, log, act, as_code=False)


def test_its_end_is_the_end_of_the_transaction_or_of_the_savepoint(session: Server) -> None:
    def left() -> Any:
        return (session.execute("SELECT current_setting('audit.act', true)").fetchone() or [None])[
            0
        ]

    with session.transaction(force_rollback=True):
        session.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        with session.transaction(force_rollback=True):
            session.execute("SELECT audit.begin_act(1::smallint, %s)", [WITHOUT_REASON])
            inner = left()
        outer = left()

    assert (inner, outer, left() or "") == (WITHOUT_REASON, ACT, "")


@pytest.mark.parametrize(
    "altered",
    [
        "CREATE OR REPLACE FUNCTION audit.begin_act(log_number smallint, act text) RETURNS void "
        "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'altered'; END $$",
        "ALTER TABLE audit.current_log ENABLE ROW LEVEL SECURITY THEN SET LOCAL ROLE gmp_app",
        "REVOKE SELECT ON audit.current_log FROM gmp_app THEN SET LOCAL ROLE gmp_app",
        "ALTER TABLE audit.current_log ADD COLUMN more text",
        "DROP TABLE audit.current_log",
        "DELETE FROM audit.current_log",
    ],
)
def test_what_was_altered_runs_as_it_was_altered(session: Server, altered: str) -> None:
    found = []
    for as_code in (True, False):
        with session.transaction(force_rollback=True):
            for name in EVENT_TRIGGERS:  # they begin acts themselves
                session.execute(
                    sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name))
                )
            session.execute("SET LOCAL session_replication_role = replica")
            for statement in altered.split(" THEN "):
                session.execute(sql.SQL(statement))  # type: ignore[arg-type]
            found.append(_begin(session, 1, ACT, as_code=as_code))

    assert found[0] == found[1]


def test_a_log_that_is_opened_meanwhile_waits_for_the_act(session: Server) -> None:
    with session.transaction(force_rollback=True):
        session.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        locks = session.execute(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() "
            "AND relation = 'audit.current_log'::regclass"
        ).fetchall()

    assert locks == [("AccessShareLock",)]


def test_what_the_application_does_is_begun_so(session: Server) -> None:
    act = recording._act(trail_log.Action.TRIED, System("test"), trail_log.NOON, "tried here")
    with session.transaction(force_rollback=True):
        before = _scans(session)
        session.execute(recording._begin_statement(act).encode())
        assert _scans(session) == before + 1
