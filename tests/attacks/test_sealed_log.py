"""Each attack on the tables of a sealed, witnessed and time-stamped log gets its verdict."""

import json
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from compliance.access.duties import Role
from compliance.trail import exporting, keys, log_events, redaction, verification, witnessing
from compliance.trail.findings import Verdict
from compliance.trail.recording import System
from compliance.trail.signer import delivery
from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import container, findings, writing
from compliance.trail.verifier import verification as offline
from compliance.trail.verifier.findings import Exit
from compliance.trail.verifier.trust import Trust
from compliance.trail.witnessing import Outcome
from tests import conftest as databases
from tests import factories, trail_log
from tests.attacks import colluding
from tests.attacks.conftest import SealedLog, gathered
from tests.attacks.test_trail_as_superuser import entry_of_leaf, found, plant, verdicts
from tests.trail_app.models import Contact, Vessel

Superuser = psycopg.Connection[Any]


def altered(superuser: Superuser, index: int, body: bytes) -> None:
    entry_id, _ = entry_of_leaf(superuser, index)
    with colluding.silenced(superuser) as silent:
        silent.execute("UPDATE audit.entry SET body = %s WHERE entry_id = %s", [body, entry_id])


# --- Single rows


def test_a_flipped_bit_accuses_its_entry_and_no_other(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    _, body = entry_of_leaf(superuser, 500)
    altered(superuser, 500, body[:90] + bytes([body[90] ^ 1]) + body[91:])

    report, result = found(), sealed_log.inspected(writing.bundle(gathered(everything=True)))

    assert verdicts(report) == {(Verdict.TAMPERED, 500)}
    bad = {index for index, one in result.entries.items() if one != findings.Verdict.VALID}
    assert (result.exit, bad) == (Exit.FAULTY, {500})


@pytest.mark.parametrize(
    ("column", "value"), [("actor", "nemo"), ("at", "2020-01-01T00:00:00Z"), ("record_id", "77")]
)
def test_a_change_of_the_search_columns_alone_is_a_projection_mismatch(
    sealed_log: SealedLog, superuser: Superuser, column: str, value: str
) -> None:
    entry_id, _ = entry_of_leaf(superuser, 500)

    with colluding.silenced(superuser) as silent:
        silent.execute(
            f"UPDATE audit.projection SET {column} = %s WHERE entry_id = %s", [value, entry_id]
        )

    report = found()
    assert verdicts(report) == {(Verdict.PROJECTION_MISMATCH, 500)}
    assert set(report.counts) == {Verdict.PROJECTION_MISMATCH}


@pytest.mark.parametrize(
    "part", [rb'"\ud800"', rb'"\udc00\ud800"', b'"\xff"', b"NaN", b"9007199254740992"]
)
def test_a_planted_body_that_is_not_canonical_is_named(
    sealed_log: SealedLog, superuser: Superuser, part: bytes
) -> None:
    _, body = entry_of_leaf(superuser, 500)
    plant(superuser, body.replace(b'"actor":"test"', b'"actor":' + part))
    size = trail_log.seal_and_sign()

    report, result = found(), sealed_log.inspected(writing.bundle(gathered(everything=True)))

    assert (Verdict.NONCANONICAL, size - 1) in verdicts(report)
    assert result.entries[size - 1] == findings.Verdict.NONCANONICAL
    assert result.exit == Exit.FAULTY


@pytest.mark.parametrize("tables", [("entry",), ("leaf",), ("entry", "leaf", "projection")])
def test_a_middle_entry_deleted_is_missing(
    sealed_log: SealedLog, superuser: Superuser, tables: tuple[str, ...]
) -> None:
    entry_id, _ = entry_of_leaf(superuser, 500)

    with colluding.silenced(superuser) as silent:
        for table in tables:
            silent.execute(f"DELETE FROM audit.{table} WHERE entry_id = %s", [entry_id])

    assert (Verdict.MISSING, 500) in verdicts(found())


def test_two_neighbouring_leaves_exchanged_are_reordered(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    one, two = (entry_of_leaf(superuser, index)[0] for index in (500, 501))

    with colluding.silenced(superuser) as silent:
        for entry_id, index in ((-1, 500), (one, 501), (two, 500)):
            silent.execute("UPDATE audit.leaf SET entry_id = %s WHERE idx = %s", [entry_id, index])
            silent.execute(
                "UPDATE audit.projection SET idx = %s WHERE entry_id = %s", [index, entry_id]
            )

    assert verdicts(found()) == {(Verdict.REORDERED, 500), (Verdict.REORDERED, 501)}


# --- Time


def dated(body: bytes, at: datetime) -> bytes:
    before = json.loads(body)["at"]
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return body.replace(f'"at":"{before}","log"'.encode(), f'"at":"{text}","log"'.encode())


def test_an_entry_back_dated_between_two_sealed_ones_contradicts_the_checkpoints(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    _, body = entry_of_leaf(superuser, 500)
    planted = plant(superuser, body.replace(b'"record_id":"', b'"record_id":"9'))

    def inserted(history: colluding.Bodies) -> colluding.Bodies:
        return [*history[:501], (planted, history[500][1]), *history[501:]]

    colluding.rewrite(superuser, inserted(colluding.bodies(superuser)))

    assert found().counts[Verdict.FORK] >= 4


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(days=1)])
def test_an_entry_of_a_clock_set_by_a_day_is_out_of_its_bracket(
    sealed_log: SealedLog, superuser: Superuser, step: timedelta
) -> None:
    _, body = entry_of_leaf(superuser, 500)
    plant(superuser, dated(body, timezone.now() + step))
    size = trail_log.seal_and_sign()

    assert (Verdict.TIME_OUT_OF_BRACKET, size - 1) in verdicts(found())


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1)])
def test_an_entry_of_a_clock_set_by_an_hour_is_out_of_the_bracket_of_time_stamps(
    sealed_log: SealedLog, superuser: Superuser, step: timedelta
) -> None:
    from compliance.trail import timestamping

    _, body = entry_of_leaf(superuser, 500)
    plant(superuser, dated(body, timezone.now() + step))
    size = trail_log.seal_and_sign()
    timestamping.stamp(timezone.now())

    result = sealed_log.inspected(writing.bundle(gathered(everything=True)))

    named = {one.index for one in result.problems
             if one.verdict == findings.Verdict.TIME_OUT_OF_BRACKET}  # fmt: skip
    assert size - 1 in named
    assert result.exit == Exit.FAULTY


# --- What is not sealed yet, and older states


def test_an_unsealed_end_cut_off_leaves_rows_without_their_entries(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    trail_log.vessels(2, "late")
    with trail_log.act("volume read again"):
        Vessel.objects.filter(name="A-50").update(volume_l=7)

    with colluding.silenced(superuser) as silent:
        silent.execute(
            "DELETE FROM audit.entry e WHERE NOT EXISTS "
            "(SELECT FROM audit.leaf l WHERE l.entry_id = e.entry_id)"
        )

    changed = Vessel.objects.filter(name__in=["late-0", "late-1", "A-50"])
    named = {one.record for one in found().faults}
    assert {f"trail_app_vessel {one.pk}" for one in changed} <= named


def test_one_table_restored_from_an_older_copy_is_named_row_by_row(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    rows = superuser.execute("SELECT * FROM trail_app_vessel WHERE name IN ('A-5', 'A-60')")
    assert rows.description
    columns = [one.name for one in rows.description]
    kept = rows.fetchall()
    with trail_log.act("volume read again"):
        Vessel.objects.filter(name__in=["A-5", "A-60"]).update(volume_l=99)
    trail_log.seal_and_sign()

    with colluding.silenced(superuser) as silent:
        for row in kept:
            silent.execute(
                f"UPDATE trail_app_vessel SET ({', '.join(columns)}) = "
                f"ROW({', '.join(['%s'] * len(row))}) WHERE id = %s",
                [*row, row[columns.index("id")]],
            )

    named = {one.record for one in verification.verify().faults}
    assert named == {f"trail_app_vessel {row[columns.index('id')]}" for row in kept}


def test_the_entries_restored_from_an_older_copy_are_missing(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    with colluding.silenced(superuser) as silent:
        silent.execute(
            "DELETE FROM audit.entry WHERE entry_id IN "
            "(SELECT entry_id FROM audit.leaf WHERE idx >= %s)",
            [sealed_log.sizes[1]],
        )

    assert (Verdict.MISSING, sealed_log.sizes[1]) in verdicts(found())


def test_database_and_signer_restored_together_are_known_to_witnesses_and_export(
    sealed_log: SealedLog, settings: Any
) -> None:
    settings.KEYS_DIR = sealed_log.folder / "older" / "keys"
    settings.PUBLISHED_DIR = sealed_log.folder / "older" / "published"
    name = f"{sealed_log.database}_restored"
    databases._drop(name)
    databases._copy(sealed_log.older, name)
    try:
        with databases.pointed_at(name):
            trail_log.vessels(5, "again")
            trail_log.seal_and_sign()

            collected = witnessing.collect(timezone.now())
            compared = exporting.compare()
            with pytest.raises(exporting.RolledBack):
                exporting.export()
    finally:
        databases._drop(name)

    assert collected is not None
    assert {one.outcome for one in collected.alarms} == {Outcome.ROLLED_BACK}
    assert compared is not None
    assert compared["is_rolled_back"]


# --- Checkpoints


def fork(size: int) -> str:
    """Return a checkpoint of another history, signed with the real keys."""
    root = merkle.root_of([b"f" * 32] * size)
    text = Checkpoint(origin=settings.LOG_ORIGIN, size=size, root=root).text()
    signers = [keys.signer_of(one) for one in keys.current()]
    return note.sign(text, signers, at=int(timezone.now().timestamp()))


def test_two_checkpoints_of_one_size_are_a_fork_with_both_as_evidence(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    size = sealed_log.sizes[1]
    other = fork(size)
    (settings.PUBLISHED_DIR / f"{size}.note").write_text(other)

    report, result = found(), sealed_log.inspected(sealed_log.bundle, ("other", other.encode()))

    assert [one for one in report.faults
            if one.verdict == Verdict.FORK and f"published {size}.note" in one.message]  # fmt: skip
    assert findings.Verdict.FORK in {one.verdict for one in result.problems}
    assert result.exit == Exit.FAULTY


def test_the_memory_of_the_signer_removed_lets_nothing_be_signed(sealed_log: SealedLog) -> None:
    (delivery.folder() / "state.json").unlink()
    trail_log.vessels(1, "more")

    with pytest.raises(Exception, match="adopt"):
        trail_log.seal_and_sign()


# --- Personal data


@pytest.fixture
def contact(sealed_log: SealedLog) -> Contact:
    return Contact.objects.get()


def opening_of(superuser: Superuser, contact: Contact) -> tuple[int, int]:
    row = superuser.execute(
        "SELECT p.entry_id, p.idx FROM audit.projection p WHERE record = 'trail_app_contact' "
        "AND record_id = %s AND record_seq = 1",
        [str(contact.pk)],
    ).fetchone()
    assert row
    return row


def delete_opening(superuser: Superuser, entry_id: int, path: str) -> None:
    with colluding.silenced(superuser) as silent:
        silent.execute(
            "DELETE FROM audit.opening WHERE entry_id = %s AND path = %s", [entry_id, path]
        )


def test_an_opening_deleted_without_a_redaction_is_missing(
    sealed_log: SealedLog, superuser: Superuser, contact: Contact
) -> None:
    entry_id, index = opening_of(superuser, contact)
    delete_opening(superuser, entry_id, "trail_app_contact.email")

    report, result = found(), sealed_log.inspected(writing.bundle(gathered()))

    assert verdicts(report) == {(Verdict.MISSING_OPENING, index)}
    assert result.entries[index] == findings.Verdict.MISSING_OPENING
    assert result.exit == Exit.FAULTY


def alone() -> Trust:
    """Trust the keys of the log without witnesses: what one test signs no witness may see."""
    return Trust.read([("keys", "\n".join(one.vkey for one in keys.current()).encode())])


def test_an_opening_erased_by_two_persons_is_redacted_and_nothing_else(
    sealed_log: SealedLog, superuser: Superuser, contact: Contact
) -> None:
    first, second = (
        factories.person(Role.QUALITY_ASSURANCE),
        factories.person(Role.QUALIFIED_PERSON),
    )
    redaction.redact(
        contact, "email", requested_by=first, approved_by=second, at=timezone.now(),
        legal_basis="GDPR art. 17(1)(a): no longer needed", reason="asked for by the person",
    )  # fmt: skip
    trail_log.seal_and_sign()
    _, index = opening_of(superuser, contact)

    report = verification.verify()
    result = offline.verify(container.read(writing.bundle(gathered())), trust=alone())

    assert report.faults == ()
    assert report.redacted == 1
    assert result.entries[index] == findings.Verdict.REDACTED_AUTHORISED
    assert result.exit == Exit.GOOD


BASIS = "GDPR art. 17(1)(a): no longer needed"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({}, "trail_app_vessel.volume_l"),
        ({"persons": ["ada"]}, "trail_app_contact.email"),
        ({"persons": ["ada", "ada"]}, "trail_app_contact.email"),
        ({"legal_basis": ""}, "trail_app_contact.email"),
        ({"index": 1 << 40}, "trail_app_contact.email"),
    ],
)
def test_a_redaction_that_the_log_does_not_allow_is_named(
    sealed_log: SealedLog,
    superuser: Superuser,
    contact: Contact,
    changed: dict[str, Any],
    path: str,
) -> None:
    entry_id, index = opening_of(superuser, contact)
    delete_opening(superuser, entry_id, path)
    document = {"index": index, "legal_basis": BASIS, "path": path, "persons": ["ada", "bo"],
                "v": 1, **changed}  # fmt: skip
    log_events.record(
        "redaction", document, actor=System("test"), at=timezone.now(), reason="asked for by nobody"
    )
    size = trail_log.seal_and_sign()

    report, result = found(), sealed_log.inspected(writing.bundle(gathered(everything=True)))

    assert size - 1 in {index for _, index in verdicts(report)}
    assert result.entries[size - 1] in {findings.Verdict.TAMPERED, findings.Verdict.NONCANONICAL}
    assert result.exit == Exit.FAULTY
