"""Back doors that a superuser leaves for later, and what is done with the partitions of the log."""

from typing import Any

import pytest
from psycopg import Connection

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests import trail_log
from tests.attacks.test_inventions_in_the_database import quietly
from tests.attacks.test_trail_as_superuser import unguarded
from tests.trail_app.models import Vessel

Superuser = Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    return trail_log.written()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("GRANT UPDATE (actor) ON audit.projection TO gmp_app", "the application may UPDATE"),
        ("GRANT INSERT (body) ON audit.entry TO gmp_app", "the application may INSERT"),
        (
            "CREATE FUNCTION public.door(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
            "AS 'BEGIN EXECUTE what; END'",
            "door(text): runs with the rights of postgres",
        ),
        (
            "CREATE FUNCTION public.door(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
            "AS 'BEGIN EXECUTE what; END'; ALTER FUNCTION public.door(text) OWNER TO gmp_trail",
            "door(text): runs with the rights of gmp_trail",
        ),
        ("ALTER TABLE audit.opening OWNER TO gmp_owner", "belongs to gmp_owner"),
        ("DROP TRIGGER append_only ON audit.cosignature", "audit.cosignature: trigger append_only"),
        ('ALTER TABLE audit."timestamp" DISABLE TRIGGER append_only', "trigger append_only"),
        ("ALTER TABLE audit.log_state DISABLE TRIGGER only_grows", "trigger only_grows"),
        ("ALTER TABLE trail_app_kept SET UNLOGGED", "no plain table"),
    ],
)
def test_a_back_door_is_named(
    log: int, as_superuser: Superuser, statement: str, named: str
) -> None:
    quietly(as_superuser, statement)

    report = verification.verify()

    assert any(
        fault.verdict == Verdict.DISABLED and named in fault.message for fault in report.faults
    ), report.faults


@pytest.mark.parametrize("role", ["gmp_trail", "gmp_owner", "gmp_sequencer", "gmp_signer"])
def test_a_role_that_the_application_may_become_is_named(
    log: int, as_superuser: Superuser, role: str
) -> None:
    as_superuser.execute(f"GRANT {role} TO gmp_app WITH INHERIT FALSE, SET TRUE")
    as_superuser.commit()
    try:
        report = verification.verify()
    finally:
        as_superuser.execute(f"REVOKE {role} FROM gmp_app")
        as_superuser.commit()

    assert any(f"may become {role}" in fault.message for fault in report.faults)


def test_a_partition_taken_away_is_missing(log: int, as_superuser: Superuser) -> None:
    quietly(as_superuser, "ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0")

    assert verification.verify().counts[Verdict.MISSING] == log


def test_a_partition_altered_while_it_was_away_is_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0",
        "UPDATE audit.entry_p0 SET body = convert_to(replace(convert_from(body, 'UTF8'), "
        "'volume read again', 'never mind at all'), 'UTF8')",
        "ALTER TABLE audit.entry ATTACH PARTITION audit.entry_p0 FOR VALUES FROM (0) TO (1048576)",
    )

    assert verification.verify().counts[Verdict.TAMPERED] >= 10


def test_an_empty_partition_in_the_place_of_a_full_one_is_named(
    log: int, as_superuser: Superuser
) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0",
        "ALTER TABLE audit.entry_p0 RENAME TO kept_aside",
        "CREATE TABLE audit.entry_p0 (LIKE audit.entry INCLUDING ALL)",
        "ALTER TABLE audit.entry ATTACH PARTITION audit.entry_p0 FOR VALUES FROM (0) TO (1048576)",
    )

    assert verification.verify().counts[Verdict.MISSING] == log


def test_business_tables_restored_from_last_week_are_named(
    log: int, as_superuser: Superuser
) -> None:
    as_superuser.execute("CREATE TABLE public.dump AS SELECT * FROM trail_app_vessel")
    as_superuser.commit()
    with trail_log.act("adjusted after the reading"):
        for vessel in Vessel.objects.filter(name__startswith="B-1"):
            vessel.volume_l = 7
            vessel.save()
    trail_log.seal_and_sign()
    changed = Vessel.objects.filter(volume_l=7).count()
    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("DELETE FROM trail_app_vessel")
        as_superuser.execute("INSERT INTO trail_app_vessel SELECT * FROM public.dump")

    report = verification.verify()

    assert changed > 3
    assert len({fault.record for fault in report.faults} - {None}) == changed


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE trail_app_vessel CASCADE",
        "SET session_replication_role = replica; COPY trail_app_vessel (name, volume_l, seen, "
        "secret, audit_seq, audit_head) FROM PROGRAM 'printf \"ghost\\t1\\t0\\t\\t1\\t\\n\"'",
        "SET session_replication_role = replica; DELETE FROM trail_app_vessel",
        "SELECT set_config('audit.xid', '1+', false); DELETE FROM trail_app_vessel",
        "MERGE INTO trail_app_vessel t USING (SELECT 'A-1' AS name) s ON t.name = s.name "
        "WHEN MATCHED THEN UPDATE SET volume_l = 3",
        "WITH x AS (DELETE FROM trail_app_vessel RETURNING *) SELECT count(*) FROM x",
    ],
)
def test_even_a_superuser_changes_nothing_by_another_way_of_writing(
    log: int, as_superuser: Superuser, statement: str
) -> None:
    before = Vessel.objects.count()

    with pytest.raises(Exception, match=r"no act, no change|is refused|append-only"):
        as_superuser.execute(statement)
    as_superuser.rollback()

    assert Vessel.objects.count() == before
    assert verification.verify().faults == ()


def test_capture_switched_off_and_on_around_a_change_that_is_undone_leaves_entries_of_the_ddl(
    log: int, as_superuser: Superuser
) -> None:
    def ddl() -> int:
        row = as_superuser.execute(
            "SELECT count(*) FROM trail_logevent WHERE kind = 'ddl' "
            "AND document::json ->> 'object' = 'public.trail_app_vessel'"
        ).fetchone()
        assert row
        return int(row[0])

    before = ddl()

    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("UPDATE trail_app_vessel SET volume_l = 99 WHERE name = 'A-25'")
        as_superuser.execute("UPDATE trail_app_vessel SET volume_l = 0 WHERE name = 'A-25'")

    assert ddl() >= before + 2  # the only trace: the row is as it was
