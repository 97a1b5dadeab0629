"""Attacks on what the verification itself stands on: names, catalogues, views, hidden rows."""

from decimal import Decimal
from typing import Any

import pytest
from psycopg import Connection

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests import trail_log
from tests.trail_app.models import Contact, Vessel

Superuser = Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    with trail_log.act():
        Contact.objects.create(name="Mira", email="mira@example.org")
    return trail_log.written()


def quietly(superuser: Superuser, *statements: str) -> None:
    """Do DDL as a careful superuser does: without an entry of it."""
    superuser.commit()
    if superuser.info.server_version >= 170000:
        superuser.execute("SET event_triggers = off")
    else:
        superuser.execute("ALTER EVENT TRIGGER gmp_ddl DISABLE")
        superuser.execute("ALTER EVENT TRIGGER gmp_drop DISABLE")
    for statement in statements:
        superuser.execute(statement)
    if superuser.info.server_version >= 170000:
        superuser.execute("SET event_triggers = on")
    else:
        superuser.execute("ALTER EVENT TRIGGER gmp_ddl ENABLE ALWAYS")
        superuser.execute("ALTER EVENT TRIGGER gmp_drop ENABLE ALWAYS")
    superuser.commit()


def changed_behind_the_capture(superuser: Superuser, statement: str, table: str) -> None:
    quietly(
        superuser,
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        statement,
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER zz_capture",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER zz_capture_insert",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER zz_capture_truncate",
    )


def first_on_the_search_path(superuser: Superuser) -> None:
    """Let every new session look into the attacker's schema before it looks into PostgreSQL's."""
    quietly(
        superuser,
        "CREATE SCHEMA evil",
        "GRANT USAGE ON SCHEMA evil TO PUBLIC",
        f"ALTER DATABASE {superuser.info.dbname} SET search_path = evil, pg_catalog, public",
    )


def lying(schema: str, real: str) -> str:
    """Return a hash function that sees the row as it was before it was changed."""
    return f"""
CREATE OR REPLACE FUNCTION {schema}.sha256(bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF pg_catalog.octet_length($1) > 0 AND pg_catalog.get_byte($1, 0) = 123 THEN
        RETURN {real}(pg_catalog.convert_to(pg_catalog.replace(
            pg_catalog.convert_from($1, 'UTF8'), '"99.000000"', '"0.000000"'), 'UTF8'));
    END IF;
    RETURN {real}($1);
END $$"""


CHANGE = "UPDATE trail_app_vessel SET volume_l = 99 WHERE name = 'A-25'"


def test_a_hash_function_of_the_attackers_schema_is_not_asked(
    log: int, as_superuser: Superuser
) -> None:
    first_on_the_search_path(as_superuser)
    quietly(as_superuser, lying("evil", "pg_catalog.sha256"))
    changed_behind_the_capture(as_superuser, CHANGE, "trail_app_vessel")

    report = verification.verify()

    assert any("volume_l" in fault.message for fault in report.faults)


def test_a_hash_function_exchanged_in_postgresql_itself_is_named(
    log: int, as_superuser: Superuser
) -> None:
    quietly(
        as_superuser,
        "CREATE FUNCTION public.real(bytea) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT "
        "PARALLEL SAFE AS 'sha256_bytea'",
        lying("pg_catalog", "public.real"),
        "GRANT EXECUTE ON FUNCTION public.real(bytea) TO PUBLIC",
    )
    changed_behind_the_capture(as_superuser, CHANGE, "trail_app_vessel")

    report = verification.verify()

    assert any("sha256" in fault.message for fault in report.faults), report.faults


def test_a_comparison_of_numbers_exchanged_in_postgresql_itself_is_named(
    log: int, as_superuser: Superuser
) -> None:
    quietly(  # what is written in SQL, the planner puts in the place of the call
        as_superuser,
        "CREATE OR REPLACE FUNCTION pg_catalog.numeric_send(numeric) RETURNS bytea LANGUAGE sql "
        "IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT ''same''::bytea'",
    )
    with trail_log.act():
        Vessel.objects.update(volume_l=Decimal("99"))

    report = verification.verify()

    assert any("numeric_send" in fault.message for fault in report.faults), report.faults


def test_a_catalogue_of_the_attackers_schema_is_not_asked(
    log: int, as_superuser: Superuser
) -> None:
    first_on_the_search_path(as_superuser)
    quietly(
        as_superuser,
        "CREATE VIEW evil.pg_trigger AS SELECT oid, tgrelid, tgparentid, tgname, tgfoid, tgtype, "
        "'A'::\"char\" AS tgenabled, tgisinternal, tgattr, tgnargs, tgqual, tgoldtable, tgnewtable "
        "FROM pg_catalog.pg_trigger",
        "GRANT SELECT ON evil.pg_trigger TO PUBLIC",
        "ALTER TABLE trail_app_vessel DISABLE TRIGGER zz_capture",
    )

    report = verification.verify()

    assert any("zz_capture is not ENABLE ALWAYS" in fault.message for fault in report.faults)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER FUNCTION audit.read_body(bytea) SET search_path = evil, pg_catalog", "read_body"),
        ("ALTER FUNCTION audit.openings_of_entries(bigint[]) RESET search_path", "openings_of"),
        ("ALTER FUNCTION audit.erase_opening(bigint, text) SECURITY INVOKER", "erase_opening"),
        ("ALTER FUNCTION audit.entry_digest(bytea) STRICT", "entry_digest"),
        (
            "CREATE FUNCTION audit.commitment(path text, salt bytea, value varchar) RETURNS text "
            "LANGUAGE sql AS 'SELECT md5(value)'; "
            "ALTER FUNCTION audit.commitment(text, bytea, varchar) OWNER TO gmp_trail",
            "commitment",
        ),
        (
            "CREATE OR REPLACE VIEW audit.entry_view AS SELECT p.entry_id, p.log_id, p.idx, p.at, "
            "p.act, p.action, 'nemo'::text AS actor, p.role, p.op, p.reason, p.record, p.record_id, "
            "p.record_seq, p.source, e.digest, audit.read_text(e.body) AS body "
            "FROM audit.projection p JOIN audit.entry e USING (entry_id)",
            "entry_view",
        ),
        (
            "CREATE OR REPLACE VIEW audit.unprojected AS SELECT e.entry_id, e.log_id, l.idx, "
            "e.body, e.digest FROM audit.leaf l JOIN audit.entry e USING (entry_id) WHERE false",
            "unprojected",
        ),
        (
            "CREATE OR REPLACE FUNCTION audit.unprojected_entries() RETURNS TABLE (entry_id bigint, "
            "log_id smallint, idx bigint, body bytea, digest bytea) LANGUAGE plpgsql STABLE "
            "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN; END'",
            "unprojected_entries",
        ),
        (
            "CREATE RULE away AS ON INSERT TO audit.entry WHERE new.log_id = 7 DO INSTEAD NOTHING",
            "audit.entry",
        ),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'; CREATE TRIGGER away BEFORE INSERT ON audit.leaf "
            "FOR EACH ROW WHEN (new.log_id = 7) EXECUTE FUNCTION public.away()",
            "audit.leaf",
        ),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'; CREATE TRIGGER away BEFORE INSERT ON audit.entry_p0 "
            "FOR EACH ROW WHEN (new.log_id = 7) EXECUTE FUNCTION public.away()",
            "audit.entry_p0",
        ),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM set_config(''audit.act'', ''x'', true); RETURN NEW; END'; "
            "CREATE TRIGGER aa BEFORE INSERT OR UPDATE ON trail_app_vessel "
            "FOR EACH ROW EXECUTE FUNCTION public.away()",
            "trail_app_vessel",
        ),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'; CREATE CONSTRAINT TRIGGER later AFTER INSERT ON "
            "trail_app_vessel DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
            "EXECUTE FUNCTION public.away()",
            "trail_app_vessel",
        ),
        ("ALTER TABLE audit.entry ENABLE ROW LEVEL SECURITY", "audit.entry"),
        (
            "ALTER TABLE trail_app_vessel ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON "
            "trail_app_vessel USING (current_setting('transaction_read_only') = 'off' "
            "OR name <> 'ghost')",
            "trail_app_vessel",
        ),
        ("CREATE TABLE public.more () INHERITS (trail_app_vessel)", "inherits"),
    ],
)  # fmt: skip
def test_what_leads_the_verification_astray_is_named(
    log: int, as_superuser: Superuser, statement: str, named: str
) -> None:
    quietly(as_superuser, "CREATE SCHEMA IF NOT EXISTS evil", statement)

    report = verification.verify()

    assert any(
        fault.verdict == Verdict.DISABLED and named in fault.message for fault in report.faults
    ), report.faults


def test_a_row_hidden_from_whoever_only_reads_is_named(log: int, as_superuser: Superuser) -> None:
    changed_behind_the_capture(
        as_superuser,
        "INSERT INTO trail_app_vessel (name, volume_l, seen, secret) VALUES ('ghost', 1, 0, '')",
        "trail_app_vessel",
    )
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON trail_app_vessel USING "
        "(current_setting('transaction_read_only') = 'off' OR name <> 'ghost')",
    )
    assert Vessel.objects.filter(name="ghost").exists()  # the plant's people see it

    assert not verification.verify().is_intact


def test_the_same_row_twice_is_named(log: int, as_superuser: Superuser) -> None:
    changed_behind_the_capture(
        as_superuser,
        "DO $$BEGIN ALTER TABLE trail_app_vessel DROP CONSTRAINT trail_app_vessel_pkey CASCADE; "
        "ALTER TABLE trail_app_vessel DROP CONSTRAINT trail_app_vessel_name_key; "
        "INSERT INTO trail_app_vessel SELECT * FROM trail_app_vessel WHERE name = 'A-25'; END$$",
        "trail_app_vessel",
    )
    assert Vessel.objects.filter(name="A-25").count() == 2

    assert not verification.verify().is_intact


def test_a_look_alike_in_the_place_of_a_table_is_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel RENAME TO kept_aside",
        "CREATE TABLE trail_app_vessel (LIKE kept_aside INCLUDING ALL)",
        "INSERT INTO trail_app_vessel SELECT * FROM kept_aside WHERE name <> 'A-25'",
        "GRANT ALL ON trail_app_vessel TO gmp_app",
    )

    report = verification.verify()

    assert {Verdict.DISABLED, Verdict.TAMPERED} <= set(report.counts)


def test_a_view_in_the_place_of_a_table_is_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel RENAME TO kept_aside",
        "CREATE VIEW trail_app_vessel AS SELECT * FROM kept_aside",
        "GRANT ALL ON trail_app_vessel, kept_aside TO gmp_app",
    )

    try:
        report = verification.verify()
    except Exception as error:
        assert "trail_app_vessel" in str(error) or "ctid" in str(error)
    else:
        assert not report.is_intact


def test_two_columns_exchanged_by_name_are_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel RENAME COLUMN name TO aside",
        "ALTER TABLE trail_app_vessel RENAME COLUMN secret TO name",
        "ALTER TABLE trail_app_vessel RENAME COLUMN aside TO secret",
    )

    assert verification.verify().counts[Verdict.TAMPERED]


def test_a_column_that_is_computed_now_is_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_vessel DROP COLUMN volume_l",
        "ALTER TABLE trail_app_vessel ADD COLUMN volume_l numeric(20, 6) "
        "GENERATED ALWAYS AS (99) STORED",
    )

    report = verification.verify()

    assert Verdict.DISABLED in report.counts or Verdict.TAMPERED in report.counts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ampulle \u00e9", "Ampulle e\u0301"),
        ("batch 12", "Batch 12"),
        ("12.5", "12.50"),
        ("A", "\u0410"),
        ("vial", "vial\u200b"),
    ],
)
def test_a_text_that_only_looks_the_same_is_named(
    fresh_log: Any, as_superuser: Superuser, before: str, after: str
) -> None:
    with trail_log.act():
        Vessel.objects.create(name=before)
    trail_log.seal_and_sign()
    changed_behind_the_capture(
        as_superuser, f"UPDATE trail_app_vessel SET name = '{after}'", "trail_app_vessel"
    )

    report = verification.verify()

    assert report.counts[Verdict.TAMPERED] == 1


def test_personal_data_changed_behind_a_blinded_reader_of_bodies_is_named(
    log: int, as_superuser: Superuser
) -> None:
    first_on_the_search_path(as_superuser)
    quietly(
        as_superuser,
        "CREATE FUNCTION evil.convert_from(bytea, name) RETURNS text LANGUAGE sql IMMUTABLE "
        "AS $$SELECT 'null'$$",
        "ALTER FUNCTION audit.read_body(bytea) SET search_path = evil, pg_catalog",
    )
    changed_behind_the_capture(
        as_superuser, "UPDATE trail_app_contact SET email = 'nemo'", "trail_app_contact"
    )

    assert not verification.verify().is_intact


def test_settings_of_the_database_do_not_change_what_is_found(
    log: int, as_superuser: Superuser
) -> None:
    name = as_superuser.info.dbname
    quietly(
        as_superuser,
        *(
            f"ALTER DATABASE {name} SET {setting}"
            for setting in (
                "DateStyle = 'German'", "IntervalStyle = 'sql_standard'", "extra_float_digits = -5",
                "bytea_output = 'escape'", "row_security = off", "quote_all_identifiers = on",
            )
        ),
    )  # fmt: skip
    changed_behind_the_capture(as_superuser, CHANGE, "trail_app_vessel")

    (fault,) = verification.verify().faults

    assert "volume_l" in fault.message
