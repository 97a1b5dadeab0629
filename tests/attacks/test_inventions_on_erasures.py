"""Attacks on what an erasure leaves: the live value, which no opening says anything of any more."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg import Connection

from compliance.access.duties import Role
from compliance.trail import log_events, redaction, verification
from compliance.trail.findings import Fault, Verdict
from compliance.trail.models import Entry
from compliance.trail.recording import System
from tests import factories, trail_log
from tests.attacks.test_inventions_in_the_database import changed_behind_the_capture
from tests.trail_app.models import Contact

Superuser = Connection[Any]


@pytest.fixture
def contact(fresh_log: Any) -> Contact:
    with trail_log.act():
        made = Contact.objects.create(name="Mira", email="mira@example.org", phone="+41 1")
    trail_log.seal_and_sign()
    return made


def erased_by_hand(contact: Contact, column: str) -> None:
    """Erase the opening as the application may, and leave the row as it is."""
    path = f"trail_app_contact.{column}"
    entry = Entry.objects.get(record="trail_app_contact", record_id=str(contact.pk))
    with trail_log.act("erasure asked for"), connection.cursor() as cursor:
        log_events.record(
            redaction.KIND,
            {"index": entry.index, "legal_basis": "GDPR art. 17", "path": path,
             "persons": ["A. Bee", "C. Dee"], "v": 1},
            actor=System("erasing"), at=timezone.now(), reason="asked for by the person",
        )  # fmt: skip
        cursor.execute("SELECT audit.erase_opening(%s, %s)", [entry.pk, path])
    trail_log.seal_and_sign()


def redacted(contact: Contact, column: str) -> None:
    redaction.redact(
        contact, column, legal_basis="GDPR art. 17", at=trail_log.NOON, reason="asked for",
        requested_by=factories.person(Role.QUALITY_ASSURANCE),
        approved_by=factories.person(Role.QUALIFIED_PERSON),
    )  # fmt: skip
    trail_log.seal_and_sign()


def named(contact: Contact, column: str) -> bool:
    faults: Sequence[Fault] = verification.verify().faults
    return any(
        one.verdict == Verdict.TAMPERED
        and one.record == f"trail_app_contact {contact.pk}"
        and one.message.startswith(f"{column} ")
        for one in faults
    )


@pytest.mark.parametrize("column", ["email", "phone"])
def test_a_value_that_stands_in_the_row_after_its_erasure_is_named(
    contact: Contact, as_superuser: Superuser, column: str
) -> None:
    erased_by_hand(contact, column)

    assert named(contact, column)

    changed_behind_the_capture(
        as_superuser, f"UPDATE trail_app_contact SET {column} = 'nemo'", "trail_app_contact"
    )

    assert named(contact, column)


@pytest.mark.parametrize("column", ["email", "phone"])
def test_a_value_written_into_the_row_after_its_erasure_is_named(
    contact: Contact, as_superuser: Superuser, column: str
) -> None:
    redacted(contact, column)

    assert verification.verify().faults == ()

    changed_behind_the_capture(
        as_superuser, f"UPDATE trail_app_contact SET {column} = 'nemo'", "trail_app_contact"
    )

    assert named(contact, column)


def test_a_value_given_again_after_its_erasure_is_compared_again(
    contact: Contact, as_superuser: Superuser
) -> None:
    redacted(contact, "email")
    with trail_log.act("a new address"):
        contact.email = "mira@example.net"
        contact.save()

    assert verification.verify().faults == ()  # neither sealed nor projected yet

    trail_log.seal_and_sign()

    assert verification.verify().faults == ()

    changed_behind_the_capture(
        as_superuser, "UPDATE trail_app_contact SET email = 'nemo'", "trail_app_contact"
    )

    assert named(contact, "email")
