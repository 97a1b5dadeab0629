"""Detaching: archived entries leave the database, and only those, and only by two persons."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from compliance.trail import (
    archiving,
    bundles,
    detaching,
    enforcement,
    keys,
    log_events,
    log_source,
    seals,
    sequencer,
    stored,
    verification,
)
from compliance.trail.detaching import NotDetachable, Person
from compliance.trail.findings import Verdict
from compliance.trail.models import LogEvent
from compliance.trail.tlog import leaf, merkle
from compliance.trail.verifier import container, writing
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.trust import Trust
from compliance.trail.verifier.verification import verify as verifying_bundle
from compliance.trail.verifying import work
from tests import trail_log
from tests.attacks.test_inventions_in_the_database import changed_behind_the_capture, quietly
from tests.compliance.trail.life.conftest import (
    ACTOR,
    LATER,
    SPAN,
    TEN_YEARS,
    TWO,
    Archives,
    settle,
)
from tests.trail_app.models import Vessel


def detach(archives: Archives, partition: int = 0, **changed: Any) -> int:
    given: dict[str, Any] = {
        "folder": archives.folder,
        "retention": TEN_YEARS,
        "persons": TWO,
        "actor": ACTOR,
        "at": LATER,
    }
    return detaching.detach(partition, **given | changed)


def entries() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.entry")
        return int(cursor.fetchone()[0])


def test_a_detached_entry_is_proved_by_its_archive_and_the_leaves_that_stay(
    archives: Archives, next_partition: None
) -> None:
    before = entries()

    gone = detach(archives)

    assert gone == 2 * SPAN
    assert entries() > before - gone  # the event, and the DDL
    assert 0 not in detaching.partitions()
    trail_log.seal_and_sign()
    with connections["default"].cursor() as cursor:
        state, reader = stored.state(cursor), stored.reader(cursor)
        for index in range(0, 2 * SPAN, 37):
            found = archiving.read_body(index)
            cursor.execute("SELECT leaf_hash, previous FROM audit.leaf WHERE idx = %s", [index])
            leaf_hash, previous = (bytes(one) for one in cursor.fetchone())
            sealed = leaf.Leaf(
                origin=state.origin,
                index=index,
                digest=leaf.entry_digest(found),
                previous=previous,
            )
            assert sealed.hash == leaf_hash
            proof = merkle.inclusion_proof(index, state.size, reader)
            merkle.verify_inclusion(leaf_hash, index, state.size, proof, state.root)
        assert enforcement.problems(cursor) == []
    assert list(archiving.check_all(archives.folder)) == []


def test_the_log_goes_on_after_detaching(archives: Archives, next_partition: None) -> None:
    detach(archives)

    trail_log.vessels(10, "after")

    assert sequencer.seal().count > 10  # with what the log says about the detaching
    trail_log.seal_and_sign()


@pytest.mark.requirement("P11-c1")
def test_a_legal_hold_keeps_everything_until_it_is_released(
    archives: Archives, next_partition: None
) -> None:
    at = timezone.now()
    detaching.hold("case 7/2026", actor=ACTOR, at=at, reason="court order of 3 March")
    with pytest.raises(NotDetachable, match="case 7/2026"):
        detach(archives)
    assert 0 in detaching.partitions()

    detaching.release("case 7/2026", actor=ACTOR, at=at, reason="case was closed")

    assert detach(archives) == 2 * SPAN


def test_a_release_ends_the_hold_that_it_names_and_no_later_one(fresh_log: Any) -> None:
    at = timezone.now()

    def told(kind: str, **more: Any) -> int:
        document = {"v": 1, "hold": "case 7", **more}
        reason = "court order of 3 March"
        return log_events.record(kind, document, actor=ACTOR, at=at, reason=reason).pk

    told("release-hold")  # in advance, as an earlier version wrote it
    first = told("hold")
    assert detaching.held() == ["case 7"]
    told("release-hold", event=first + 100)
    told("release-hold", hold="case 8", event=first)
    assert detaching.held() == ["case 7"]
    told("release-hold")  # which an earlier version wrote
    assert detaching.held() == []

    second, third = told("hold"), told("hold")
    for expected in (["case 7"], []):
        detaching.release("case 7", actor=ACTOR, at=at, reason="case was closed")
        assert detaching.held() == expected
    with pytest.raises(NotDetachable, match="case 7"):
        detaching.release("case 7", actor=ACTOR, at=at, reason="case was closed")
    released = [one.get("event") for one in log_events.documents("release-hold")]
    assert released[-2:] == [third, second]


@pytest.mark.requirement("P11-e3")
def test_young_entries_stay(archives: Archives, next_partition: None) -> None:
    with pytest.raises(NotDetachable, match="too young"):
        detach(archives, at=timezone.now(), retention=timedelta(days=1))


def test_a_partition_with_an_entry_that_is_not_archived_stays(
    archives: Archives, next_partition: None
) -> None:
    with pytest.raises(NotDetachable, match="can still be written"):
        detach(archives, partition=1)


def test_entries_whose_archive_is_damaged_or_gone_stay(
    archives: Archives, next_partition: None
) -> None:
    path = archives.folder / archives.spans[0].file
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(NotDetachable, match="not there"):
        detach(archives)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(NotDetachable, match="TAMPERED"):
        detach(archives)
    assert 0 in detaching.partitions()


@pytest.mark.parametrize(
    "persons",
    [
        TWO[:1],
        (TWO[0], Person("ada  quality", "the archive was read back")),
        (TWO[0], Person(" ", "the archive was read back")),
        (Person("Rita Groß", TWO[0].reason), Person("RITA GROSS", TWO[1].reason)),
        (*TWO, Person("Cy", "the archive was read back")),
    ],
)
def test_two_different_persons_are_needed(
    archives: Archives, next_partition: None, persons: tuple[Person, ...]
) -> None:
    with pytest.raises(NotDetachable, match="two different persons"):
        detach(archives, persons=persons)


def test_the_database_itself_demands_the_event_of_two_persons(
    archives: Archives, next_partition: None
) -> None:
    with pytest.raises(DatabaseError, match="two persons"), transaction.atomic(using="owner"):
        connections["owner"].cursor().execute("SELECT audit.detach(0, now())")


def test_an_earlier_event_does_not_allow_a_second_detachment(
    archives: Archives, next_partition: None
) -> None:
    with pytest.raises(NotDetachable):
        detach(archives, at=timezone.now())

    assert not LogEvent.objects.filter(kind="detach").exists()  # rolled back with the refusal
    with pytest.raises(DatabaseError, match="two persons"), transaction.atomic(using="owner"):
        connections["owner"].cursor().execute("SELECT audit.detach(0, now())")


@pytest.mark.parametrize("alias", ["default", "sequencer", "signer"])
def test_no_other_role_may_detach(archives: Archives, alias: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(using=alias):
        connections[alias].cursor().execute("SELECT audit.detach(0, now())")


def test_the_owner_cannot_drop_a_partition_past_the_function(archives: Archives) -> None:
    with (
        pytest.raises(DatabaseError, match="must be owner"),
        transaction.atomic(using="owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute("DROP TABLE audit.entry_p0")


def test_evidence_of_detached_entries_comes_from_their_archives(
    archives: Archives, next_partition: None, tmp_path: Path
) -> None:
    vessel = Vessel.objects.order_by("pk")[0]
    detach(archives)
    settle()
    seals.seal(timezone.now())
    trail_log.seal_and_sign()
    subject = Subject(
        kind=Kind.RECORD, title="Detached", records=(("trail_app_vessel", str(vessel.pk)),)
    )

    with log_source.opened() as source:
        data = writing.bundle(bundles.gather(source, subject, created_at=timezone.now()))

    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    trust = Trust.read([("keys", "\n".join(one.vkey for one in keys.current()).encode())])
    result = verifying_bundle(container.open_path(path), trust=trust)
    assert result.exit == 0, result.problems


# --- Verified after they left


def test_detached_entries_are_verified_from_their_archives(
    archives: Archives, next_partition: None
) -> None:
    detach(archives)
    trail_log.seal_and_sign()

    report = verification.verify()

    assert report.faults == ()
    assert report.notes == (f"{2 * SPAN} entries were read from archive files",)


@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        (lambda path: path.unlink(), Verdict.MISSING),
        (lambda path: path.write_bytes(b""), Verdict.MISSING),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"A-200", b"A-2OO")),
         Verdict.TAMPERED),
    ],
)  # fmt: skip
def test_detached_entries_whose_archive_is_gone_or_altered_are_named(
    archives: Archives, next_partition: None, harm: Callable[[Path], object], verdict: Verdict
) -> None:
    detach(archives)
    path = archives.folder / archives.spans[0].file
    path.chmod(0o600)
    harm(path)

    report = verification.verify()

    assert report.counts[verdict] == (1 if verdict == Verdict.TAMPERED else SPAN)
    assert set(report.counts) == {verdict}


def test_a_row_changed_after_its_entries_were_detached_is_named(
    archives: Archives, next_partition: None, as_superuser: Any
) -> None:
    detach(archives)
    changed_behind_the_capture(
        as_superuser,
        "UPDATE trail_app_vessel SET volume_l = 99 WHERE name = 'A-200'",
        "trail_app_vessel",
    )

    assert verification.verify().counts == {Verdict.TAMPERED: 1}


def test_a_record_whose_earlier_entries_were_detached_is_followed_from_there(
    archives: Archives, next_partition: None, monkeypatch: pytest.MonkeyPatch, settings: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(work, "RANGE", 256)
    settings.VAR_DIR = tmp_path
    assert verification.verify().is_intact
    detach(archives)
    with trail_log.act("volume read again"):
        vessel = Vessel.objects.get(name="A-200")
        vessel.volume_l = 12
        vessel.save()
    trail_log.seal_and_sign()

    since = verification.verify(since_last=True)

    assert since.faults == ()
    assert any("only leaves from 512 on" in note for note in since.notes)
    assert verification.verify().faults == ()


def test_entries_that_nobody_detached_are_missed_although_they_are_archived(
    archives: Archives, next_partition: None, as_superuser: Any
) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0",
        "DROP TABLE audit.entry_p0",
    )

    assert verification.verify().counts[Verdict.MISSING] == 2 * SPAN
