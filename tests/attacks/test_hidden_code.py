"""Attacks by code that runs before the capture, or in the place of PostgreSQL's own functions."""

from typing import Any

import pytest
from psycopg import Connection

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests import factories, trail_log
from tests.attacks.test_inventions_in_the_database import quietly
from tests.conftest import FreshLog

Superuser = Connection[Any]
# What hidden code does: the act that the capture is about to write names somebody else.
ANOTHER = (
    "set_config('audit.act', regexp_replace(current_setting('audit.act', true), "
    '\'"actor":"[^"]*"\', \'"actor":"Somebody Else"\'), true)'
)


@pytest.fixture
def log(fresh_log: FreshLog) -> None:
    trail_log.written()
    report = verification.verify()
    assert report.is_intact, report.faults


def named(*said: str) -> None:
    report = verification.verify()
    messages = [one.message for one in report.faults if one.verdict == Verdict.DISABLED]
    for one in said:
        assert any(one in message for message in messages), messages


def test_a_trigger_that_says_it_is_postgresqls_own(log: None, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "CREATE FUNCTION public.early() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        f"PERFORM {ANOTHER}; RETURN NEW; END$$",
        "CREATE TRIGGER early BEFORE INSERT OR UPDATE ON trail_app_vessel "
        "FOR EACH ROW EXECUTE FUNCTION public.early()",
        "UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 'early'",
    )
    named("trail_app_vessel: trigger early is declared by nobody")


@pytest.mark.parametrize("calls", ["public.early()", f"length({ANOTHER})"])
def test_a_default_that_calls_a_function(log: None, as_superuser: Superuser, calls: str) -> None:
    quietly(
        as_superuser,
        "CREATE FUNCTION public.early() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN "
        f"PERFORM {ANOTHER}; RETURN 0; END$$",
        f"ALTER TABLE trail_app_vessel ALTER audit_seq SET DEFAULT {calls}",
    )
    named("trail_app_vessel: the default of audit_seq calls")


@pytest.mark.parametrize("calls", ["public.early()", f"{ANOTHER} IS NULL OR true"])
def test_a_constraint_that_calls_a_function(log: None, as_superuser: Superuser, calls: str) -> None:
    quietly(
        as_superuser,
        "CREATE FUNCTION public.early() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN "
        f"PERFORM {ANOTHER}; RETURN true; END$$",
        f"ALTER TABLE trail_app_vessel ADD CONSTRAINT early CHECK ({calls}) NOT VALID",
    )
    named("trail_app_vessel: the constraint early calls")


def test_an_index_that_calls_a_function(log: None, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "CREATE FUNCTION public.early(name text) RETURNS text IMMUTABLE LANGUAGE plpgsql "
        f"AS $$BEGIN PERFORM {ANOTHER}; RETURN name; END$$",
        "CREATE INDEX early ON trail_app_vessel (public.early(name))",
    )
    named("trail_app_vessel: the index early calls early(text)")


def test_a_column_that_shows_what_was_never_written(log: None, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel DROP COLUMN volume_l",
        "ALTER TABLE trail_app_vessel ADD volume_l numeric(12, 6) GENERATED ALWAYS AS (99) STORED",
    )
    named("trail_app_vessel: column volume_l is generated")


def _guard(superuser: Superuser) -> tuple[str, str]:
    found = superuser.execute(
        "SELECT t.tgname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE tgrelid = 'execution_batch'::regclass AND NOT tgisinternal "
        "AND tgname NOT LIKE 'zz%' AND tgconstraint = 0 ORDER BY tgname LIMIT 1"
    ).fetchone()
    assert found
    return found[0], found[1]


def test_the_body_of_a_guard_is_exchanged(log: None, as_superuser: Superuser) -> None:
    _, function = _guard(as_superuser)
    quietly(
        as_superuser,
        f"CREATE OR REPLACE FUNCTION public.{function}() RETURNS trigger LANGUAGE plpgsql "
        f"AS $$BEGIN PERFORM {ANOTHER}; RETURN NEW; END$$",
    )
    factories.batch()
    trail_log.seal_and_sign()

    named(f"public.{function}: the function is missing or not the declared one")


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER {name} ON execution_batch",
        "ALTER TABLE execution_batch DISABLE TRIGGER {name}",
        "ALTER TABLE execution_batch ENABLE TRIGGER {name}",  # not for a session that replicates
        "CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE OF number ON execution_batch "
        "FOR EACH ROW EXECUTE FUNCTION public.{function}()",
        "CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE OR DELETE ON execution_batch "
        "FOR EACH ROW WHEN (false) EXECUTE FUNCTION public.{function}()",
        "CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE OR DELETE ON execution_batch "
        "FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
    ],
)
def test_a_guard_is_weakened(log: None, as_superuser: Superuser, change: str) -> None:
    name, function = _guard(as_superuser)
    quietly(as_superuser, change.format(name=name, function=function))

    named(f"execution_batch: the guard {name} is missing, disabled or not the declared one")


def test_the_condition_of_a_guard_is_turned_round(log: None, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "CREATE OR REPLACE TRIGGER a_prediction_final BEFORE UPDATE ON predictions_prediction "
        "FOR EACH ROW WHEN (old.state = 'claimed') "
        "EXECUTE FUNCTION public.predictions_refuse_change()",
        "ALTER TABLE predictions_prediction ENABLE ALWAYS TRIGGER a_prediction_final",
    )
    named("predictions_prediction: the guard a_prediction_final is missing")


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        (
            "FUNCTION pg_catalog.pg_relation_size(regclass) RETURNS bigint LANGUAGE sql "
            "AS 'SELECT 0::bigint'",
            "pg_relation_size(regclass)",
        ),
        (
            "FUNCTION pg_catalog.jsonb_object_field(from_json jsonb, field_name text) "
            "RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT NULL::jsonb'",
            "jsonb_object_field(jsonb,text)",
        ),
        (
            "FUNCTION pg_catalog.pg_has_role(name, oid, text) RETURNS boolean LANGUAGE sql "
            "STABLE AS 'SELECT false'",
            "pg_has_role(name,oid,text)",
        ),
        (
            "FUNCTION pg_catalog.has_any_column_privilege(name, oid, text) RETURNS boolean "
            "LANGUAGE internal STABLE AS 'has_table_privilege_name_id'",
            "has_any_column_privilege(name,oid,text)",
        ),
    ],
)
def test_a_function_of_postgresql_is_exchanged(
    log: None, as_superuser: Superuser, declaration: str, said: str
) -> None:
    quietly(as_superuser, f"CREATE OR REPLACE {declaration}")

    named(f"pg_catalog.{said}: the function is not the one of PostgreSQL")


def test_an_operator_of_postgresql_is_exchanged(log: None, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "UPDATE pg_operator SET oprcode = 'pg_catalog.textne'::regproc "
        "WHERE oid = 'pg_catalog.=(text,text)'::regoperator",
        "UPDATE pg_operator SET oprcode = 'pg_catalog.texteq'::regproc "
        "WHERE oid = 'pg_catalog.=(text,text)'::regoperator",
    )
    named("operator =(text,text) of PostgreSQL was altered")
