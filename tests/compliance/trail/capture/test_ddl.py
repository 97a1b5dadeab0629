"""DDL that touches the trail is an entry of it, whoever does it."""

import hashlib
import json
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from compliance.trail import enforcement, recording, roles
from compliance.trail.models import Entry, LogEvent
from tests import trail_log
from tests.trail_app.models import Vessel

Superuser = psycopg.Connection[Any]


def logged() -> list[tuple[str, str, str]]:
    """Return command, kind and object of every DDL that is an entry, the first one first."""
    found = LogEvent.objects.filter(kind="ddl").order_by("pk")
    documents = [json.loads(one.document) for one in found]
    return [(one["command"], one["kind"], one["object"]) for one in documents]


def problems() -> list[str]:
    with connection.cursor() as cursor:
        return enforcement.problems(cursor)


def test_migrating_a_fresh_product_logs_no_ddl(fresh_log: Any) -> None:
    assert logged() == []
    assert Entry.objects.filter(action="trail.ddl").count() == 0
    assert problems() == []


def test_migrating_once_more_logs_nothing(fresh_log: Any) -> None:
    before = Entry.objects.count()

    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)

    assert Entry.objects.count() == before


@pytest.mark.requirement("A11D-12")
def test_switching_a_capture_off_is_an_entry(as_superuser: Superuser) -> None:
    statement = "ALTER TABLE trail_app_vessel DISABLE TRIGGER zz_capture"

    as_superuser.execute(statement)

    assert logged() == [("ALTER TABLE", "table", "public.trail_app_vessel")]
    entry = Entry.objects.get(action="trail.ddl")
    assert (entry.actor, entry.reason) == ("database:postgres", "ALTER TABLE")
    document = json.loads(LogEvent.objects.get(kind="ddl").document)
    assert document["by"] == "postgres"
    assert document["query_sha256"] == hashlib.sha256(statement.encode()).hexdigest()
    assert "public.trail_app_vessel" not in entry.source


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE trail_app_vessel ADD COLUMN x int", ("ALTER TABLE", "table")),
        ("ALTER TABLE trail_app_vessel RENAME TO other", ("ALTER TABLE", "table")),
        ("CREATE INDEX own ON trail_app_vessel (name)", ("CREATE INDEX", "index")),
        ("CREATE RULE own AS ON INSERT TO trail_app_vessel DO INSTEAD NOTHING", ("CREATE RULE", "rule")),
        ("CREATE FUNCTION audit.own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
         ("CREATE FUNCTION", "function")),
        ("ALTER FUNCTION audit.read_text(bytea) OWNER TO postgres", ("ALTER FUNCTION", "function")),
        ("CREATE OR REPLACE FUNCTION access_keep_duties_apart() RETURNS trigger LANGUAGE plpgsql "
         "AS 'BEGIN RETURN NEW; END'", ("CREATE FUNCTION", "function")),
        ("ALTER TABLE audit.entry DISABLE TRIGGER append_only", ("ALTER TABLE", "table")),
        ("DROP TRIGGER append_only ON audit.leaf", ("DROP TRIGGER", "trigger")),
        ("DROP TRIGGER zz_capture ON trail_app_vessel", ("DROP TRIGGER", "trigger")),
        ("DROP FUNCTION audit.read_body(bytea) CASCADE", ("DROP FUNCTION", "function")),
        ("DROP TABLE trail_app_stamp", ("DROP TABLE", "table")),
        ("GRANT DELETE ON audit.opening TO gmp_app", ("GRANT", "TABLE")),
        ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO gmp_app",
         ("ALTER DEFAULT PRIVILEGES", "TABLES")),
    ],
)  # fmt: skip
def test_what_touches_the_trail_is_an_entry(
    as_superuser: Superuser, statement: str, expected: tuple[str, str]
) -> None:
    as_superuser.execute(statement)

    assert expected in [(command, kind) for command, kind, _ in logged()]
    assert len(logged()) <= 3, "one command writes an entry or two, not one a part"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE own (a int)",
        "CREATE TABLE own (a int)",
        "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE own (a int); ALTER TABLE own ADD COLUMN b int; DROP TABLE own",
    ],
)
def test_what_does_not_touch_the_trail_is_no_entry(as_superuser: Superuser, statement: str) -> None:
    as_superuser.execute(statement)

    assert logged() == []


def test_ddl_within_an_act_leaves_the_act_as_it_was(fresh_log: Any) -> None:
    with recording.recording(
        trail_log.Action.TRIED, actor=recording.System("migrator"), at=trail_log.NOON,
        reason="a column more", using="owner",
    ), connections["owner"].cursor() as cursor:  # fmt: skip
        cursor.execute("ALTER TABLE trail_app_vessel ADD COLUMN x int")
        cursor.execute("INSERT INTO trail_app_tag (name) VALUES ('inside')")

    assert Entry.objects.get(action="trail.ddl").actor.startswith("database:")
    assert Entry.objects.get(record="trail_app_tag").actor == "migrator"


def test_ddl_outside_of_an_act_opens_none(fresh_log: Any) -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE trail_app_vessel ADD COLUMN x int")

        with pytest.raises(Exception, match="no act, no change"):
            cursor.execute("INSERT INTO trail_app_tag (name) VALUES ('outside')")


def test_ddl_that_is_rolled_back_leaves_no_entry(fresh_log: Any) -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE trail_app_vessel ADD COLUMN x int")
        transaction.set_rollback(True, using="owner")

    assert logged() == []


def test_replica_mode_does_not_silence_ddl(as_superuser: Superuser) -> None:
    as_superuser.execute("SET session_replication_role = replica")

    as_superuser.execute("ALTER TABLE trail_app_vessel DISABLE TRIGGER ALL")

    assert len(logged()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE trail_logevent DISABLE TRIGGER ALL",
        "DROP TRIGGER zz_capture ON trail_logevent",
        "DROP TABLE trail_logevent",
        "ALTER TABLE trail_logevent RENAME TO other",
        "ALTER TABLE trail_logevent SET SCHEMA audit",
        "DROP TABLE audit.entry CASCADE",
        "ALTER FUNCTION audit.log_ddl() OWNER TO postgres",
    ],
)
@pytest.mark.requirement("A11D-12")
def test_what_would_silence_the_log_of_ddl_is_refused(
    as_superuser: Superuser, statement: str
) -> None:
    trail_log.vessels(1, "A")

    with pytest.raises(psycopg.Error):
        as_superuser.execute(statement)

    assert problems() == []


@pytest.mark.parametrize("name", sorted(roles.EVENT_TRIGGERS))
@pytest.mark.parametrize(
    "how",
    ["ALTER EVENT TRIGGER {} DISABLE", "ALTER EVENT TRIGGER {} ENABLE", "DROP EVENT TRIGGER {}"],
)
def test_an_event_trigger_that_is_off_is_named(
    as_superuser: Superuser, name: str, how: str
) -> None:
    as_superuser.execute(how.format(name))

    assert [one for one in problems() if one.startswith(f"event trigger {name}")]


def test_a_server_that_ignores_event_triggers_is_named(as_superuser: Superuser) -> None:
    database = as_superuser.info.dbname
    as_superuser.execute(f'ALTER DATABASE "{database}" SET event_triggers = off')
    connection.close()

    assert "event_triggers is off, so DDL leaves no entry" in problems()


def test_an_administrator_who_is_no_superuser_is_told_what_is_missing(
    as_superuser: Superuser,
) -> None:
    as_superuser.execute("DROP EVENT TRIGGER gmp_ddl")
    user = connections["owner"].settings_dict["USER"]
    connections["owner"].settings_dict["USER"] = "gmp_owner"
    connections["owner"].close()
    try:
        done = roles.watch_ddl(as_superuser.info.dbname)
    finally:
        connections["owner"].settings_dict["USER"] = user

    assert not done
    assert "CREATE EVENT TRIGGER gmp_ddl ON ddl_command_end" in " ".join(problems())


def test_the_application_writes_no_ddl_event_and_no_whitelist(fresh_log: Any) -> None:
    for kind in ("ddl", "redactable"):
        with trail_log.act(), pytest.raises(Exception, match="is not written by"):
            with transaction.atomic():
                LogEvent.objects.create(kind=kind, document="{}", recorded_at=trail_log.NOON)

    assert Vessel.objects.count() == 0
