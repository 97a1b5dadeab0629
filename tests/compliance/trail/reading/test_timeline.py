"""Timelines have every entry once, in order, a page at a time, whatever was sealed or projected."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from compliance.trail import entry_keys, projecting, sequencer, timeline
from compliance.trail.models import Entry
from compliance.trail.timeline import Asked
from tests import trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel

TABLE = "trail_app_vessel"


ALL = Asked()


def everything(asked: Asked = ALL) -> list[int]:
    return [entry.entry_id for entry in timeline.through(asked, limit=7)]


def stored() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM audit.entry ORDER BY entry_id DESC")
        return [entry_id for (entry_id,) in cursor.fetchall()]


def test_pages_have_every_entry_once_newest_first(read_log: FreshLog) -> None:
    assert everything() == stored()


def test_pages_have_every_entry_once_while_some_are_not_sealed_and_some_not_projected(
    read_log: FreshLog,
) -> None:
    trail_log.vessels(9, "sealed")
    while sequencer.seal().count:
        pass
    trail_log.vessels(8, "unsealed")

    found = list(timeline.through(Asked(), limit=5))

    assert [entry.entry_id for entry in found] == stored()
    assert sum(entry.index is None for entry in found) == 8


def test_a_page_leads_to_the_older_one_and_back(read_log: FreshLog) -> None:
    newest = timeline.page(Asked(), limit=10)
    older = timeline.page(Asked(), before=newest.older, limit=10)
    back = timeline.page(Asked(), after=older.newer, limit=10)

    assert newest.newer is None
    assert older.entries[0].entry_id < newest.entries[-1].entry_id
    assert [one.pk for one in back.entries] == [one.pk for one in newest.entries]


@pytest.mark.requirement("P11-e3", "A11-12")
def test_a_record_a_person_an_act_and_a_role_have_their_entries(first: Vessel) -> None:
    of_record = everything(Asked(record=TABLE, record_id=str(first.pk)))
    of_anna = everything(Asked(actor="anna"))
    of_act = everything(Asked(act=Entry.objects.get(pk=of_anna[0]).act))

    assert len(of_record) == 3
    assert len(of_anna) == 10
    assert of_act == of_anna
    assert everything(Asked(actor="anna", op="delete")) == []
    assert everything(Asked(actor="anna", record=TABLE, op="update", role="system")) == of_anna


def test_a_part_of_a_reason_is_found_whatever_the_case_and_means_itself(first: Vessel) -> None:
    assert len(everything(Asked(reason="AGAIN by ann"))) == 10
    assert everything(Asked(reason="again%ann")) == []
    assert everything(Asked(reason="by_ann")) == []


def test_a_period_has_what_lies_in_it_and_nothing_else(read_log: FreshLog) -> None:
    times = sorted(set(Entry.objects.values_list("at", flat=True)))
    start, end = times[len(times) // 3], times[2 * len(times) // 3]

    found = everything(Asked(start=start, end=end))

    wanted = Entry.objects.filter(at__gte=start, at__lt=end).order_by("-entry_id")
    assert found == list(wanted.values_list("pk", flat=True))
    assert found
    assert everything(Asked(start=times[-1] + timedelta(days=1))) == []


def test_a_search_that_finds_little_says_how_far_it_looked_and_goes_on_from_there(
    read_log: FreshLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_keys, "LOOKED_AT", 6)
    asked = Asked(reason="by anna")

    found = timeline.page(asked, limit=20)

    assert found.searched_to is not None
    assert found.older == found.searched_to
    assert len(everything(asked)) == 10


@pytest.mark.parametrize("waiting", ["nothing", "projection", "sealing"])
@pytest.mark.requirement("P11-e3", "211-180")
def test_no_question_reads_through_the_entries(read_log: FreshLog, waiting: str) -> None:
    with trail_log.act():
        Vessel.objects.bulk_create(Vessel(name=f"many {n}") for n in range(3_000))
    if waiting != "sealing":
        while sequencer.seal().count:
            pass
    if waiting == "nothing":
        while projecting.project():
            pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.unprojected")
        assert cursor.fetchone()[0] == (0 if waiting == "nothing" else 3_000)
    questions: list[Any] = [
        Entry.objects.order_by("-entry_id")[:51],
        Entry.objects.of_record(TABLE, "1"),
        Entry.objects.filter(actor="anna").order_by("-entry_id")[:51],
        Entry.objects.filter(pk__in=[1, 2, 3]),
        Entry.objects.filter(act="none"),
        Entry.objects.filter(index=None),
    ]

    plans = [one.explain() for one in questions]

    for plan in plans:
        assert "Seq Scan on entry_p" not in plan, plan
        assert "Seq Scan on leaf" not in plan, plan


@pytest.mark.requirement("P11-e3", "211-180")
def test_what_is_not_projected_is_read_by_index_from_the_last_partitions_of_the_log(
    read_log: FreshLog, as_superuser: psycopg.Connection[Any]
) -> None:
    for _ in range(4):
        as_superuser.execute(
            "SELECT setval('audit.entry_id_seq', last_value + audit.partition_width()) "
            "FROM audit.entry_id_seq"
        )
        as_superuser.execute("SELECT audit.ensure_partitions()")
        as_superuser.commit()
    as_superuser.execute("ANALYZE audit.leaf, audit.entry")
    as_superuser.commit()
    for _ in range(3):  # the mark moves on with every turn
        sequencer.seal()
        projecting.project()
    trail_log.vessels(500, "sealed")
    sequencer.seal()
    trail_log.vessels(300, "not sealed")

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(idx) FROM audit.unprojected")
        assert cursor.fetchone() == (800, 500)
        cursor.execute(
            "SELECT relname FROM pg_locks JOIN pg_class c ON c.oid = relation "
            "WHERE pid = pg_backend_pid() AND relname ~ '^entry_p[0-9]+$' ORDER BY relname"
        )
        assert [name for (name,) in cursor.fetchall()] == ["entry_p4", "entry_p5"]
        cursor.execute(
            "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables "
            "WHERE schemaname = 'audit' AND (relname ~ '^entry_p' OR relname = 'leaf')"
        )
        assert cursor.fetchone() == (0,)

    assert everything() == stored()


def test_activity_counts_the_entries_of_each_part_of_a_period(read_log: FreshLog) -> None:
    now = timezone.now()

    of_period = timeline.activity(Asked(start=now - timedelta(days=2), end=now), now=now)
    of_anna = timeline.activity(Asked(actor="anna"), now=now)

    assert sum(part.count for part in of_period.parts) == len(stored())
    assert sum(part.count for part in of_anna.parts) == 10
    assert not of_anna.is_newest_only
    assert timeline.activity(Asked(actor="nobody"), now=now).parts == ()
