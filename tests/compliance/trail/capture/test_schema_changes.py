"""A controlled table changes its columns and its name; what was recorded stays readable and proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from compliance.access.record_admin import history
from compliance.trail import (
    capture,
    enforcement,
    redaction,
    stored,
    verification,
    versions,
)
from compliance.trail.capture import TableRenamed
from compliance.trail.models import Entry, LogEvent
from compliance.trail.versions import At
from tests import trail_log
from tests.compliance.trail.capture.test_redaction import People
from tests.trail_app.models import Contact, Vessel

TABLE = "trail_app_vessel"


def migrate(change: Callable[[BaseDatabaseSchemaEditor], None]) -> list[str]:
    """Change the schema as a migration does, then bring the capture up to date as `migrate` does."""
    owner = connections["owner"]
    with owner.schema_editor() as editor:
        change(editor)
    with transaction.atomic(using="owner"):
        return capture.install(owner)


def field(name: str, made: models.Field[Any, Any]) -> models.Field[Any, Any]:
    made.set_attributes_from_name(name)
    made.model = Vessel
    return made


def sql(statement: str, *values: object) -> None:
    with trail_log.act("changed after the migration"), connection.cursor() as cursor:
        cursor.execute(statement, values)


def entries(record: str = TABLE) -> list[Entry]:
    return list(Entry.objects.filter(record=record).order_by("entry_id"))


def state(record_id: int) -> dict[str, Any]:
    return versions.as_of(TABLE, str(record_id), At()).values


def assert_proven() -> None:
    """Every entry, record and row verifies, whatever the columns are called by now."""
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()
    with connection.cursor() as cursor:
        assert stored.state(cursor).size == Entry.objects.count()


@pytest.fixture
def vessel(fresh_log: Any) -> Vessel:
    with trail_log.act():
        made = Vessel.objects.create(name="A", volume_l=Decimal("12.500000"))
    with trail_log.act("read again"):
        made.volume_l = Decimal("13.000000")
        made.save()
    return made


def test_a_column_that_is_added_is_recorded_from_then_on(vessel: Vessel) -> None:
    before = [one.body for one in entries()]

    renewed = migrate(
        lambda editor: editor.add_field(Vessel, field("owner_name", models.TextField(null=True)))
    )
    sql(f"UPDATE {TABLE} SET owner_name = 'QA' WHERE id = %s", vessel.pk)

    assert renewed == [TABLE]
    assert [one.body for one in entries()[:2]] == before
    assert [change.field for change in trail_log.changes(entries()[-1])] == ["owner_name"]
    assert state(vessel.pk)["owner_name"] == "QA"
    assert_proven()


def test_a_column_that_is_added_with_a_value_for_all_rows_rewrites_no_entry(vessel: Vessel) -> None:
    count = len(entries())

    migrate(
        lambda editor: editor.add_field(
            Vessel, field("grade", models.CharField(max_length=5, default="A"))
        )
    )
    sql(f"UPDATE {TABLE} SET grade = 'B' WHERE id = %s", vessel.pk)

    assert len(entries()) == count + 1
    (change,) = trail_log.changes(entries()[-1])
    assert (change.field, change.old, change.new) == ("grade", "A", "B")
    assert_proven()


def test_a_column_that_is_dropped_stays_in_the_history(vessel: Vessel) -> None:
    migrate(lambda editor: editor.remove_field(Vessel, Vessel._meta.get_field("volume_l")))
    sql(f"UPDATE {TABLE} SET name = 'A2' WHERE id = %s", vessel.pk)

    assert [change.field for change in trail_log.changes(entries()[1])] == ["volume_l"]
    assert (state(vessel.pk)["volume_l"], state(vessel.pk)["name"]) == ("13.000000", "A2")
    assert_proven()


def test_a_column_that_is_renamed_goes_on_under_its_new_name(vessel: Vessel) -> None:
    new = field("size_l", models.DecimalField(max_digits=20, decimal_places=6, default=0))

    migrate(lambda editor: editor.alter_field(Vessel, Vessel._meta.get_field("volume_l"), new))
    sql(f"UPDATE {TABLE} SET size_l = 14 WHERE id = %s", vessel.pk)

    (change,) = trail_log.changes(entries()[-1])
    assert (change.field, change.old, change.new) == ("size_l", "13.000000", "14.000000")
    assert trail_log.changes(entries()[1])[0].field == "volume_l"
    assert_proven()


def test_a_column_that_is_widened_keeps_its_zeros(vessel: Vessel) -> None:
    new = field("volume_l", models.DecimalField(max_digits=30, decimal_places=8, default=0))
    wider = field("name", models.CharField(max_length=500, unique=True))

    migrate(lambda editor: editor.alter_field(Vessel, Vessel._meta.get_field("volume_l"), new))
    migrate(lambda editor: editor.alter_field(Vessel, Vessel._meta.get_field("name"), wider))
    sql(f"UPDATE {TABLE} SET volume_l = 14, name = %s WHERE id = %s", "N" * 400, vessel.pk)

    changes = {one.field: (one.old, one.new) for one in trail_log.changes(entries()[-1])}
    assert changes["volume_l"] == ("13.00000000", "14.00000000")
    assert trail_log.changes(entries()[1])[0].new == "13.000000"
    assert_proven()


def test_a_column_that_changes_its_type_is_recorded_as_what_it_is(vessel: Vessel) -> None:
    new = field("seen", models.TextField(default=""))
    text = field("volume_l", models.CharField(max_length=50, default=""))

    migrate(lambda editor: editor.alter_field(Vessel, Vessel._meta.get_field("volume_l"), text))
    migrate(lambda editor: editor.alter_field(Vessel, Vessel._meta.get_field("seen"), new))
    sql(f"UPDATE {TABLE} SET volume_l = 'about 14' WHERE id = %s", vessel.pk)

    (change,) = trail_log.changes(entries()[-1])
    assert (change.old, change.new) == ("13.000000", "about 14")
    assert_proven()


def test_a_type_without_one_exact_text_is_refused_with_the_whole_migration(vessel: Vessel) -> None:
    new = field("volume_l", models.FloatField(default=0))
    owner = connections["owner"]

    with pytest.raises(Exception, match="no floats"), transaction.atomic(using="owner"):
        with owner.schema_editor(atomic=False) as editor:
            editor.alter_field(Vessel, Vessel._meta.get_field("volume_l"), new)
        capture.install(owner)

    assert_proven()


def test_until_the_capture_is_renewed_a_new_column_is_named_as_not_captured(
    vessel: Vessel,
) -> None:
    with connections["owner"].schema_editor() as editor:
        editor.add_field(Vessel, field("late", models.TextField(null=True)))
    sql(f"UPDATE {TABLE} SET name = 'B', late = 'not seen yet' WHERE id = %s", vessel.pk)

    with connection.cursor() as cursor:
        assert any(TABLE in problem for problem in enforcement.problems(cursor))
    with transaction.atomic(using="owner"):
        capture.install(connections["owner"])

    assert [change.field for change in trail_log.changes(entries()[-1])] == ["name"]
    assert_proven()


# --- A table gets another name: its records keep theirs


@pytest.fixture
def renamed(vessel: Vessel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return what renames the table in the database and in the model, declared with a record name."""

    def rename(record: str) -> None:
        with connections["owner"].schema_editor() as editor:
            editor.alter_db_table(Vessel, TABLE, "trail_app_tank")
        monkeypatch.setattr(Vessel._meta, "db_table", "trail_app_tank")
        monkeypatch.setitem(capture._declared[Vessel], "record", record)
        with transaction.atomic(using="owner"):
            capture.install(connections["owner"])

    yield rename
    assert apps.get_model("trail_app.Vessel") is Vessel


def test_a_renamed_table_goes_on_in_the_history_of_its_records(
    vessel: Vessel, renamed: Callable[[str], None]
) -> None:
    renamed(TABLE)
    sql("UPDATE trail_app_tank SET name = 'A2' WHERE id = %s", vessel.pk)
    sql("INSERT INTO trail_app_tank (name, volume_l, seen, secret) VALUES ('new', 0, 0, '')")

    assert capture.record_of(Vessel) == TABLE
    found = entries()
    assert [(one.op, one.record_seq) for one in found] == [
        ("insert", 1), ("update", 2), ("update", 3), ("insert", 1),
    ]  # fmt: skip
    assert state(vessel.pk)["name"] == "A2"
    shown = history.parts(Vessel(pk=vessel.pk))
    assert len(shown[-1].rows) == 3  # type: ignore[union-attr]
    assert_proven()


def test_the_log_says_when_the_table_was_renamed(
    vessel: Vessel, renamed: Callable[[str], None]
) -> None:
    renamed(TABLE)

    documents = [one.document for one in LogEvent.objects.filter(kind="ddl")]
    assert any('"object":"public.trail_app_tank"' in one for one in documents)


def test_a_renamed_table_without_its_first_name_is_not_captured_anew(
    vessel: Vessel, renamed: Callable[[str], None]
) -> None:
    with pytest.raises(TableRenamed, match=f'record="{TABLE}"'):
        renamed("")
    sql("UPDATE trail_app_tank SET name = 'A2' WHERE id = %s", vessel.pk)

    assert [one.record_seq for one in entries()] == [1, 2, 3]


def test_a_redactable_column_that_is_renamed_is_erased_under_both_names(
    fresh_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = People()
    with trail_log.act():
        contact = Contact.objects.create(name="Ada", email="ada@example.com")
    old = Contact._meta.get_field("email")
    new = field("mail", models.CharField(max_length=100, default=""))
    new.model = Contact
    with connections["owner"].schema_editor() as editor:
        editor.alter_field(Contact, old, new)
    monkeypatch.setitem(capture._declared[Contact], "redactable", ("mail", "phone"))
    monkeypatch.setattr(old, "column", "mail")
    with transaction.atomic(using="owner"):
        capture.install(connections["owner"])
        redaction.whitelist.declare(at=trail_log.NOON)
    with trail_log.act("another address"):
        Contact.objects.update(email="ada.l@example.com")
    trail_log.seal_and_sign()

    counts = [
        redaction.redact(
            contact, column, legal_basis="GDPR art. 17(1)(a)", requested_by=people.first,
            approved_by=people.second, at=trail_log.NOON, reason="asked for by the person",
        )
        for column in ("email", "mail")
    ]  # fmt: skip

    assert counts == [1, 1]
    contact.refresh_from_db()
    assert contact.email == ""
