"""Attacks by rights: of roles, of owners, of functions that run as another."""

from typing import Any

import pytest
from django.db import connections
from psycopg import Connection

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests import trail_log
from tests.attacks.test_inventions_in_the_database import quietly
from tests.conftest import FreshLog

Superuser = Connection[Any]
DOOR = "(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE what; END'"


@pytest.mark.parametrize(
    ("made", "undone", "said"),
    [
        (
            f"CREATE FUNCTION audit.capture_door{DOOR}; "
            "GRANT EXECUTE ON FUNCTION audit.capture_door TO gmp_app",
            "",
            "audit.capture_door: nobody declared this function",
        ),
        (
            f"CREATE FUNCTION public.door{DOOR}; ALTER FUNCTION public.door OWNER TO gmp_owner",
            "",
            "door(text): runs with the rights of gmp_owner",
        ),
        (
            "CREATE ROLE door SUPERUSER; GRANT door TO gmp_app",
            "DROP ROLE door",
            "the application may become door",
        ),
        (
            "CREATE ROLE door; GRANT door TO gmp_signer",
            "DROP ROLE door",
            "gmp_signer may become door",
        ),
        (
            "GRANT pg_execute_server_program TO gmp_app",
            "REVOKE pg_execute_server_program FROM gmp_app",
            "the application may become pg_execute_server_program",
        ),
        (
            "ALTER ROLE gmp_app CREATEROLE BYPASSRLS",
            "ALTER ROLE gmp_app NOCREATEROLE NOBYPASSRLS",
            "gmp_app has the attribute CREATEROLE",
        ),
        (
            "ALTER ROLE gmp_sequencer REPLICATION",
            "ALTER ROLE gmp_sequencer NOREPLICATION",
            "gmp_sequencer has the attribute REPLICATION",
        ),
        (
            "ALTER TABLE trail_app_vessel OWNER TO gmp_app",
            "",
            "trail_app_vessel: belongs to gmp_app, not to gmp_owner",
        ),
        (
            "GRANT TRIGGER ON trail_app_vessel TO gmp_app",
            "",
            "trail_app_vessel: gmp_app may TRIGGER",
        ),
        (
            "GRANT UPDATE ON trail_app_vessel TO gmp_signer",
            "",
            "trail_app_vessel: gmp_signer may UPDATE",
        ),
        (
            "GRANT CREATE ON SCHEMA audit TO gmp_app",
            "",
            "schema audit: gmp_app may CREATE in it",
        ),
        ("ALTER SCHEMA public OWNER TO gmp_app", "", "schema public belongs to gmp_app"),
        ('ALTER DATABASE "{db}" OWNER TO gmp_app', "", "database {db} belongs to gmp_app"),
        (
            "GRANT EXECUTE ON FUNCTION audit.detach TO gmp_app",
            "",
            "audit.detach: gmp_app may EXECUTE",
        ),
        (
            "GRANT EXECUTE ON FUNCTION audit.open_log TO PUBLIC",
            "",
            "audit.open_log: PUBLIC may EXECUTE",
        ),
        (
            "GRANT DELETE ON audit.leaf TO gmp_sequencer",
            "",
            "audit.leaf: gmp_sequencer may DELETE",
        ),
        (
            "GRANT UPDATE (signed_at) ON audit.checkpoint TO gmp_signer",
            "",
            "audit.checkpoint: gmp_signer may UPDATE",
        ),
        (
            "GRANT UPDATE ON SEQUENCE audit.entry_id_seq TO gmp_app",
            "",
            "audit.entry_id_seq: gmp_app may UPDATE",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OF size OR DELETE "
            "ON audit.checkpoint FOR EACH ROW EXECUTE FUNCTION audit.refuse_change(); "
            "ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER append_only",
            "",
            "audit.checkpoint: trigger append_only is disabled or not the declared one",
        ),
    ],
)
def test_a_right_that_the_product_never_granted_is_named(
    fresh_log: FreshLog, as_superuser: Superuser, made: str, undone: str, said: str
) -> None:
    trail_log.written()
    assert verification.verify().is_intact
    database = as_superuser.info.dbname

    quietly(as_superuser, made.format(db=database))
    try:
        report = verification.verify()
    finally:
        for alias in connections:
            connections[alias].close()
        if undone:  # roles are the server's, not of this database
            as_superuser.execute(undone)
            as_superuser.commit()

    messages = [one.message for one in report.faults if one.verdict == Verdict.DISABLED]
    assert any(said.format(db=database) in message for message in messages), messages
