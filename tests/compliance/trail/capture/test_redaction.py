"""Personal data is erased by two people, with reasons, and never anything else."""

import hashlib
import json
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from compliance.access.duties import Role
from compliance.signatures import contents, signing
from compliance.signatures.models import Meaning, Signature
from compliance.trail import capture, enforcement, log_events, recording, redaction
from compliance.trail.models import Entry, LogEvent
from compliance.trail.recording import System
from compliance.trail.redaction import (
    NotReadable,
    NotRedactable,
    NotSealedYet,
    TwoPersonsNeeded,
    ValueHeld,
)  # fmt: skip
from tests import factories, trail_log
from tests.trail_app.models import Contact

BASIS = "GDPR art. 17(1)(a): no longer needed"
PATH = "trail_app_contact.email"


class People:
    """Two people who may erase, and one who may not."""

    def __init__(self) -> None:
        self.first = factories.person(Role.QUALITY_ASSURANCE)
        self.second = factories.person(Role.QUALIFIED_PERSON)
        self.operator = factories.person(Role.OPERATOR)


@pytest.fixture
def people(fresh_log: Any) -> People:
    return People()


@pytest.fixture
def contact(people: People) -> Contact:
    """Return a record whose e-mail had two values, sealed."""
    with trail_log.act():
        made = Contact.objects.create(name="Ada", email="ada@example.com", phone="+41 1")
    with trail_log.act("another address"):
        made.email = "ada.l@example.com"
        made.save()
    trail_log.seal_and_sign()
    return made


def redact(record: Contact, people: People, column: str = "email", **changed: Any) -> int:
    given = {"requested_by": people.first, "approved_by": people.second, **changed}
    return redaction.redact(
        record,
        column,
        legal_basis=BASIS,
        at=trail_log.NOON,
        reason="asked for by the person",
        **given,
    )


def opened(record: Contact, people: People, column: str = "email") -> list[str]:
    return [one.value for one in redaction.openings(record, column, reader=people.first)]


def test_all_versions_are_erased_and_the_live_value_is_blank(
    contact: Contact, people: People
) -> None:
    assert opened(contact, people) == ["ada@example.com", "ada.l@example.com"]

    count = redact(contact, people)

    assert count == 2
    assert opened(contact, people) == [""]
    contact.refresh_from_db()
    assert (contact.email, contact.phone) == ("", "+41 1")
    assert opened(contact, people, "phone") == ["+41 1"]


def test_the_log_names_each_leaf_the_basis_and_both_persons(
    contact: Contact, people: People
) -> None:
    entries = list(Entry.objects.of_record("trail_app_contact", contact.pk))

    redact(contact, people)

    events = LogEvent.objects.filter(kind="redaction").order_by("pk")
    assert [json.loads(one.document) for one in events] == [
        {
            "index": entry.index, "legal_basis": BASIS, "path": PATH,
            "persons": [people.first.username, people.second.username], "v": 1,
        }
        for entry in entries
    ]  # fmt: skip
    last = Entry.objects.of_record("trail_app_contact", contact.pk).last()
    assert last is not None
    assert (last.op, last.actor, last.action) == (
        "update",
        people.second.username,
        "trail.redacted",
    )
    assert [change.field for change in trail_log.changes(last)] == ["email"]


def test_entries_keep_their_bytes_and_never_had_the_value(contact: Contact, people: People) -> None:
    before = {one.entry_id: one.body for one in Entry.objects.all()}

    redact(contact, people)

    after = {one.entry_id: one.body for one in Entry.objects.all()}
    assert before.items() <= after.items()
    assert not [body for body in after.values() if "ada@" in body or "ada.l@" in body]


def test_an_opening_opens_its_commitment(contact: Contact, people: People) -> None:
    first = redaction.openings(contact, "email", reader=people.first)[0]

    entry = Entry.objects.get(pk=first.entry_id)

    path = PATH.encode()
    committed = (
        b"gmp-audit/commit/v1\0"
        + len(path).to_bytes(2, "big")
        + path
        + first.salt
        + b"ada@example.com"
    )
    digest = hashlib.sha256(committed).hexdigest()
    assert json.loads(entry.body)["new"]["email"] == {"c": digest}


def test_a_second_redaction_finds_nothing_and_writes_nothing(
    contact: Contact, people: People
) -> None:
    redact(contact, people)
    trail_log.seal_and_sign()
    before = Entry.objects.count()

    assert redact(contact, people) == 0
    assert Entry.objects.count() == before


def test_a_null_is_blanked_to_null(contact: Contact, people: People) -> None:
    redact(contact, people, "phone")

    contact.refresh_from_db()
    assert contact.phone is None
    assert opened(contact, people, "phone") == []


def test_one_person_or_one_without_the_duty_erases_nothing(
    contact: Contact, people: People
) -> None:
    with pytest.raises(TwoPersonsNeeded, match="second person"):
        redact(contact, people, approved_by=people.first)
    for which in ("requested_by", "approved_by"):
        with pytest.raises(TwoPersonsNeeded, match="may not erase"):
            redact(contact, people, **{which: people.operator})
    people.second.username = people.first.username.upper()  # to a reader of the log one name
    with pytest.raises(TwoPersonsNeeded, match="second person"):
        redact(contact, people)

    assert len(opened(contact, people)) == 2


def test_what_is_no_personal_data_is_not_erased(contact: Contact, people: People) -> None:
    with pytest.raises(NotRedactable):
        redact(contact, people, "name")
    with pytest.raises(NotRedactable):
        redaction.redact(
            people.first, "full_name", legal_basis=BASIS, requested_by=people.first,
            approved_by=people.second, at=trail_log.NOON, reason="asked for by the person",
        )  # fmt: skip

    contact.refresh_from_db()
    assert contact.name == "Ada"


def test_an_entry_without_a_leaf_is_not_erased_yet(people: People) -> None:
    with trail_log.act():
        fresh = Contact.objects.create(name="Bob", email="bob@example.com")

    with pytest.raises(NotSealedYet):
        redact(fresh, people)

    fresh.refresh_from_db()
    assert fresh.email == "bob@example.com"
    assert opened(fresh, people) == ["bob@example.com"]


def test_a_legal_hold_keeps_the_value(
    contact: Contact, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_holds", dict(redaction._holds))
    redaction.hold("litigation", lambda record, column: "hold 7 of the legal department")

    with pytest.raises(ValueHeld, match="hold 7"):
        redact(contact, people)

    assert len(opened(contact, people)) == 2


def test_a_signature_that_covers_the_value_keeps_it(
    contact: Contact, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_declared", dict(contents._declared))
    signing.signable(Contact)(lambda record: {"name": record.name, "email": record.email})
    signing.sign(
        contact, meaning=Meaning.REVIEWED, confirmed=signing.Confirmed(people.first, trail_log.NOON)
    )

    with pytest.raises(ValueHeld, match="1 signatures cover it"):
        redact(contact, people)

    assert Signature.objects.filter(record="trail_app_contact").count() == 1
    assert redact(contact, people, "phone") == 1


def test_personal_data_is_read_by_the_duty_only(contact: Contact, people: People) -> None:
    with pytest.raises(NotReadable):
        redaction.openings(contact, "email", reader=people.operator)


def test_verification_reads_openings_by_entry(contact: Contact) -> None:
    ids = [one.entry_id for one in Entry.objects.of_record("trail_app_contact", contact.pk)]

    with connection.cursor() as cursor:
        cursor.execute("SELECT path, value FROM audit.openings_of_entries(%s)", [ids])
        found = cursor.fetchall()

    assert found == [
        (PATH, "ada@example.com"),
        ("trail_app_contact.phone", "+41 1"),
        (PATH, "ada.l@example.com"),
    ]


@pytest.mark.parametrize("alias", ["default", "owner", "sequencer", "signer"])
def test_no_role_reads_or_deletes_openings_by_itself(contact: Contact, alias: str) -> None:
    for statement in ("SELECT * FROM audit.opening", "DELETE FROM audit.opening"):
        with connections[alias].cursor() as cursor, pytest.raises(Exception, match="permission"):
            cursor.execute(statement)


# --- The database holds the rules also against the application itself


def erase(entry_id: int, path: str = PATH) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.erase_opening(%s, %s)", [entry_id, path])


def told(entry: Entry, **changed: Any) -> dict[str, Any]:
    return {
        "index": entry.index, "legal_basis": BASIS, "path": PATH, "persons": ["a", "b"], "v": 1,
        **changed,
    }  # fmt: skip


def tell(document: dict[str, Any]) -> None:
    log_events.record(
        "redaction", document, actor=System("test"), at=trail_log.NOON, reason="asked for"
    )


def test_the_database_erases_when_the_log_says_so(contact: Contact, people: People) -> None:
    entry = Entry.objects.of_record("trail_app_contact", contact.pk)[0]

    with trail_log.act():
        tell(told(entry))
        erase(entry.entry_id)

    assert opened(contact, people) == ["ada.l@example.com"]


@pytest.mark.parametrize(
    "changed",
    [
        {"index": 0},
        {"path": "trail_app_contact.phone"},
        {"legal_basis": "  "},
        {"persons": ["a", "a"]},
        {"persons": ["a"]},
        {"persons": ["a", "b", "c"]},
        {"persons": ["a", ""]},
    ],
)
def test_the_database_erases_nothing_that_the_log_does_not_say(
    contact: Contact, people: People, changed: dict[str, Any]
) -> None:
    entry = Entry.objects.of_record("trail_app_contact", contact.pk)[0]

    with pytest.raises(Exception, match="was recorded in this transaction"), trail_log.act():
        tell(told(entry, **changed))
        erase(entry.entry_id)

    assert len(opened(contact, people)) == 2


def test_a_redaction_of_an_earlier_transaction_erases_nothing(
    contact: Contact, people: People
) -> None:
    entry = Entry.objects.of_record("trail_app_contact", contact.pk)[0]
    tell(told(entry))

    with pytest.raises(Exception, match="was recorded in this transaction"), trail_log.act():
        erase(entry.entry_id)

    assert len(opened(contact, people)) == 2


def test_the_database_erases_no_path_that_was_not_declared(contact: Contact) -> None:
    entry = Entry.objects.of_record("trail_app_contact", contact.pk)[0]
    path = "trail_app_contact.name"

    with pytest.raises(Exception, match="did not declare"), trail_log.act():
        tell(told(entry, path=path))
        erase(entry.entry_id, path)


def test_what_was_declared_later_is_erased_from_later_entries_only(contact: Contact) -> None:
    def declare(paths: list[str]) -> None:
        log_events.record(
            "redactable", {"paths": paths, "v": 1}, actor=System("test"), at=trail_log.NOON,
            reason="declared anew", using="owner",
        )  # fmt: skip

    def write(email: str) -> Entry:
        with trail_log.act("another address"):
            contact.email = email
            contact.save()
        trail_log.seal_and_sign()
        return Entry.objects.of_record("trail_app_contact", contact.pk).order_by("-entry_id")[0]

    declare([])
    undeclared = write("third@example.com")
    declare(capture.redactable_paths())
    declared = write("fourth@example.com")

    with trail_log.act():
        tell(told(declared))
        erase(declared.entry_id)
    with pytest.raises(Exception, match="did not declare"), trail_log.act():
        tell(told(undeclared))
        erase(undeclared.entry_id)


def test_a_superuser_changes_no_opening_unnoticed(
    contact: Contact, as_superuser: psycopg.Connection[Any]
) -> None:
    for statement in ("UPDATE audit.opening SET value = 'x'", "TRUNCATE audit.opening"):
        with pytest.raises(psycopg.Error, match="append-only"):
            as_superuser.execute(statement)
    as_superuser.execute("GRANT SELECT ON audit.opening TO gmp_app")
    as_superuser.execute("ALTER TABLE audit.opening DISABLE TRIGGER unchanged")

    with connection.cursor() as cursor:
        found = enforcement.problems(cursor)

    assert "audit.opening: gmp_app may read personal data without asking" in found
    assert "audit.opening: trigger unchanged is disabled or not the declared one" in found


def test_the_log_declares_what_is_erasable_before_any_entry_has_it(fresh_log: Any) -> None:
    declared = LogEvent.objects.get(kind="redactable")

    assert json.loads(declared.document) == {
        "paths": [
            "access_identityproof.document", "access_user.email",
            "laboratory_complaint.complainant", "trail_app_contact.email",
            "trail_app_contact.phone",
        ],
        "v": 1,
    }  # fmt: skip
    assert (
        Entry.objects.order_by("entry_id").values_list("record", flat=True)[0] == "trail_logevent"
    )


def test_a_person_s_e_mail_is_erased_and_the_printed_name_stays(people: People) -> None:
    person = people.operator
    with recording.recording(
        trail_log.Action.TRIED, actor=System("test"), at=trail_log.NOON, reason="address given"
    ):
        person.email = "op@example.com"
        person.save()
    trail_log.seal_and_sign()

    count = redaction.redact(
        person, "email", legal_basis=BASIS, requested_by=people.first, approved_by=people.second,
        at=trail_log.NOON, reason="asked for by the person",
    )  # fmt: skip

    person.refresh_from_db()
    assert (count, person.email) == (1, "")
    assert person.full_name


def test_a_failed_redaction_erases_nothing(contact: Contact, people: People) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        redact(contact, people)
        raise RuntimeError

    assert len(opened(contact, people)) == 2
    assert not LogEvent.objects.filter(kind="redaction").exists()
