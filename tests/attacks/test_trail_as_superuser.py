"""Whoever owns the database can break the trail, and `trail verify` names what he broke."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from psycopg import Connection

from compliance.trail import checkpoints, keys, sequencer, verification
from compliance.trail.findings import Verdict
from compliance.trail.signer.failure import LogForked
from compliance.trail.tlog import leaf, merkle
from tests import trail_log
from tests.trail_app.models import Vessel

Superuser = Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    """Return the size of a sealed log that is intact."""
    size = trail_log.written()
    assert verification.verify().faults == ()
    return size


@contextmanager
def unguarded(superuser: Superuser, *tables: str) -> Iterator[None]:
    """Switch guards off and on again, as a careful attacker does."""
    with superuser.transaction():
        for table in tables:
            superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield
        for table in tables:
            superuser.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
            names = superuser.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [table],
            ).fetchall()
            for (name,) in names:
                superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def entry_of_leaf(superuser: Superuser, index: int) -> tuple[int, bytes]:
    row = superuser.execute(
        "SELECT entry_id, body FROM audit.leaf JOIN audit.entry USING (log_id, entry_id) "
        "WHERE idx = %s",
        [index],
    ).fetchone()
    assert row
    return row[0], bytes(row[1])


def found() -> verification.Report:
    """Verify by the command, which must fail, and return the report."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("trail", "verify", stdout=out)
    assert ended.value.code == 1
    report = verification.verify()
    assert report.first
    assert out.getvalue().startswith(f"First bad entry: {report.first}")
    return report


def verdicts(report: verification.Report) -> set[tuple[Verdict, int | None]]:
    return {(fault.verdict, fault.index) for fault in report.faults if fault.index is not None}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.requirement("P11-a1")
def test_one_flipped_bit_in_a_body_is_named(log: int, as_superuser: Superuser, place: str) -> None:
    index = {"first": 0, "middle": log // 2, "last": log - 1}[place]
    entry_id, body = entry_of_leaf(as_superuser, index)
    at = {"first": 0, "middle": len(body) // 2, "last": len(body) - 1}[place]
    altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s WHERE entry_id = %s", [altered, entry_id]
        )

    report = found()
    assert verdicts(report) == {(Verdict.TAMPERED, index)}
    assert report.first and report.first.entry_id == entry_id


def test_a_body_altered_with_its_digest_is_named(log: int, as_superuser: Superuser) -> None:
    index = trail_log.leaf_of("A-20")
    entry_id, body = entry_of_leaf(as_superuser, index)
    altered = body.replace(b'"actor":"test"', b'"actor":"nemo"')
    assert altered != body

    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s, digest = %s WHERE entry_id = %s",
            [altered, leaf.entry_digest(altered), entry_id],
        )

    assert (Verdict.TAMPERED, index) in verdicts(found())


def test_a_deleted_entry_is_missing(log: int, as_superuser: Superuser) -> None:
    entry_id, _ = entry_of_leaf(as_superuser, 33)

    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute("DELETE FROM audit.entry WHERE entry_id = %s", [entry_id])

    assert verdicts(found()) == {(Verdict.MISSING, 33)}


def test_a_deleted_leaf_is_missing(log: int, as_superuser: Superuser) -> None:
    with unguarded(as_superuser, "audit.leaf"):
        as_superuser.execute("DELETE FROM audit.leaf WHERE idx = 33")

    report = found()
    assert report.first and (report.first.verdict, report.first.index) == (Verdict.MISSING, 33)


def test_the_newest_entries_cut_off_are_missing(log: int, as_superuser: Superuser) -> None:
    with unguarded(as_superuser, "audit.entry", "audit.leaf"):
        as_superuser.execute(
            "DELETE FROM audit.entry WHERE entry_id IN "
            "(SELECT entry_id FROM audit.leaf WHERE idx >= %s)",
            [log - 2],
        )
        as_superuser.execute("DELETE FROM audit.leaf WHERE idx >= %s", [log - 2])

    assert Verdict.MISSING in found().counts


def test_two_exchanged_leaves_are_reordered(log: int, as_superuser: Superuser) -> None:
    one, _ = entry_of_leaf(as_superuser, 11)
    two, _ = entry_of_leaf(as_superuser, 12)

    with unguarded(as_superuser, "audit.leaf"):
        for entry_id, index in ((-1, 11), (one, 12), (two, 11)):
            as_superuser.execute(
                "UPDATE audit.leaf SET entry_id = %s WHERE idx = %s", [entry_id, index]
            )

    assert verdicts(found()) == {(Verdict.REORDERED, 11), (Verdict.REORDERED, 12)}


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "nemo"), ("at", "2020-01-01T00:00:00Z"), ("record_id", "77"), ("reason", "none")],
)
def test_an_altered_search_column_is_a_projection_mismatch(
    log: int, as_superuser: Superuser, column: str, value: str
) -> None:
    entry_id, _ = entry_of_leaf(as_superuser, 5)

    as_superuser.execute(
        f"UPDATE audit.projection SET {column} = %s WHERE entry_id = %s", [value, entry_id]
    )

    report = found()
    assert verdicts(report) == {(Verdict.PROJECTION_MISMATCH, 5)}
    assert column in str(report.first)


def test_an_entry_hidden_from_search_is_a_projection_mismatch(
    log: int, as_superuser: Superuser
) -> None:
    entry_id, _ = entry_of_leaf(as_superuser, 5)

    as_superuser.execute("DELETE FROM audit.projection WHERE entry_id = %s", [entry_id])

    assert verdicts(found()) == {(Verdict.PROJECTION_MISMATCH, 5)}


@pytest.mark.requirement("P11-a1")
def test_a_row_changed_with_its_triggers_off_is_named_with_its_column(
    log: int, as_superuser: Superuser
) -> None:
    vessel = Vessel.objects.get(name="A-5")

    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("UPDATE trail_app_vessel SET volume_l = 99 WHERE id = %s", [vessel.pk])

    (fault,) = found().faults
    assert fault.verdict == Verdict.TAMPERED
    assert fault.record == f"trail_app_vessel {vessel.pk}"
    assert 'volume_l is "99.000000", recorded is "12.000000"' in fault.message


def test_a_secret_changed_with_its_triggers_off_is_found(log: int, as_superuser: Superuser) -> None:
    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("UPDATE trail_app_vessel SET secret = 'mine' WHERE name = 'A-7'")

    (fault,) = found().faults
    assert "secret" in fault.message
    assert "mine" not in fault.message


def test_a_row_set_back_to_an_older_state_is_found(log: int, as_superuser: Superuser) -> None:
    first = as_superuser.execute(
        "SELECT digest FROM audit.projection JOIN audit.entry USING (log_id, entry_id) "
        "WHERE record = 'trail_app_vessel' AND record_id = %s AND record_seq = 1",
        [str(Vessel.objects.get(name="A-5").pk)],
    ).fetchone()
    assert first

    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute(
            "UPDATE trail_app_vessel SET volume_l = 0, audit_seq = 1, audit_head = %s "
            "WHERE name = 'A-5'",
            [first[0]],
        )

    assert found().counts[Verdict.TAMPERED] == 2


@pytest.mark.requirement("P11-a1")
def test_a_row_deleted_with_its_triggers_off_is_named(log: int, as_superuser: Superuser) -> None:
    vessel = Vessel.objects.get(name="A-9")

    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("DELETE FROM trail_app_vessel WHERE id = %s", [vessel.pk])

    (fault,) = found().faults
    assert fault.record == f"trail_app_vessel {vessel.pk}"
    assert "gone" in fault.message


def test_a_row_inserted_without_an_entry_is_named(log: int, as_superuser: Superuser) -> None:
    with unguarded(as_superuser, "trail_app_vessel"):
        row = as_superuser.execute(
            "INSERT INTO trail_app_vessel (name, volume_l, seen, secret) "
            "VALUES ('ghost', 1, 0, '') RETURNING id"
        ).fetchone()
    assert row

    (fault,) = found().faults
    assert fault.record == f"trail_app_vessel {row[0]}"
    assert "without an entry" in fault.message


def plant(superuser: Superuser, body: bytes) -> int:
    row = superuser.execute(
        "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) VALUES "
        "(nextval('audit.entry_id_seq'), pg_current_xact_id(), 1, %s, %s) RETURNING entry_id",
        [body, leaf.entry_digest(body)],
    ).fetchone()
    assert row
    superuser.commit()
    return int(row[0])


def test_a_planted_entry_with_a_right_digest_does_not_fit_its_record(
    log: int, as_superuser: Superuser
) -> None:
    _, body = entry_of_leaf(as_superuser, trail_log.leaf_of("A-20"))
    plant(as_superuser, body.replace(b'"actor":"test"', b'"actor":"nemo"'))

    trail_log.seal_and_sign()

    report = found()
    assert (Verdict.REORDERED, log) in verdicts(report)


def test_a_planted_entry_with_an_old_time_is_out_of_its_bracket(
    log: int, as_superuser: Superuser
) -> None:
    _, body = entry_of_leaf(as_superuser, 20)
    start = body.index(b',"at":"') + 7
    plant(as_superuser, body[:start] + b"2020" + body[start + 4 :])

    trail_log.seal_and_sign()

    assert (Verdict.TIME_OUT_OF_BRACKET, log) in verdicts(found())


@pytest.mark.parametrize(
    "part",
    [rb'"\ud800"', rb'"\udc00\ud800"', b'"\xff"', b"NaN", b"9007199254740992", b"1.5", b'"a" '],
)
def test_a_planted_body_that_is_not_canonical_is_named_and_blocks_nothing(
    log: int, as_superuser: Superuser, part: bytes
) -> None:
    _, body = entry_of_leaf(as_superuser, trail_log.leaf_of("A-20"))
    plant(as_superuser, body.replace(b'"actor":"test"', b'"actor":' + part))
    trail_log.vessels(3, "after")

    assert sequencer.seal().count == 4

    assert (Verdict.NONCANONICAL, log) in verdicts(found())


def test_an_entry_altered_before_it_is_sealed_stays_unsealed_and_is_named(
    log: int, as_superuser: Superuser
) -> None:
    trail_log.vessels(3, "late")
    row = as_superuser.execute("SELECT max(entry_id) - 1 FROM audit.entry").fetchone()
    assert row
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = body || ' ' WHERE entry_id = %s", [row[0]]
        )

    sealed = sequencer.seal()

    assert sealed.refused == (row[0],) and sealed.count >= 2
    assert any(fault.entry_id == row[0] for fault in found().faults)


def test_an_entry_of_another_log_is_named(log: int, as_superuser: Superuser) -> None:
    _, body = entry_of_leaf(as_superuser, 0)
    here = settings.LOG_ORIGIN.encode()
    plant(as_superuser, body.replace(here, here[:-1] + b"2"))

    trail_log.seal_and_sign()

    assert (Verdict.TAMPERED, log) in verdicts(found())


def rewrite(superuser: Superuser, *, from_index: int) -> None:
    """Put another history in place, consistent in everything that the database holds."""
    origin = settings.LOG_ORIGIN
    rows = superuser.execute(
        "SELECT idx, entry_id, body FROM audit.leaf JOIN audit.entry USING (log_id, entry_id) "
        "ORDER BY idx"
    ).fetchall()
    chain, tree = leaf.Chain(origin=origin), merkle.CompactRange()
    guarded = ("audit.entry", "audit.leaf", "audit.log_state")
    with unguarded(superuser, *guarded):
        for index, entry_id, original in rows:
            body = bytes(original)
            if index >= from_index:
                body = body.replace(b'"reason":"volume read again"', b'"reason":"nothing to see"')
            digest, previous = leaf.entry_digest(body), chain.head
            leaf_hash = chain.append(digest)
            tree.append(leaf_hash)
            superuser.execute(
                "UPDATE audit.entry SET body = %s, digest = %s WHERE entry_id = %s",
                [body, digest, entry_id],
            )
            superuser.execute(
                "UPDATE audit.leaf SET leaf_hash = %s, previous = %s WHERE idx = %s",
                [leaf_hash, previous, index],
            )
            superuser.execute(
                "UPDATE audit.projection SET reason = 'nothing to see' "
                "WHERE entry_id = %s AND reason = 'volume read again' AND %s",
                [entry_id, index >= from_index],
            )
        superuser.execute(
            "UPDATE audit.log_state SET root = %s, chain = %s, range = %s",
            [tree.root(), chain.head, list(tree.hashes)],
        )


def test_a_history_rewritten_in_itself_contradicts_the_checkpoints(
    log: int, as_superuser: Superuser
) -> None:
    rewrite(as_superuser, from_index=0)

    report = found()
    forks = [fault for fault in report.faults if fault.verdict == Verdict.FORK]
    first = min(int(path.stem) for path in settings.PUBLISHED_DIR.glob("*.note"))
    assert forks
    assert forks[0].index == first  # what the first checkpoint covers was not rewritten


def test_a_history_rewritten_with_its_checkpoints_contradicts_the_published_ones(
    log: int, as_superuser: Superuser
) -> None:
    rewrite(as_superuser, from_index=0)
    with unguarded(as_superuser, "audit.checkpoint"):
        as_superuser.execute("DELETE FROM audit.checkpoint")

    report = found()

    assert any(
        fault.verdict == Verdict.FORK and "published" in fault.message for fault in report.faults
    )


def test_a_rewritten_log_is_never_signed_again(log: int, as_superuser: Superuser) -> None:
    rewrite(as_superuser, from_index=0)
    trail_log.vessels(3, "after")
    sequencer.seal()

    with pytest.raises(LogForked, match="does not continue"):
        checkpoints.sign(timezone.now())


def test_a_rewritten_log_without_its_checkpoints_is_refused_by_the_signers_memory(
    log: int, as_superuser: Superuser
) -> None:
    rewrite(as_superuser, from_index=0)
    with unguarded(as_superuser, "audit.checkpoint"):
        as_superuser.execute("DELETE FROM audit.checkpoint")

    with pytest.raises(LogForked):
        checkpoints.sign(timezone.now())


def test_a_log_rolled_back_is_not_signed_again(log: int, as_superuser: Superuser) -> None:
    state = as_superuser.execute("SELECT size, root FROM audit.log_state").fetchone()
    assert state
    trail_log.vessels(5, "lost")
    trail_log.seal_and_sign()
    with unguarded(as_superuser, "audit.log_state", "audit.checkpoint"):
        as_superuser.execute("UPDATE audit.log_state SET size = %s, root = %s", state)
        as_superuser.execute("DELETE FROM audit.checkpoint WHERE size > %s", [state[0]])

    with pytest.raises(LogForked, match="rolled back"):
        checkpoints.sign(timezone.now())


def test_a_checkpoint_altered_in_the_database_is_named(log: int, as_superuser: Superuser) -> None:
    with unguarded(as_superuser, "audit.checkpoint"):
        as_superuser.execute(
            "UPDATE audit.checkpoint SET note = replace(note, %s, %s) WHERE size = %s",
            [f"\n{log}\n", f"\n{log + 1}\n", log],
        )

    assert found().counts[Verdict.TAMPERED]


def test_a_published_checkpoint_with_other_bytes_is_a_conflict(log: int) -> None:
    path = settings.PUBLISHED_DIR / f"{log}.note"
    path.write_text(path.read_text().replace("\n\n", "\nx\n\n"))
    (settings.PUBLISHED_DIR / "latest").unlink()

    with pytest.raises(checkpoints.CheckpointConflict):
        checkpoints.publish(settings.PUBLISHED_DIR)
    assert f"published {log}.note" in str(found().first)


def test_a_log_without_its_public_key_cannot_be_assessed(log: int) -> None:
    (settings.KEYS_DIR / keys.PUBLIC).unlink()

    with pytest.raises(BaseException) as refused:
        call_command("trail", "verify")

    assert getattr(refused.value, "returncode", None) == 2


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "ALTER TABLE trail_app_vessel DISABLE TRIGGER zz_capture",
            "zz_capture is not ENABLE ALWAYS",
        ),
        ("ALTER TABLE trail_app_vessel ENABLE TRIGGER zz_capture", "is not ENABLE ALWAYS"),
        ("DROP TRIGGER zz_capture_insert ON trail_app_vessel", "zz_capture_insert is missing"),
        (
            "CREATE OR REPLACE TRIGGER zz_capture BEFORE INSERT OR UPDATE OR DELETE ON "
            "trail_app_vessel FOR EACH ROW WHEN (pg_trigger_depth() > 5) "
            'EXECUTE FUNCTION audit."capture_trail_app_vessel"()',
            "other conditions",
        ),
        (
            'CREATE OR REPLACE FUNCTION audit."capture_trail_app_vessel"() RETURNS trigger '
            "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "is missing or not the declared one",
        ),
        (
            'ALTER FUNCTION audit."capture_trail_app_vessel"() SET search_path = public',
            "another search path",
        ),
        (
            "CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql "
            "AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER zzz BEFORE UPDATE ON trail_app_vessel "
            "FOR EACH ROW EXECUTE FUNCTION public.late()",
            "runs after the capture",
        ),
        (
            "CREATE RULE away AS ON UPDATE TO trail_app_vessel DO INSTEAD NOTHING",
            "rule away rewrites",
        ),
        (
            "CREATE OR REPLACE FUNCTION audit.append(body bytea, digest bytea) RETURNS void "
            "LANGUAGE plpgsql AS 'BEGIN END'",
            "audit.append",
        ),
        ("ALTER TABLE audit.entry DISABLE TRIGGER append_only", "audit.entry: trigger append_only"),
        ("ALTER TABLE audit.entry_p0 DISABLE TRIGGER append_only", "audit.entry_p0"),
        ("DROP TRIGGER no_truncate ON audit.leaf", "audit.leaf: trigger no_truncate is missing"),
        ("GRANT DELETE ON audit.entry TO gmp_app", "the application may DELETE"),
    ],
)
@pytest.mark.requirement("A11D-12")
def test_a_weakened_guard_is_named(
    log: int, as_superuser: Superuser, statement: str, named: str
) -> None:
    as_superuser.execute(statement)

    report = found()
    assert set(report.counts) == {Verdict.DISABLED}
    assert any(named in fault.message for fault in report.faults)


@pytest.mark.requirement("A11D-12", "P11-e1")
def test_replication_role_does_not_silence_the_capture(log: int, as_superuser: Superuser) -> None:
    as_superuser.execute("SET session_replication_role = replica")

    with pytest.raises(Exception, match="no act, no change"):
        as_superuser.execute("UPDATE trail_app_vessel SET volume_l = 3")
    as_superuser.rollback()
    with pytest.raises(Exception, match="append-only"):
        as_superuser.execute("DELETE FROM audit.entry")
