"""Whatever way a row is changed, one entry is written in the same transaction, with its actor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.models import F

from compliance.trail.models import Entry
from tests import trail_log
from tests.trail_app.models import Kept, Stamp, Tag, Vessel

pytestmark = pytest.mark.django_db
Way = tuple[Callable[[], object], int]


def _three() -> list[Vessel]:
    return list(Vessel.objects.order_by("pk")[:3])


def _create() -> None:
    Vessel.objects.create(name="new")


def _save() -> None:
    vessel = _three()[0]
    vessel.name = "renamed"
    vessel.save()


def _save_one_field() -> None:
    vessel = _three()[0]
    vessel.volume_l = 7
    vessel.save(update_fields=["volume_l"])


def _save_without_change() -> None:
    _three()[0].save()


def _update() -> None:
    Vessel.objects.update(volume_l=F("volume_l") + 1)


def _update_nothing() -> None:
    Vessel.objects.filter(name="nobody").update(volume_l=1)


def _update_same_values() -> None:
    Vessel.objects.update(volume_l=F("volume_l"))


def _bulk_create() -> None:
    Vessel.objects.bulk_create(Vessel(name=f"bulk-{n}") for n in range(25))


def _bulk_update() -> None:
    vessels = _three()
    for vessel in vessels:
        vessel.volume_l = 3
    Vessel.objects.bulk_update(vessels, ["volume_l"])


def _get_or_create() -> None:
    Vessel.objects.get_or_create(name="A-0")
    Vessel.objects.get_or_create(name="fresh")


def _update_or_create() -> None:
    Vessel.objects.update_or_create(name="A-0", defaults={"volume_l": 9})


def _delete() -> None:
    _three()[0].delete()


def _delete_many() -> None:
    Vessel.objects.filter(pk__in=[one.pk for one in _three()]).delete()


def _sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def _copy() -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY trail_app_tag (name) FROM STDIN") as copy:
            for n in range(4):
                copy.write_row((f"copied-{n}",))


def _m2m(change: str) -> Callable[[], None]:
    def run() -> None:
        vessel, tags = _three()[0], list(Tag.objects.order_by("pk"))
        match change:
            case "add":
                vessel.tags.add(*tags[:3])
            case "remove":
                vessel.tags.remove(tags[0])
            case "clear":
                vessel.tags.clear()
            case "set":
                vessel.tags.set([tags[1], tags[2]])

    return run


def _on_conflict_nothing() -> None:
    Vessel.objects.bulk_create([Vessel(name="A-0"), Vessel(name="other")], ignore_conflicts=True)


def _on_conflict_update() -> None:
    Vessel.objects.bulk_create(
        [Vessel(name="A-0", volume_l=5), Vessel(name="other")],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["volume_l"],
    )


def _savepoint_rolled_back() -> None:
    Vessel.objects.create(name="stays")
    with pytest.raises(RuntimeError), transaction.atomic():
        Vessel.objects.create(name="goes")
        raise RuntimeError


def _nested_act() -> None:
    Vessel.objects.create(name="outer")
    with trail_log.act("the inner act", name="inner"):
        Vessel.objects.create(name="inner")


def _ignored_column() -> None:
    Vessel.objects.update(seen=F("seen") + 1)


_INSERT = (
    "INSERT INTO trail_app_vessel (name, volume_l, seen, secret) "
    "VALUES ('sql-1', 1, 0, ''), ('sql-2', 2, 0, '')"
)
_MERGE = (
    "MERGE INTO trail_app_vessel t USING (VALUES ('A-0'), ('merged')) v(name) ON t.name = v.name "
    "WHEN MATCHED THEN UPDATE SET volume_l = 8 "
    "WHEN NOT MATCHED THEN INSERT (name, volume_l, seen, secret) VALUES (v.name, 1, 0, '')"
)
_CTE = (
    "WITH gone AS (DELETE FROM trail_app_vessel WHERE name = 'A-1' RETURNING name) "
    "UPDATE trail_app_vessel SET volume_l = 6 WHERE name IN ('A-0', 'A-2')"
)
WAYS: dict[str, Way] = {
    "create": (_create, 1),
    "save": (_save, 1),
    "save(update_fields)": (_save_one_field, 1),
    "save without a change": (_save_without_change, 0),
    "QuerySet.update": (_update, 5),
    "QuerySet.update of 0 rows": (_update_nothing, 0),
    "QuerySet.update to the same values": (_update_same_values, 0),
    "bulk_create": (_bulk_create, 25),
    "bulk_update": (_bulk_update, 3),
    "get_or_create": (_get_or_create, 1),
    "update_or_create": (_update_or_create, 1),
    "delete": (_delete, 2),  # with its link to a tag
    "QuerySet.delete": (_delete_many, 4),
    "SQL INSERT": (_sql(_INSERT), 2),
    "SQL UPDATE": (_sql("UPDATE trail_app_vessel SET volume_l = 4 WHERE name < 'A-3'"), 3),
    "SQL DELETE": (_sql("DELETE FROM trail_app_vessel WHERE name > 'A-2'"), 2),
    "SQL MERGE": (_sql(_MERGE), 2),
    "SQL WITH ... DELETE ... UPDATE": (_sql(_CTE), 3),
    "SQL COPY": (_copy, 4),
    "many-to-many add": (_m2m("add"), 2),
    "many-to-many remove": (_m2m("remove"), 1),
    "many-to-many clear": (_m2m("clear"), 1),
    "many-to-many set": (_m2m("set"), 3),
    "ON CONFLICT DO NOTHING": (_on_conflict_nothing, 1),
    "ON CONFLICT DO UPDATE": (_on_conflict_update, 2),
    "savepoint rolled back": (_savepoint_rolled_back, 1),
    "act within an act": (_nested_act, 2),
    "column outside of the record": (_ignored_column, 0),
}


@pytest.fixture
def five_vessels() -> None:
    with trail_log.act(name="before"):
        tags = [Tag.objects.create(name=f"tag-{n}") for n in range(3)]
        for n in range(5):
            Vessel.objects.create(name=f"A-{n}", volume_l=n)
        _three()[0].tags.add(tags[0])


@contextmanager
def new_entries() -> Iterator[list[Entry]]:
    last = Entry.objects.order_by("-entry_id").values_list("entry_id", flat=True).first() or 0
    found: list[Entry] = []
    yield found
    found += Entry.objects.filter(entry_id__gt=last).order_by("entry_id")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("five_vessels")
@pytest.mark.requirement("P11-e1")
def test_entries_written_are_rows_changed(way: str, ways: list[tuple[str, int, int, str]]) -> None:
    change, expected = WAYS[way]

    with new_entries() as entries, trail_log.act("tried this way", name="writer"):
        change()

    ways.append((way, expected, len(entries), ", ".join({one.actor for one in entries})))
    assert len(entries) == expected
    assert {one.actor for one in entries} <= {"writer", "inner"}
    assert len({one.act for one in entries}) == (2 if way == "act within an act" else bool(entries))


@pytest.mark.usefixtures("five_vessels")
@pytest.mark.parametrize(
    "way", [name for name, (_, expected) in WAYS.items() if expected and "act within" not in name]
)
def test_without_an_act_nothing_changes(way: str) -> None:
    change, _ = WAYS[way]

    with new_entries() as entries, pytest.raises(Exception, match="no act, no change"):
        with transaction.atomic():
            change()

    assert entries == []


@pytest.mark.usefixtures("five_vessels")
def test_an_act_that_is_over_is_none() -> None:
    with pytest.raises(Exception, match="no act, no change"), transaction.atomic():
        with trail_log.act():
            _create()
        _save()


@pytest.mark.usefixtures("five_vessels")
def test_after_an_act_failed_within_another_the_outer_one_goes_on() -> None:
    with new_entries() as entries, trail_log.act(name="outer"):
        with pytest.raises(RuntimeError), trail_log.act(name="inner"):
            Vessel.objects.create(name="goes")
            raise RuntimeError
        Vessel.objects.create(name="stays")

    assert [one.actor for one in entries] == ["outer"]


@pytest.mark.usefixtures("five_vessels")
@pytest.mark.parametrize("way", ["save", "QuerySet.update", "delete", "SQL UPDATE", "SQL DELETE"])
@pytest.mark.requirement("A11-9")
def test_a_change_without_a_reason_is_refused_by_the_database(way: str) -> None:
    change, _ = WAYS[way]

    with pytest.raises(Exception, match="needs a reason"), trail_log.act(""):
        change()


@pytest.mark.usefixtures("five_vessels")
@pytest.mark.requirement("P11-e1", "P11-e2", "A11-9")
def test_the_reason_is_recorded_with_old_and_new_values() -> None:
    with new_entries() as (entries), trail_log.act("weighed again"):
        Vessel.objects.filter(name="A-1").update(volume_l="2.50", secret="x")

    (entry,) = entries
    assert entry.reason == "weighed again"
    assert '"old":{"secret":"sha256:' in entry.body
    assert '"volume_l":"1.000000"}' in entry.body
    assert '"volume_l":"2.500000"}' in entry.body
    assert '"x"' not in entry.body


@pytest.mark.parametrize(
    ("model", "statement", "refused"),
    [
        (Stamp, "UPDATE trail_app_stamp SET text = 'b'", "nothing regulated is altered"),
        (Stamp, "DELETE FROM trail_app_stamp", "nothing regulated is deleted"),
        (Kept, "DELETE FROM trail_app_kept", "nothing regulated is deleted"),
    ],
)
@pytest.mark.requirement("P11-c1")
def test_what_must_stay_stays(
    model: type[Stamp] | type[Kept], statement: str, refused: str
) -> None:
    with trail_log.act():
        model.objects.create(text="a")

    with pytest.raises(Exception, match=refused), trail_log.act(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_identity_of_a_record_never_changes() -> None:
    with trail_log.act():
        Kept.objects.create(text="a")

    with pytest.raises(Exception, match="identity"), trail_log.act():
        Kept.objects.update(id=F("id") + 1000)


@pytest.mark.usefixtures("five_vessels")
def test_the_rows_own_marks_cannot_be_set() -> None:
    with trail_log.act(), connection.cursor() as cursor:
        cursor.execute("UPDATE trail_app_vessel SET audit_seq = 77, audit_head = '', volume_l = 5")
        cursor.execute("UPDATE trail_app_vessel SET audit_seq = 78")
        cursor.execute(
            "SELECT max(audit_seq), bool_and(length(audit_head) = 32) FROM trail_app_vessel"
        )

        assert cursor.fetchone() == (2, True)
