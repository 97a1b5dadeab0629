"""Whatever the owner of the database plants into the log's tables is named, and breaks nothing."""

import secrets
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from compliance.trail import projecting, sequencer, verification
from compliance.trail.findings import Verdict
from compliance.trail.tlog import canonical, leaf
from tests import trail_log
from tests.attacks.test_trail_as_superuser import plant, unguarded, verdicts
from tests.trail_app.models import Vessel

Superuser = psycopg.Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    return trail_log.written()


def unconstrained(superuser: Superuser, *statements: str) -> None:
    """Run statements with every guard, key and NOT NULL of the log's tables gone."""
    tables = ("leaf", "entry_p0", "entry", "projection", "node", "checkpoint", "log_state")
    with unguarded(superuser, *(f"audit.{table}" for table in tables)):
        for table in tables:
            keys = superuser.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass "
                "AND contype IN ('p', 'u') AND conparentid = 0",
                [f"audit.{table}"],
            ).fetchall()
            for (name,) in keys:
                superuser.execute(f"ALTER TABLE audit.{table} DROP CONSTRAINT {name} CASCADE")
            columns = superuser.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND attnotnull AND NOT attisdropped",
                [f"audit.{table}"],
            ).fetchall()
            if table != "entry_p0":
                for (name,) in columns:
                    superuser.execute(f"ALTER TABLE audit.{table} ALTER {name} DROP NOT NULL")
        for statement in statements:
            superuser.execute(statement)


@pytest.mark.parametrize(
    ("statement", "verdict", "index"),
    [
        ("UPDATE audit.entry SET body = NULL WHERE entry_id = {}", Verdict.TAMPERED, 7),
        ("UPDATE audit.entry SET digest = NULL WHERE entry_id = {}", Verdict.TAMPERED, 7),
        ("UPDATE audit.entry SET digest = '' WHERE entry_id = {}", Verdict.TAMPERED, 7),
        ("UPDATE audit.entry SET log_id = NULL WHERE entry_id = {}", Verdict.MISSING, 7),
        ("UPDATE audit.entry SET log_id = 9 WHERE entry_id = {}", Verdict.MISSING, 7),
        ("UPDATE audit.leaf SET leaf_hash = NULL WHERE idx = 7", Verdict.TAMPERED, 7),
        ("UPDATE audit.leaf SET leaf_hash = leaf_hash || leaf_hash WHERE idx = 7",
         Verdict.TAMPERED, 7),
        ("UPDATE audit.leaf SET previous = NULL WHERE idx = 7", Verdict.TAMPERED, 7),
        ("UPDATE audit.leaf SET entry_id = NULL WHERE idx = 7", Verdict.MISSING, 7),
        ("UPDATE audit.leaf SET log_id = NULL WHERE idx = 7", Verdict.MISSING, 7),
        ("UPDATE audit.leaf SET idx = -7 WHERE idx = 7", Verdict.TAMPERED, -7),
        ("UPDATE audit.leaf SET idx = 9223372036854775807 WHERE idx = 7", Verdict.MISSING, 7),
        ("UPDATE audit.leaf SET idx = 9007199254740000 WHERE idx = 7", Verdict.MISSING, 7),
        ("INSERT INTO audit.leaf SELECT * FROM audit.leaf WHERE idx = 7", Verdict.TAMPERED, 7),
        ("INSERT INTO audit.entry SELECT * FROM audit.entry WHERE entry_id = {}",
         Verdict.TAMPERED, 7),
        ("INSERT INTO audit.projection SELECT * FROM audit.projection WHERE entry_id = {}",
         Verdict.TAMPERED, 7),
        ("INSERT INTO audit.leaf SELECT log_id, idx + 1000, entry_id, leaf_hash, previous "
         "FROM audit.leaf WHERE idx = 7", Verdict.MISSING, None),
        ("UPDATE audit.projection SET actor = NULL WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("UPDATE audit.projection SET at = 'infinity' WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("UPDATE audit.projection SET at = '20000-01-01' WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("UPDATE audit.projection SET idx = 8 WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("UPDATE audit.projection SET actor = actor || E'\\x1f', role = '' WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("UPDATE audit.projection SET log_id = NULL WHERE entry_id = {}",
         Verdict.PROJECTION_MISMATCH, 7),
        ("INSERT INTO audit.node VALUES (1, 8, 0, '')", Verdict.TAMPERED, None),
        ("INSERT INTO audit.node VALUES (1, 3, 0, sha256(''))", Verdict.TAMPERED, None),
        ("INSERT INTO audit.node VALUES (1, 24, 0, NULL)", Verdict.TAMPERED, None),
        ("UPDATE audit.log_state SET root = NULL", Verdict.TAMPERED, None),
        ("UPDATE audit.log_state SET range = NULL", Verdict.TAMPERED, None),
        ("UPDATE audit.log_state SET range = ARRAY[NULL::bytea]", Verdict.TAMPERED, None),
        ("UPDATE audit.log_state SET size = 9007199254740992", Verdict.TAMPERED, None),
        ("DELETE FROM audit.log_state", Verdict.MISSING, None),
        ("UPDATE audit.checkpoint SET note = NULL", Verdict.TAMPERED, None),
        ("UPDATE audit.checkpoint SET signed_at = 'infinity'", Verdict.TAMPERED, None),
        ("INSERT INTO audit.entry SELECT 900000, xid, 9, body, digest "
         "FROM audit.entry WHERE entry_id = {}", Verdict.TAMPERED, None),
    ],
)  # fmt: skip
def test_what_is_planted_is_named(
    log: int, as_superuser: Superuser, statement: str, verdict: Verdict, index: int | None
) -> None:
    (entry_id,) = as_superuser.execute(
        "SELECT entry_id FROM audit.leaf WHERE idx = 7"
    ).fetchone() or (0,)
    as_superuser.commit()
    before = set(verification.verify().counts)

    unconstrained(as_superuser, statement.format(entry_id))

    report = verification.verify()
    assert not before
    found = {(fault.verdict, fault.index) for fault in report.faults}
    assert (verdict, index) in found or (index is None and verdict in report.counts), report.faults


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 5000, b'{"v":2}', b"9" * 5000]
)
def test_a_body_that_is_no_entry_is_named(log: int, as_superuser: Superuser, body: bytes) -> None:
    plant(as_superuser, body)

    trail_log.seal_and_sign()

    assert verdicts(verification.verify()) == {(Verdict.NONCANONICAL, log)}


def test_bodies_that_cannot_be_searched_keep_no_other_from_being_found(
    log: int, as_superuser: Superuser
) -> None:
    with connections["sequencer"].cursor() as cursor:
        cursor.execute("SELECT body FROM audit.entry ORDER BY entry_id DESC LIMIT 1")
        whole = canonical.loads(bytes(cursor.fetchone()[0]))
    beyond_an_index = secrets.token_hex(8_000)
    planted: list[bytes] = [
        b"", b"null", b"\xff", b"[" * 10_000_000, canonical.dumps({**whole, "record": beyond_an_index}),
    ]  # fmt: skip

    for number, body in enumerate(planted):
        plant(as_superuser, body)
        trail_log.vessels(3, f"beside {number}")
    while sequencer.seal().count:
        pass
    while projecting.project():
        pass

    with connections["sequencer"].cursor() as cursor:
        cursor.execute(
            "SELECT s.size - p.size, s.size - (SELECT count(*) FROM audit.projection), "
            "(SELECT count(*) FROM audit.projection WHERE idx >= %s) "
            "FROM audit.log_state s, audit.projected p",
            [log],
        )
        assert cursor.fetchone() == (0, len(planted), 3 * len(planted))
    named = {fault.index for fault in verification.verify().faults}
    assert {log + 4 * number for number in range(len(planted))} <= named


def test_a_body_larger_than_any_entry_is_named(log: int, as_superuser: Superuser) -> None:
    size = 65 * 2**20
    tag = "'\\x676d702d61756469742f656e7472792f763100'::bytea"
    as_superuser.execute(
        "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) SELECT "
        "nextval('audit.entry_id_seq'), pg_current_xact_id(), 1, b, "
        f"sha256({tag} || b) FROM (SELECT convert_to(repeat('x', {size}), 'UTF8') AS b) f"
    )
    as_superuser.commit()
    trail_log.seal_and_sign()

    report = verification.verify()

    assert (Verdict.TAMPERED, log) in verdicts(report)
    assert f"{size} bytes" in str(report.first)


def test_a_row_without_its_head_is_named(log: int, as_superuser: Superuser) -> None:
    pk = Vessel.objects.get(name="A-6").pk
    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("UPDATE trail_app_vessel SET audit_head = '' WHERE name = 'A-6'")

    report = verification.verify()

    assert {fault.record for fault in report.faults} == {f"trail_app_vessel {pk}"}


def test_an_entry_moved_into_the_body_of_its_neighbour_is_named(
    log: int, as_superuser: Superuser
) -> None:
    rows = as_superuser.execute(
        "SELECT e.entry_id, e.body, e.digest FROM audit.leaf JOIN audit.entry e "
        "USING (entry_id) WHERE idx IN (7, 8) ORDER BY idx"
    ).fetchall()
    (one, body, digest), (two, next_body, next_digest) = rows
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s, digest = %s WHERE entry_id = %s",
            [body + b"\n" + next_body, digest + next_digest, one],
        )
        as_superuser.execute("DELETE FROM audit.entry WHERE entry_id = %s", [two])

    assert {index for _, index in verdicts(verification.verify())} >= {7, 8}


def test_a_leaf_sealed_again_for_the_same_entry_is_named(log: int, as_superuser: Superuser) -> None:
    entry_id, body = as_superuser.execute(
        "SELECT entry_id, body FROM audit.leaf JOIN audit.entry USING (entry_id) WHERE idx = 7"
    ).fetchone() or (0, b"")
    (chain,) = as_superuser.execute("SELECT chain FROM audit.log_state").fetchone() or (b"",)
    one = leaf.Leaf(
        origin=settings.LOG_ORIGIN, index=log, digest=leaf.entry_digest(body),
        previous=bytes(chain),
    )  # fmt: skip
    unconstrained(
        as_superuser,
        f"INSERT INTO audit.leaf VALUES (1, {log}, {entry_id}, "
        f"'\\x{one.hash.hex()}', '\\x{bytes(chain).hex()}')",
    )

    report = verification.verify()

    assert (Verdict.REORDERED, log) in verdicts(report)
    assert any("more than one leaf" in fault.message for fault in report.faults)
