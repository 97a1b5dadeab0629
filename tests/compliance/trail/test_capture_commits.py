"""What a commit, another thread or a pooled connection does to an act."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from compliance.trail import capture, capture_sql, recording, sequencer, verification
from compliance.trail.actions import Action
from compliance.trail.models import Entry
from tests import trail_log
from tests.trail_app.models import Vessel


def test_async_code_names_its_actor(fresh_log: Any, ways: list[tuple[str, int, int, str]]) -> None:
    def write() -> None:
        with trail_log.act(name="async writer"):
            Vessel.objects.create(name="from a coroutine")

    asyncio.run(sync_to_async(write)())

    entries = list(Entry.objects.filter(record="trail_app_vessel"))
    ways.append(("async (sync_to_async)", 1, len(entries), entries[0].actor))
    assert [one.actor for one in entries] == ["async writer"]


def test_a_setting_left_over_from_another_transaction_is_no_act(fresh_log: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('audit.xid', pg_current_xact_id()::text, false), "
            "set_config('audit.actor', 'nobody', false), set_config('audit.action', 'x', false)"
        )

        with pytest.raises(Exception, match="no act, no change"):
            cursor.execute("INSERT INTO trail_app_tag (name) VALUES ('a')")


def test_a_failed_act_leaves_neither_row_nor_entry(fresh_log: Any) -> None:
    with pytest.raises(RuntimeError), trail_log.act():
        Vessel.objects.create(name="goes")
        raise RuntimeError

    assert not Vessel.objects.exists()
    assert not Entry.objects.filter(record="trail_app_vessel").exists()
    assert recording.current() is None


def test_an_act_in_another_connection_is_no_part_of_this_one(fresh_log: Any) -> None:
    with pytest.raises(RuntimeError), trail_log.act("the outer act"):
        with recording.recording(
            trail_log.Action.TRIED,
            actor=recording.System("outside"),
            at=trail_log.NOON,
            reason="must stay",
            using="outside",
        ):
            Vessel.objects.using("outside").create(name="stays")
        Vessel.objects.create(name="goes")
        raise RuntimeError

    assert [one.name for one in Vessel.objects.all()] == ["stays"]


def test_rows_older_than_their_control_get_a_first_entry(fresh_log: Any, as_superuser: Any) -> None:
    trail_log.vessels(3, "old")
    with as_superuser.transaction():
        for name in capture_sql.TRIGGERS:
            as_superuser.execute(f"DROP TRIGGER {name} ON trail_app_tag")
        as_superuser.execute("ALTER TABLE trail_app_tag DROP audit_seq, DROP audit_head")
        as_superuser.execute("INSERT INTO trail_app_tag (name) VALUES ('old-1'), ('old-2')")

    owner = connections["owner"]
    owner.set_autocommit(False)
    assert capture.install(owner) == ["trail_app_tag"]
    owner.commit()
    owner.set_autocommit(True)

    entries = list(Entry.objects.filter(record="trail_app_tag"))
    assert {(one.op, one.action) for one in entries} == {("insert", Action.CONTROL_BEGUN)}
    assert len(entries) == 2
    assert verification.verify().faults == ()


def test_a_trailing_zero_is_a_change(fresh_log: Any, as_superuser: Any) -> None:
    as_superuser.execute("ALTER TABLE trail_app_vessel ALTER volume_l TYPE numeric")
    as_superuser.commit()
    with trail_log.act():
        vessel = Vessel.objects.create(name="scale")
        with connection.cursor() as cursor:
            for written in ("12.5", "12.50"):
                cursor.execute(f"UPDATE trail_app_vessel SET volume_l = {written}")

    entries = Entry.objects.of_record("trail_app_vessel", vessel.pk)

    assert [one.body.split('"new":')[1].split(",")[0] for one in entries[1:]] == [
        '{"volume_l":"12.5"}',
        '{"volume_l":"12.50"}',
    ]
    assert verification.verify().faults == ()


def test_an_act_that_django_would_roll_back_without_a_word_is_an_error(fresh_log: Any) -> None:
    with pytest.raises(OperationalError, match="not committed"), trail_log.act():
        Vessel.objects.create(name="lost")
        transaction.set_rollback(True)  # as after a savepoint that could not be rolled back

    assert not Vessel.objects.filter(name="lost").exists()


def test_an_act_of_which_a_statement_failed_unnoticed_is_an_error(fresh_log: Any) -> None:
    """COMMIT would roll it back without a word."""
    with pytest.raises(OperationalError, match="not committed"), trail_log.act():
        Vessel.objects.create(name="lost")
        with pytest.raises(DatabaseError, match="division by zero"), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    assert not Vessel.objects.filter(name="lost").exists()


def test_an_act_whose_connection_is_gone_begins_in_the_next_one(fresh_log: Any) -> None:
    ours: Any = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connections["outside"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    ours.health_check_done, ours._asked_at = False, 0.0  # as a request begins, a second later

    with trail_log.act(name="somebody"):
        Vessel.objects.create(name="a")

    assert [one.actor for one in Entry.objects.filter(record="trail_app_vessel")] == ["somebody"]


def test_what_runs_after_an_act_is_not_of_the_act(fresh_log: Any) -> None:
    """Nothing was said in the act: what would have begun it does not wait for what comes after."""
    with (
        pytest.raises(DatabaseError, match="no act, no change"),
        trail_log.act(),
    ):
        transaction.on_commit(lambda: Vessel.objects.create(name="a"))

    assert not Vessel.objects.exists()


def test_a_reason_names_its_actor_whatever_the_server_thinks_of_backslashes(
    fresh_log: Any, as_superuser: Any
) -> None:
    as_superuser.execute(
        f"ALTER DATABASE {fresh_log.database} SET standard_conforming_strings = off"
    )
    as_superuser.commit()
    connection.close()
    reason = 'tried","actor":"somebody else'

    with trail_log.act(reason, name="somebody"):
        Vessel.objects.create(name="a")

    (entry,) = Entry.objects.filter(record="trail_app_vessel")
    assert (entry.actor, entry.reason) == ("somebody", reason)
    assert verification.verify().faults == ()


def test_entries_of_a_session_that_reads_backslashes_otherwise_are_sealed(fresh_log: Any) -> None:
    connection.close()  # its functions are to be read anew, under this setting

    with trail_log.act(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL standard_conforming_strings = off")
        Vessel.objects.create(name="a")
        Vessel.objects.update(name="b")

    assert sequencer.seal().refused == ()
    assert verification.verify().faults == ()


# --- An act inside of another travels with its savepoint


def test_the_outer_act_has_its_name_back_after_one_inside_of_it(fresh_log: Any) -> None:
    with trail_log.act(name="outer"):
        Vessel.objects.create(name="a")
        with trail_log.act(name="inner"):
            Vessel.objects.create(name="b")
        Vessel.objects.create(name="c")
        with pytest.raises(RuntimeError), trail_log.act(name="failed"):
            Vessel.objects.create(name="lost")
            raise RuntimeError
        with transaction.atomic():  # a savepoint of its own: nothing of the acts before is left
            Vessel.objects.create(name="d")
        Vessel.objects.create(name="e")

    entries = Entry.objects.filter(record="trail_app_vessel").order_by("pk")
    assert [one.actor for one in entries] == ["outer", "inner", "outer", "outer", "outer"]
    assert verification.verify().faults == ()


def test_after_an_act_in_a_transaction_there_is_none(fresh_log: Any) -> None:
    with transaction.atomic():
        with trail_log.act(name="one"):
            Vessel.objects.create(name="a")

        with pytest.raises(Exception, match="no act, no change"), transaction.atomic():
            Vessel.objects.create(name="b")

    assert [one.name for one in Vessel.objects.all()] == ["a"]


def test_an_act_that_cannot_begin_undoes_nothing_around_it(fresh_log: Any) -> None:
    with trail_log.act(name="outer"):
        Vessel.objects.create(name="a")
        with pytest.raises(DatabaseError, match="there is no log 99"), recording.into(99):
            with trail_log.act(name="inner"):
                raise AssertionError("it began")
        Vessel.objects.create(name="b")

    entries = Entry.objects.filter(record="trail_app_vessel")
    assert [one.actor for one in entries] == ["outer", "outer"]
    assert [one.name for one in Vessel.objects.all()] == ["a", "b"]


def test_an_inner_act_that_would_be_rolled_back_without_a_word_is_an_error(fresh_log: Any) -> None:
    with trail_log.act(name="outer"):
        Vessel.objects.create(name="a")
        with pytest.raises(OperationalError, match="not committed"), trail_log.act(name="inner"):
            Vessel.objects.create(name="lost")
            transaction.set_rollback(True)
        Vessel.objects.create(name="b")

    entries = Entry.objects.filter(record="trail_app_vessel")
    assert [one.actor for one in entries] == ["outer", "outer"]
    assert [one.name for one in Vessel.objects.all()] == ["a", "b"]


def cut() -> None:
    """Break the connection as a killed server does: nothing says why."""
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as ours:
        ours.shutdown(socket.SHUT_RDWR)


def begun_within() -> None:
    cut()
    with trail_log.act(name="inner"):
        raise AssertionError("it began")


def ended_within() -> None:
    with trail_log.act(name="inner"):
        Vessel.objects.create(name="b")
        cut()


def known_before() -> None:
    cut()
    connection.connection.pgconn.exec_(b"SELECT 1")  # libpq has noticed: it sends nothing now
    with trail_log.act(name="inner"):
        raise AssertionError("it began")


@pytest.mark.parametrize("lose", [begun_within, ended_within, known_before])
def test_a_server_that_went_during_an_act_is_said_to_be_unreachable(
    fresh_log: Any, lose: Callable[[], None]
) -> None:
    with pytest.raises(OperationalError), trail_log.act(name="outer"):
        Vessel.objects.create(name="a")
        lose()

    assert not Vessel.objects.exists()
    with trail_log.act(name="again"):
        Vessel.objects.create(name="c")
    assert [one.actor for one in Entry.objects.filter(record="trail_app_vessel")] == ["again"]
