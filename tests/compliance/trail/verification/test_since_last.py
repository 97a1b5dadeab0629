"""A verification since the last one begins where the log was intact, and says so."""

from typing import Any

import psycopg
import pytest

from compliance.trail import verification
from compliance.trail.findings import Verdict
from compliance.trail.verifying import work
from tests import trail_log
from tests.attacks.test_trail_as_superuser import entry_of_leaf, rewrite, unguarded
from tests.trail_app.models import Vessel

Superuser = psycopg.Connection[Any]


@pytest.fixture
def verified(fresh_log: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> int:
    """Return the size of a log that was verified whole, and has grown since."""
    monkeypatch.setattr(work, "RANGE", 256)
    monkeypatch.setattr(work, "CHUNK", 64)
    settings.VAR_DIR = tmp_path
    trail_log.vessels(600, "A")
    size = trail_log.seal_and_sign()
    assert verification.verify().faults == ()
    with trail_log.act("volume read again"):
        Vessel.objects.filter(name__endswith="7").update(volume_l=7)
        Vessel.objects.filter(name__in=["A-3", "A-4"]).delete()
    trail_log.vessels(300, "B")
    trail_log.seal_and_sign()
    with trail_log.act("volume read again"):
        Vessel.objects.filter(name="A-8").update(volume_l=8)
    return size


def test_what_came_since_is_verified_with_the_records_that_it_touches(verified: int) -> None:
    report = verification.verify(since_last=True)

    assert report.faults == ()
    assert any("only leaves from 512 on" in note for note in report.notes)
    assert report.rows < Vessel.objects.count()
    again = verification.verify(since_last=True)
    assert any("only leaves from 768 on" in note for note in again.notes)


def test_the_first_one_verifies_everything(verified: int, tmp_path: Any) -> None:
    (tmp_path / "verify" / "last").unlink()

    report = verification.verify(since_last=True)

    assert report.notes == () and report.rows > Vessel.objects.count()


def test_a_touched_row_changed_without_an_entry_is_named(
    verified: int, as_superuser: Superuser
) -> None:
    with unguarded(as_superuser, "trail_app_vessel"):
        as_superuser.execute("UPDATE trail_app_vessel SET volume_l = 9 WHERE name = 'A-17'")

    (fault,) = verification.verify(since_last=True).faults
    assert "volume_l is" in fault.message


def test_a_new_entry_altered_is_named(verified: int, as_superuser: Superuser) -> None:
    entry_id, body = entry_of_leaf(as_superuser, verified + 5)
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s WHERE entry_id = %s", [body[:-1] + b"|", entry_id]
        )

    report = verification.verify(since_last=True)

    assert [(one.verdict, one.index) for one in report.faults] == [(Verdict.TAMPERED, verified + 5)]


def altered(as_superuser: Superuser, name: str) -> int:
    """Alter the first entry of a vessel; return its leaf."""
    index = trail_log.leaf_of(name)
    entry_id, body = entry_of_leaf(as_superuser, index)
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s WHERE entry_id = %s", [body[:-1] + b"|", entry_id]
        )
    return index


def test_an_older_entry_altered_is_found_by_the_full_run_only(
    verified: int, as_superuser: Superuser
) -> None:
    altered(as_superuser, "A-50")

    assert verification.verify(since_last=True).is_intact
    assert verification.verify().counts == {Verdict.TAMPERED: 1}


def test_a_predecessor_altered_is_named_once(verified: int, as_superuser: Superuser) -> None:
    index = altered(as_superuser, "A-17")

    (fault,) = verification.verify(since_last=True).faults
    assert (fault.verdict, fault.index) == (Verdict.TAMPERED, index)


def test_a_predecessor_that_is_gone_is_named(verified: int, as_superuser: Superuser) -> None:
    pk = str(Vessel.objects.get(name="A-17").pk)
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "DELETE FROM audit.entry WHERE entry_id = (SELECT entry_id FROM audit.projection "
            "WHERE record = 'trail_app_vessel' AND record_id = %s AND record_seq = 1)",
            [pk],
        )

    (fault,) = verification.verify(since_last=True).faults
    assert fault.verdict == Verdict.MISSING and fault.record == f"trail_app_vessel {pk}"


def test_a_history_rewritten_since_is_a_fork(verified: int, as_superuser: Superuser) -> None:
    rewrite(as_superuser, from_index=600)

    assert verification.verify(since_last=True).counts[Verdict.FORK]
