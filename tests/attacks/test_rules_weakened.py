"""Attacks on what controlled tables demand by themselves, and on what tells which guards there are."""

from typing import Any

import pytest
from psycopg import Connection

from compliance.trail import rehashing, verification
from compliance.trail.findings import Verdict
from compliance.trail.recording import System
from compliance.trail.tlog import trees
from tests import trail_log
from tests.attacks import colluding
from tests.attacks.test_inventions_in_the_database import quietly

Superuser = Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    return trail_log.written()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_digest",
            "trail_attachment: the rule attachment_digest is not there",
        ),
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_digest, "
            "ADD CONSTRAINT attachment_digest CHECK (sha256 <> '')",
            "trail_attachment: the rule attachment_digest is not the declared one",
        ),
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_stored_once",
            "trail_attachment: the rule attachment_stored_once is not there",
        ),
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_stored_once, "
            "ADD CONSTRAINT attachment_stored_once CHECK (sha256 <> '')",
            "trail_attachment: the rule attachment_stored_once is not there",
        ),
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_stored_once, "
            "ADD CONSTRAINT attachment_stored_once UNIQUE (id, subject, filename, sha256)",
            "trail_attachment: the rule attachment_stored_once is not the declared one",
        ),
        (
            "ALTER TABLE trail_attachment DROP CONSTRAINT attachment_stored_once; "
            "CREATE UNIQUE INDEX attachment_stored_once ON trail_attachment "
            "(subject, filename, sha256) WHERE size > 0",
            "trail_attachment: the rule attachment_stored_once is not the declared one",
        ),
        (
            "DROP INDEX one_effective_recipe; CREATE UNIQUE INDEX one_effective_recipe "
            "ON recipes_masterrecipe (product_id) WHERE state = 'draft'",
            "recipes_masterrecipe: the rule one_effective_recipe is not the declared one",
        ),
        (
            "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE trail_app_vessel_tags DROP CONSTRAINT ' "
            "|| quote_ident(conname) FROM pg_constraint WHERE conrelid = "
            "'trail_app_vessel_tags'::regclass AND contype = 'u'); END $$",
            "trail_app_vessel_tags: vessel, tag may be there twice",
        ),
        (
            "ALTER TABLE trail_attachment ALTER COLUMN filename DROP NOT NULL",
            "trail_attachment: filename may be empty",
        ),
        (
            "ALTER TABLE trail_refusal DROP CONSTRAINT trail_refusal_key_key",
            "trail_refusal: key may be there twice",
        ),
        (
            "ALTER TABLE execution_batch DISABLE TRIGGER ALL",
            "execution_batch: a foreign key is not enforced",
        ),
        (
            "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE execution_batch DROP CONSTRAINT ' "
            "|| quote_ident(conname) FROM pg_constraint WHERE conrelid = "
            "'execution_batch'::regclass AND contype = 'f' ORDER BY 1 LIMIT 1); END $$",
            "may name what is not there",
        ),
        (
            "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE trail_app_vessel_tags "
            "DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I FOREIGN KEY (tag_id) "
            "REFERENCES trail_logevent', conname) FROM pg_constraint WHERE conrelid = "
            "'trail_app_vessel_tags'::regclass AND confrelid = 'trail_app_tag'::regclass); END $$",
            "trail_app_vessel_tags: tag_id may name what is not there",
        ),
        (
            "ALTER TABLE django_migrations RENAME TO aside",
            "django_migrations is not there",
        ),
        ("UPDATE audit.log SET is_parent = true", "has another place"),
        (
            "DELETE FROM pg_trigger WHERE tgisinternal AND tgrelid = 'execution_batch'::regclass",
            "may name what is not there",
        ),
        *(
            (
                f"UPDATE pg_index SET {flag} = false "
                "WHERE indexrelid = 'attachment_stored_once'::regclass",
                "trail_attachment: the rule attachment_stored_once is not there",
            )
            for flag in ("indisready", "indimmediate")
        ),
        *(
            (f"UPDATE pg_class SET {flag} WHERE oid = 'trail_attachment'::regclass", named)
            for flag, named in (
                ("relchecks = 0", "trail_attachment: a check is not enforced"),
                ("relhasindex = false", "trail_attachment: no index of it is kept"),
                ("relhastriggers = false", "trail_attachment: has triggers, and the catalogue"),
            )
        ),
    ],
)
def test_a_rule_that_is_gone_is_named(
    log: int, as_superuser: Superuser, statement: str, named: str
) -> None:
    if statement.startswith("UPDATE"):
        with colluding.silenced(as_superuser) as silent:
            silent.execute(statement)
    else:
        quietly(as_superuser, statement)

    report = verification.verify()

    assert any(named in one.message for one in report.faults), report.faults


def test_all_rules_of_all_tables_are_as_declared(log: int) -> None:
    assert verification.verify().faults == ()


def test_an_unsealed_entry_nested_to_exhaust_the_server_is_named(
    log: int, as_superuser: Superuser
) -> None:
    with colluding.silenced(as_superuser) as silent:
        silent.execute(
            "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) SELECT "
            "nextval('audit.entry_id_seq'), pg_current_xact_id(), 1, b, audit.entry_digest(b) "
            "FROM (SELECT convert_to(repeat('[', 500000), 'UTF8') AS b) x"
        )

    assert verification.verify().counts[Verdict.NONCANONICAL] == 1


def test_a_second_tree_altered_before_its_root_is_recorded_is_named(
    log: int, as_superuser: Superuser
) -> None:
    rehashing.grow(trees.SHA_512)
    with colluding.silenced(as_superuser) as silent:
        silent.execute("UPDATE audit.rehash SET range[1] = sha512('')")
    rehashing.record(
        trees.SHA_512, actor=System("test"), at=trail_log.NOON, reason="second tree of the year"
    )
    trail_log.seal_and_sign()

    report = verification.verify()

    assert any("tree of" in one.message for one in report.faults)
