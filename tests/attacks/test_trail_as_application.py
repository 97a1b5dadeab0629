"""Whoever takes over the application's connection can add to the trail, and nothing else."""

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections
from psycopg import Connection, sql

from compliance.trail import sequencer, verification
from compliance.trail.findings import Verdict
from tests import trail_log


@pytest.fixture
def application(fresh_log: Any, as_superuser: Connection[Any]) -> Iterator[Connection[Any]]:
    """Sign in as a deployment does: with a login that is a member of the application's role."""
    trail_log.written()
    name, password = f"gmp_login_{secrets.token_hex(4)}", secrets.token_hex(16)
    as_superuser.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE gmp_app").format(
            sql.Identifier(name), sql.Literal(password)
        )
    )
    as_superuser.commit()
    parameters = connections["default"].get_connection_params()
    try:
        with psycopg.connect(
            dbname=fresh_log.database,
            user=name,
            password=password,
            host=parameters.get("host"),
            port=parameters.get("port"),
            options="-c role=gmp_app -c TimeZone=UTC",
            autocommit=True,
        ) as connection:
            yield connection
    finally:
        as_superuser.rollback()
        as_superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
        as_superuser.commit()


BEGIN = (
    "SELECT audit.begin_act(1::smallint, '"
    '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"x","actor":"me","actor_id":"i",'
    '"id":"a","reason":"some reason","role":"r","source":"s"}'
    "')"
)
LOG = ("audit.entry", "audit.entry_p0", "audit.leaf", "audit.node", "audit.checkpoint", "audit.log")
OTHERS = ("audit.log_state", "audit.projection")
INSERTS = (
    "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) "
    "VALUES (900, pg_current_xact_id(), 1, '{}', sha256('{}'))",
    "INSERT INTO audit.leaf VALUES (1, 900, 900, '', '')",
    "INSERT INTO audit.projection (log_id, entry_id) VALUES (1, 900)",
    "INSERT INTO audit.checkpoint (log_id, size, root, note) VALUES (1, 900, '', '')",
    "COPY audit.entry FROM STDIN",
)
CALLS = (
    "SELECT audit.open_log('another', '', 1::smallint, false)",
    "SELECT audit.detach(0, now())",
    "SELECT audit.record_ddl('CREATE TABLE', 'table', 'x')",
    "SELECT audit.ensure_partitions()",
    "SELECT nextval('audit.entry_id_seq')",
    "SELECT setval('audit.entry_id_seq', 1)",
)
DEFINITIONS = (
    "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
    "ALTER TABLE trail_app_vessel DISABLE TRIGGER zz_capture",
    "ALTER TABLE trail_app_vessel DROP COLUMN audit_head",
    "DROP TRIGGER zz_capture ON trail_app_vessel",
    "DROP TABLE trail_app_vessel",
    "DROP TABLE audit.entry CASCADE",
    "DROP SCHEMA audit CASCADE",
    "DROP FUNCTION audit.begin_act(smallint, text)",
    "CREATE TABLE audit.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE FUNCTION audit.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION audit.begin_act(log_number smallint, act text) RETURNS void "
    "LANGUAGE sql AS ''",
    "CREATE TRIGGER mine BEFORE INSERT ON trail_app_vessel FOR EACH ROW EXECUTE FUNCTION "
    'audit."capture_trail_app_vessel"()',
    "CREATE RULE mine AS ON UPDATE TO trail_app_vessel DO INSTEAD NOTHING",
)
SESSIONS = (
    "SET session_replication_role = replica",
    "SET ROLE gmp_trail",
    "SET ROLE gmp_owner",
    "SET ROLE gmp_sequencer",
    "SET SESSION AUTHORIZATION gmp_trail",
    "SET ROLE none; SET ROLE gmp_owner",
    "GRANT gmp_trail TO gmp_app",
    "ALTER ROLE gmp_app SUPERUSER",
)
REFUSED = (
    *(f"DELETE FROM {table}" for table in (*LOG, *OTHERS)),
    *(f"TRUNCATE {table}" for table in (*LOG, *OTHERS)),
    "UPDATE audit.entry SET body = '{}'",
    "UPDATE audit.leaf SET idx = idx + 1000",
    "UPDATE audit.log_state SET size = 0",
    "UPDATE audit.projection SET actor = 'nemo'",
    "UPDATE audit.checkpoint SET note = ''",
    "TRUNCATE trail_app_vessel CASCADE",
    *INSERTS,
    *CALLS,
    *DEFINITIONS,
    *SESSIONS,
)


@pytest.mark.requirement("P11-e1", "A11D-12")
def test_nothing_of_this_is_given_to_the_application(application: Connection[Any]) -> None:
    allowed = []
    for statement in REFUSED:
        try:
            application.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            continue
        except psycopg.errors.SyntaxErrorOrAccessRuleViolation:
            continue
        allowed.append(statement)

    assert allowed == []


@pytest.mark.requirement("P11-e1", "A11D-12")
def test_the_application_cannot_give_itself_rights_on_the_log(application: Connection[Any]) -> None:
    application.execute("GRANT ALL ON audit.entry TO gmp_app")  # PostgreSQL only warns

    for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        asked = "SELECT has_table_privilege('gmp_app', 'audit.entry', %s)"
        assert application.execute(asked, [right]).fetchone() == (False,)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO trail_app_tag (name) VALUES ('x')",
        "UPDATE trail_app_vessel SET volume_l = 1",
        "DELETE FROM trail_app_vessel",
        'SELECT audit.begin_act(1::smallint, \'{"action":"x","actor":""}\'); '
        "UPDATE trail_app_vessel SET volume_l = 1",
    ],
)
@pytest.mark.requirement("P11-e1")
def test_without_a_whole_act_the_application_changes_nothing(
    application: Connection[Any], statement: str
) -> None:
    with pytest.raises(psycopg.Error) as refused:
        application.execute(statement)

    assert refused.value.sqlstate == "GM001"


def test_an_act_does_not_outlive_its_transaction(application: Connection[Any]) -> None:
    with application.transaction():
        application.execute(BEGIN)
        application.execute("UPDATE trail_app_vessel SET volume_l = 41")

    with pytest.raises(psycopg.Error, match="no act, no change"):
        application.execute("UPDATE trail_app_vessel SET volume_l = 42")


def test_words_changed_while_a_row_is_written_are_never_sealed(
    application: Connection[Any],
) -> None:
    with application.transaction():
        application.execute(BEGIN)
        application.execute(
            "INSERT INTO trail_app_tag (name) SELECT 'x' || n || left(set_config('audit.act', "
            "replace(current_setting('audit.act'), 'some reason', 'some reason ' || n), true), 0) "
            "FROM generate_series(1, 2) n"
        )

    # The digest in the row is of other words than the entry's: no leaf for it, and a fault.
    assert len(sequencer.seal().refused) > 0
    assert Verdict.TAMPERED in verification.verify().counts


def test_a_name_in_the_way_does_not_lead_the_capture_astray(application: Connection[Any]) -> None:
    application.execute(
        "CREATE TEMP TABLE entry (log_id int, entry_id bigint, xid xid8, body bytea, digest bytea)"
    )
    application.execute("SET search_path = pg_temp, public")
    with application.transaction():
        application.execute(BEGIN)
        application.execute("UPDATE public.trail_app_vessel SET volume_l = 43 WHERE name = 'A-1'")

    assert application.execute("SELECT count(*) FROM pg_temp.entry").fetchone() == (0,)
    newest = application.execute(
        "SELECT actor, reason FROM audit.entry_view ORDER BY entry_id DESC LIMIT 1"
    ).fetchone()
    assert newest == ("me", "some reason")
