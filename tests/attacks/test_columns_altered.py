"""A column of a controlled table is altered so that the verification itself could stumble over it."""

from typing import Any

import pytest
from django.db import connection
from psycopg import Connection

from compliance.trail import enforcement, verification
from compliance.trail.findings import Verdict
from tests import trail_log
from tests.attacks import colluding
from tests.attacks.test_columns_dropped import captured_again
from tests.attacks.test_inventions_in_the_database import quietly
from tests.trail_app.models import Contact

Superuser = Connection[Any]


@pytest.fixture
def log(fresh_log: Any) -> int:
    with trail_log.act():
        Contact.objects.create(name="Mira", email="mira@example.org", phone="+41 1")
    return trail_log.written()


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("double precision", "ALTER COLUMN volume_l TYPE double precision"),
        ("jsonb", "ALTER COLUMN volume_l TYPE jsonb USING to_jsonb(volume_l)"),
    ],
)
def test_a_type_without_one_exact_text_is_named(
    log: int, as_superuser: Superuser, kind: str, statement: str
) -> None:
    quietly(as_superuser, f"ALTER TABLE trail_app_vessel {statement}")

    report = verification.verify()

    named = f"trail_app_vessel: trail_app_vessel.volume_l is {kind}"
    assert any(one.message.startswith(named) for one in report.faults), report.faults
    with connection.cursor() as cursor:
        assert any(one.startswith(named) for one in enforcement.problems(cursor))


def test_a_table_without_any_column_is_named(log: int, as_superuser: Superuser) -> None:
    quietly(
        as_superuser,
        "ALTER TABLE trail_app_stamp RENAME TO aside",
        "CREATE TABLE public.trail_app_stamp ()",
    )

    report = verification.verify()

    assert any(
        one.message == "trail_app_stamp: the column id is not there" for one in report.faults
    ), report.faults


@pytest.mark.parametrize("is_renewed", [False, True])
def test_a_column_whose_values_are_in_openings_only_is_missed(
    log: int, as_superuser: Superuser, is_renewed: bool
) -> None:
    quietly(as_superuser, "ALTER TABLE trail_app_contact DROP COLUMN email")
    if is_renewed:
        captured_again()

    report = verification.verify()

    assert any(
        one.message == "trail_app_contact: the column email is not there" for one in report.faults
    ), report.faults


def test_a_value_that_was_taken_where_none_can_be_missing_is_named(
    log: int, as_superuser: Superuser
) -> None:
    with colluding.silenced(as_superuser) as silent:
        for is_demanded in (False, True):
            silent.execute(
                "UPDATE pg_attribute SET attnotnull = %s WHERE attname = 'volume_l' "
                "AND attrelid = 'public.trail_app_vessel'::regclass",
                [is_demanded],
            )
            if not is_demanded:
                silent.execute("UPDATE trail_app_vessel SET volume_l = NULL WHERE name = 'A-25'")

    report = verification.verify()

    assert report.counts == {Verdict.TAMPERED: 1}
    assert "volume_l is null" in report.faults[0].message
