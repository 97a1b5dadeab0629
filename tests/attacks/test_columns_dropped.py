"""A column of a controlled table is dropped with all its values: quietly, or as a migration does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction
from psycopg import Connection

from compliance.trail import capture, verification
from compliance.trail.findings import Verdict
from compliance.trail.models import LogEvent
from tests import trail_log
from tests.attacks.test_inventions_in_the_database import quietly
from tests.trail_app.models import Vessel

Superuser = Connection[Any]
GONE = "the column is gone, and no entry says that it was dropped"


@pytest.fixture
def log(fresh_log: Any) -> int:
    return trail_log.written()


def captured_again() -> None:
    """Bring the capture up to date, as `migrate` does."""
    with transaction.atomic(using="owner"):
        capture.install(connections["owner"])


def test_a_column_dropped_quietly_is_named_for_each_record_that_had_it(
    log: int, as_superuser: Superuser
) -> None:
    quietly(as_superuser, "ALTER TABLE trail_app_vessel DROP COLUMN volume_l")
    captured_again()  # tells of ALTER TABLE, and of no column that went

    report = verification.verify()

    named = {one.record for one in report.faults if f"volume_l: {GONE}" in one.message}
    assert len(named) == Vessel.objects.count()
    assert report.counts == {Verdict.TAMPERED: len(named)}


@pytest.mark.parametrize(
    "change",
    [
        lambda editor: editor.remove_field(Vessel, Vessel._meta.get_field("volume_l")),
        lambda editor: editor.execute(
            'ALTER TABLE trail_app_vessel RENAME COLUMN volume_l TO "Volume of it"'
        ),
    ],
)
def test_a_column_that_a_migration_dropped_or_renamed_is_a_note(
    log: int, change: Callable[[Any], None]
) -> None:
    with connections["owner"].schema_editor() as editor:
        change(editor)
    captured_again()

    report = verification.verify()

    assert report.faults == ()
    assert any("volume_l" in one and "came or went" in one for one in report.notes)


def test_a_renamed_column_hides_no_other_that_went(log: int, as_superuser: Superuser) -> None:
    as_superuser.execute("ALTER TABLE trail_app_vessel RENAME COLUMN name TO title")
    quietly(as_superuser, "ALTER TABLE trail_app_vessel DROP COLUMN volume_l")
    captured_again()

    report = verification.verify()

    assert report.counts == {Verdict.TAMPERED: Vessel.objects.count()}
    assert "name, volume_l: " in report.faults[0].message


@pytest.mark.parametrize(
    ("renames", "column"),
    [([("volume_l", "volume")], "volume"), ([("name", "title"), ("title", "name")], "volume_l")],
)
def test_a_name_that_no_column_has_any_more_excuses_none(
    log: int, as_superuser: Superuser, renames: list[tuple[str, str]], column: str
) -> None:
    for former, later in renames:
        as_superuser.execute(f"ALTER TABLE trail_app_vessel RENAME COLUMN {former} TO {later}")
    quietly(as_superuser, f"ALTER TABLE trail_app_vessel DROP COLUMN {column}")
    captured_again()

    report = verification.verify()

    assert report.counts == {Verdict.TAMPERED: Vessel.objects.count()}
    assert f"volume_l: {GONE}" in report.faults[0].message


def test_a_column_that_was_renamed_and_then_dropped_openly_is_a_note(
    log: int, as_superuser: Superuser
) -> None:
    as_superuser.execute("ALTER TABLE trail_app_vessel RENAME COLUMN volume_l TO volume")
    as_superuser.execute("ALTER TABLE trail_app_vessel DROP COLUMN volume")
    captured_again()

    assert verification.verify().faults == ()


def test_a_column_that_is_dropped_is_told_of_by_an_entry_of_its_own(
    log: int, as_superuser: Superuser
) -> None:
    as_superuser.execute("ALTER TABLE trail_app_vessel DROP COLUMN volume_l")
    captured_again()

    documents = [one.document for one in LogEvent.objects.filter(kind="ddl")]

    assert any(
        '"kind":"dropped column","object":"public.trail_app_vessel.volume_l"' in one
        for one in documents
    )


@pytest.mark.parametrize(
    "change", ["DROP COLUMN audit_seq", "DROP COLUMN audit_head", "RENAME COLUMN audit_seq TO seq"]
)
def test_a_table_whose_rows_lead_to_no_entry_is_named(
    log: int, as_superuser: Superuser, change: str
) -> None:
    quietly(as_superuser, f"ALTER TABLE trail_app_vessel {change}")

    report = verification.verify()

    assert report.counts.keys() == {Verdict.DISABLED}
    assert any(
        f"the column {change.split()[2]}, which leads" in one.message for one in report.faults
    )
