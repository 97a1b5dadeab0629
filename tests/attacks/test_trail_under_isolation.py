"""Whatever isolation writers choose, each committed change has one entry and no history forks."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from compliance.trail import verification
from compliance.trail.models import Entry
from tests import trail_log
from tests.trail_app.models import Kept, Vessel

WRITERS, TURNS = 4, 12
CONFLICTS = {"40001", "40P01"}


def write(pk: int, number: int, committed: list[str], failures: list[BaseException]) -> None:
    """Change the one row again and again; try again when the database demands it."""
    try:
        for turn in range(TURNS):
            text = f"writer {number}, turn {turn}"
            while not _is_written(pk, text):
                pass
            committed.append(text)
    except BaseException as error:
        failures.append(error)
    finally:
        connections.close_all()


def _is_written(pk: int, text: str) -> bool:
    try:
        with trail_log.act():
            kept = Kept.objects.get(pk=pk)
            kept.text = text
            kept.save()
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") not in CONFLICTS:
            raise
        return False
    return True


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_writers_of_one_row_fork_nothing_and_every_retry_is_one_entry(
    fresh_log: Any, as_superuser: Any, isolation: str
) -> None:
    with trail_log.act():
        kept = Kept.objects.create(text="shared")
    as_superuser.execute(
        f"ALTER DATABASE \"{fresh_log.database}\" SET default_transaction_isolation = '{isolation}'"
    )
    as_superuser.commit()
    connection.close()
    committed, failures = list[str](), list[BaseException]()

    threads = [
        threading.Thread(target=write, args=(kept.pk, number, committed, failures))
        for number in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trail_log.seal_and_sign()

    assert failures == []
    entries = list(Entry.objects.of_record("trail_app_kept", kept.pk))
    assert len(committed) == WRITERS * TURNS
    assert [one.record_seq for one in entries] == list(range(1, WRITERS * TURNS + 2))
    assert verification.verify().faults == ()


class Undone(Exception):
    """Rolls a savepoint back."""


def test_what_a_savepoint_undoes_has_no_entry_and_what_stays_has_one(fresh_log: Any) -> None:
    with trail_log.act():
        for number in range(6):
            try:
                with transaction.atomic():
                    Vessel.objects.create(name=f"V-{number}")
                    if number % 2:
                        raise Undone
            except Undone:
                continue
        kept = Vessel.objects.get(name="V-0")
        try:
            with transaction.atomic():
                Vessel.objects.filter(pk=kept.pk).update(volume_l=3)
                raise Undone
        except Undone:
            Vessel.objects.filter(pk=kept.pk).update(volume_l=4)
    trail_log.seal_and_sign()

    entries = Entry.objects.filter(record="trail_app_vessel")
    assert Vessel.objects.count() == 3
    assert entries.count() == 4
    assert [one.record_seq for one in entries.filter(record_id=str(kept.pk))] == [1, 2]
    assert verification.verify().faults == ()
