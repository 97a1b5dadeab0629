"""Attacks beside the database: checkpoints, keys, the signer's memory, settings made by hand."""

import json
import shutil
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from compliance.trail import checkpoints, keys, new_logs, recording, sequencer, verification
from compliance.trail.findings import Verdict
from compliance.trail.models import LogEvent
from compliance.trail.signer import delivery, memory
from compliance.trail.signer.failure import SignerRefused
from compliance.trail.tlog import canonical
from compliance.trail.verified_checkpoints import NotAssessable
from tests import trail_log
from tests.attacks.test_trail_as_superuser import rewrite, unguarded
from tests.trail_app.models import Contact, Vessel

Superuser = psycopg.Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    with trail_log.act():
        Contact.objects.create(name="Mira", email="mira@example.org")
    return trail_log.written()


def without_checkpoints(superuser: Superuser, where: str = "true") -> None:
    with unguarded(superuser, "audit.checkpoint"):
        superuser.execute(f"DELETE FROM audit.checkpoint WHERE {where}")
    superuser.commit()


@pytest.mark.parametrize("where", ["true", "size = (SELECT max(size) FROM audit.checkpoint)"])
def test_checkpoints_deleted_where_they_are_published_are_missed(
    log: int, as_superuser: Superuser, where: str
) -> None:
    without_checkpoints(as_superuser, where)

    assert verification.verify().counts[Verdict.MISSING]


def test_a_history_rewritten_where_every_checkpoint_was_destroyed_is_not_intact(
    log: int, as_superuser: Superuser
) -> None:
    rewrite(as_superuser, from_index=0)
    without_checkpoints(as_superuser)
    shutil.rmtree(settings.PUBLISHED_DIR)
    (delivery.folder(None) / memory.STATE).unlink()

    report = verification.verify()

    assert report.counts[Verdict.MISSING]
    assert "checkpoint" in str(report.first)


def test_a_signer_that_lost_its_memory_does_not_sign_another_history(
    log: int, as_superuser: Superuser
) -> None:
    rewrite(as_superuser, from_index=0)
    trail_log.vessels(3, "after")
    (delivery.folder(None) / memory.STATE).unlink()

    with pytest.raises(SignerRefused):
        checkpoints.sign(timezone.now())
    assert not verification.verify().is_intact


def test_the_memory_of_another_signer_is_refused(log: int) -> None:
    state = delivery.folder(None) / memory.STATE
    state.write_bytes(state.read_bytes().replace(b"\n", b"\n ", 1))
    trail_log.vessels(3, "after")

    with pytest.raises(Exception):  # noqa: B017 -- whichever, nothing is signed
        trail_log.seal_and_sign()
    assert not verification.verify().is_intact


def test_exchanged_public_keys_do_not_verify(log: int) -> None:
    path = settings.KEYS_DIR / keys.PUBLIC
    text = path.read_text()
    for file in settings.KEYS_DIR.iterdir():
        file.unlink() if file.is_file() else shutil.rmtree(file)
    keys.ensure()  # keys of the attacker, of the same name
    assert path.read_text() != text

    try:
        report = verification.verify()
    except NotAssessable:
        return
    assert report.counts[Verdict.TAMPERED]


def test_a_published_folder_that_lost_files_is_filled_again_with_the_same_bytes(log: int) -> None:
    before = {path.name: path.read_bytes() for path in settings.PUBLISHED_DIR.iterdir()}
    for path in settings.PUBLISHED_DIR.iterdir():
        path.unlink()

    checkpoints.publish(settings.PUBLISHED_DIR)

    assert {path.name: path.read_bytes() for path in settings.PUBLISHED_DIR.iterdir()} == before


def leaf_of(superuser: Superuser, record: str) -> tuple[int, int]:
    row = superuser.execute(
        "SELECT idx, entry_id FROM audit.projection WHERE record = %s ORDER BY idx", [record]
    ).fetchone()
    assert row
    return row


def without_opening(superuser: Superuser, entry_id: int) -> None:
    superuser.execute(
        "DELETE FROM audit.opening WHERE entry_id = %s AND path = 'trail_app_contact.email'",
        [entry_id],
    )
    superuser.commit()


def planted_event(kind: str, document: dict[str, Any], *, log_id: int | None = None) -> None:
    with recording.into(log_id or settings.LOG_ID), trail_log.act():
        LogEvent.objects.create(
            kind=kind, document=canonical.dumps(document).decode(), recorded_at=timezone.now()
        )


PERSONS = ["Mira Holm", "Jon Berg"]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"legal_basis": "", "persons": PERSONS},
        {"legal_basis": "Art. 17 GDPR", "persons": ["Mira Holm"]},
        {"legal_basis": "Art. 17 GDPR", "persons": ["Mira Holm", "Mira Holm"]},
        {"legal_basis": "Art. 17 GDPR", "persons": ["Mira Holm", " "]},
        {"legal_basis": " ", "persons": PERSONS},
        {"legal_basis": "Art. 17 GDPR", "persons": ["Mira Holm", "mira holm "]},
        {"legal_basis": "Art. 17 GDPR", "persons": "Mi"},
        {"legal_basis": "Art. 17 GDPR", "persons": PERSONS, "v": 2},
    ],
)
def test_an_erasure_without_two_persons_and_a_legal_basis_is_none(
    log: int, as_superuser: Superuser, extra: dict[str, Any]
) -> None:
    index, entry_id = leaf_of(as_superuser, "trail_app_contact")
    without_opening(as_superuser, entry_id)
    planted_event("redaction", {"index": index, "path": "trail_app_contact.email", "v": 1, **extra})
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.MISSING_OPENING] == 1


def test_an_erasure_that_another_log_tells_of_is_none(log: int, as_superuser: Superuser) -> None:
    index, entry_id = leaf_of(as_superuser, "trail_app_contact")
    without_opening(as_superuser, entry_id)
    document = {
        "index": index, "path": "trail_app_contact.email", "legal_basis": "Art. 17 GDPR",
        "persons": PERSONS, "v": 1,
    }  # fmt: skip
    other = new_logs.open_log("plant.example/second/1")
    planted_event("redaction", document, log_id=other)
    sequencer.seal(log_id=other)
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.MISSING_OPENING] == 1

    planted_event("redaction", document)  # the same words in the right log: an authorised erasure
    trail_log.seal_and_sign()
    assert Verdict.MISSING_OPENING not in verification.verify().counts


def test_a_row_emptied_under_a_redaction_of_another_value_is_named(
    log: int, as_superuser: Superuser
) -> None:
    index, entry_id = leaf_of(as_superuser, "trail_app_contact")
    without_opening(as_superuser, entry_id)
    planted_event(
        "redaction",
        {"index": index, "path": "trail_app_contact.phone", "legal_basis": "Art. 17 GDPR",
         "persons": PERSONS, "v": 1},
    )  # fmt: skip
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.MISSING_OPENING] == 1


def by_hand(**values: str) -> None:
    """Change a row as the application's role with the settings of an act made by hand."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (xid,) = cursor.fetchone()
        act = (
            '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"a","actor":"b","actor_id":"c",'
            '"id":"00000000-0000-0000-0000-000000000000","reason":"by hand","role":"d",'
            '"source":"e"}'
        )
        made = {
            "audit.xid": f"{xid}+", "audit.act": act, "audit.log_id": "1",
            "audit.log": json.dumps(settings.LOG_ORIGIN),
            **{f"audit.{name}": value for name, value in values.items()},
        }  # fmt: skip
        for name, value in made.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        Vessel.objects.create(name="by hand")


ACTS = {
    "no JSON": "nonsense",
    "an empty object": "{}",
    "a member twice": '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"a","actor":"b",'
    '"actor":"nemo","actor_id":"c","id":"00000000-0000-0000-0000-000000000000","reason":"r",'
    '"role":"d","source":"e"}',
    "an escape that need not be": '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"a",'
    '"actor":"\\u0062","actor_id":"c","id":"00000000-0000-0000-0000-000000000000",'
    '"reason":"r","role":"d","source":"e"}',
    "members of the entry": '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"a","actor":"b",'
    '"actor_id":"c","id":"00000000-0000-0000-0000-000000000000","reason":"r","role":"d",'
    '"source":"e"},"after":null,"at":"2020-01-01T00:00:00.000000Z"',
    "half a surrogate pair": '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"a",'
    '"actor":"\\ud800","actor_id":"c","id":"00000000-0000-0000-0000-000000000000",'
    '"reason":"r","role":"d","source":"e"}',
}


@pytest.mark.parametrize("what", sorted(ACTS))
def test_an_act_made_by_hand_that_is_none_is_named(log: int, what: str) -> None:
    by_hand(act=ACTS[what])
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.NONCANONICAL] == 1


@pytest.mark.parametrize("values", [{"log": '"plant.example/other/1"'}, {"log_id": "9"}])
def test_a_change_sent_to_another_log_by_hand_is_named(log: int, values: dict[str, str]) -> None:
    by_hand(**values)
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.TAMPERED]


@pytest.mark.parametrize(
    "change",
    ["log_id = '9'", "origin = '\"plant.example/other/1\"'", "asked_for = 2"],
)
def test_acts_sent_to_another_log_by_its_table_are_named(
    log: int, as_superuser: Superuser, change: str
) -> None:
    as_superuser.execute("ALTER TABLE audit.current_log DROP CONSTRAINT current_log_asked_for_fkey")
    as_superuser.execute(f"UPDATE audit.current_log SET {change}")
    as_superuser.commit()

    found = verification.verify()

    assert found.counts[Verdict.DISABLED]
    assert any("current_log: acts for log" in fault.message for fault in found.faults)


def test_a_log_left_over_in_a_session_misleads_no_act(log: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('audit.log', '\"plant.example/other/1\"', false), "
            "set_config('audit.log_id', '9', false)"
        )
    trail_log.vessels(2, "after")
    trail_log.seal_and_sign()

    assert verification.verify().is_intact


def test_an_act_made_by_hand_for_another_transaction_changes_nothing(log: int) -> None:
    with pytest.raises(Exception, match="no act, no change"):
        by_hand(xid="7+")


@pytest.mark.parametrize(
    "name", ['nemo","role":"Qualified Person', "ne\\mo", "ne\u2028mo", "n\u202eo"]
)
def test_a_name_does_not_become_members_of_the_act(log: int, name: str) -> None:
    with trail_log.act(name=name):
        vessel = Vessel.objects.create(name="named")
    trail_log.seal_and_sign()

    assert verification.verify().is_intact
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor, role FROM audit.projection WHERE record = 'trail_app_vessel' "
            "AND record_id = %s",
            [str(vessel.pk)],
        )
        (actor, role) = cursor.fetchone()
    assert name in actor
    assert "Qualified Person" not in role


@pytest.mark.parametrize("way", ["scan_from", "another log", "diverted"])
def test_a_log_state_made_to_look_past_entries_is_named(
    log: int, as_superuser: Superuser, way: str
) -> None:
    trail_log.vessels(3, "late")
    with unguarded(as_superuser, "audit.log_state", "audit.log"):
        match way:
            case "scan_from":
                as_superuser.execute(
                    "UPDATE audit.log_state SET scan_from = "
                    "(SELECT max(entry_id) FROM audit.entry), pending_mark = 1 << 40"
                )
            case "another log":
                as_superuser.execute("INSERT INTO audit.log VALUES (2, 'plant.example/x/1')")
            case _:
                as_superuser.execute(
                    "INSERT INTO audit.log VALUES (2, 'plant.example/x/1', 1); "
                    "INSERT INTO audit.log_state SELECT 2, 0, sha256(''), chain, '{}' "
                    "FROM audit.log_state"
                )
    as_superuser.commit()
    if way == "scan_from":
        trail_log.seal_and_sign()

    assert not verification.verify().is_intact


def test_unsealed_entries_deleted_are_missed_by_their_rows(
    log: int, as_superuser: Superuser
) -> None:
    trail_log.vessels(3, "late")
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "DELETE FROM audit.entry WHERE digest IN "
            "(SELECT audit_head FROM trail_app_vessel WHERE name LIKE 'late-%')"
        )
    trail_log.seal_and_sign()

    assert verification.verify().counts[Verdict.TAMPERED] == 3


def test_the_search_turned_back_shows_what_it_showed(log: int, as_superuser: Superuser) -> None:
    statement = "SELECT count(*), count(DISTINCT entry_id) FROM audit.entry_view"
    before = as_superuser.execute(statement).fetchone()

    as_superuser.execute("UPDATE audit.projected SET size = 10")
    as_superuser.commit()
    after = as_superuser.execute(statement).fetchone()
    as_superuser.commit()

    assert before == after or not verification.verify().is_intact


def test_an_entry_altered_before_its_seal_with_its_row_contradicts_the_receipt(
    log: int, as_superuser: Superuser
) -> None:
    trail_log.vessels(1, "late")
    vessel = Vessel.objects.get(name="late-0")
    receipt = as_superuser.execute(
        "SELECT audit_head FROM trail_app_vessel WHERE id = %s", [vessel.pk]
    ).fetchone()
    assert receipt
    with unguarded(as_superuser, "audit.entry", "trail_app_vessel"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = convert_to(replace(convert_from(body, 'UTF8'), "
            '\'"actor":"test"\', \'"actor":"nemo"\'), \'UTF8\') WHERE digest = %s',
            [receipt[0]],
        )
        as_superuser.execute(
            "UPDATE trail_app_vessel SET audit_head = (SELECT audit.entry_digest(body) "
            "FROM audit.entry WHERE digest = %s) WHERE id = %s",
            [receipt[0], vessel.pk],
        )
        as_superuser.execute(
            "UPDATE audit.entry SET digest = audit.entry_digest(body) WHERE digest = %s",
            [receipt[0]],
        )
    trail_log.seal_and_sign()

    found = as_superuser.execute(
        "SELECT count(*) FROM audit.entry WHERE digest = %s", [receipt[0]]
    ).fetchone()

    assert found == (0,)  # whoever holds the receipt proves it; the log alone does not
