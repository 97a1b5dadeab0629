"""Everybody acknowledges the accountability statement in force before signing anything."""

import pytest
from django.db import DatabaseError, transaction

from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signatures import accountability, signing, statements
from compliance.signatures.accountability import AccountabilityNotAcknowledged
from compliance.signatures.models import Meaning, Statement
from tests import factories, trail_log
from tests.factories import NOON

pytestmark = pytest.mark.django_db
TEXT = "My signature binds me as my handwriting does, in everything that I sign with it."


def newcomer() -> User:
    return factories.person(Role.QUALITY_ASSURANCE, has_acknowledged=False)


def drafted(author: User | None = None) -> Statement:
    author = author or factories.person(Role.QUALITY_ASSURANCE)
    return statements.draft(text=TEXT, actor=author, at=NOON, reason="shorter, as the law says it")


def published() -> Statement:
    approver = factories.person(Role.QUALITY_ASSURANCE)
    return statements.publish(
        drafted(), confirmed=factories.confirmed(approver), reason="reviewed by quality"
    )


@pytest.mark.requirement("P11-j1")
def test_the_first_signature_without_an_acknowledgement_is_refused() -> None:
    person = newcomer()

    with pytest.raises(AccountabilityNotAcknowledged) as refused:
        signing.sign(
            factories.deviation(), meaning=Meaning.REVIEWED, confirmed=factories.confirmed(person)
        )

    assert refused.value.code == "accountability-not-acknowledged"


@pytest.mark.requirement("P11-j1")
def test_whoever_acknowledged_signs() -> None:
    person = newcomer()
    acknowledged = factories.acknowledged(person)

    signature = signing.sign(
        factories.deviation(), meaning=Meaning.REVIEWED, confirmed=factories.confirmed(person)
    )

    assert acknowledged.meaning == Meaning.ACKNOWLEDGED
    assert accountability.acknowledgement(person) == acknowledged
    assert signing.verify(signature).is_valid


@pytest.mark.requirement("P11-j1")
def test_a_new_version_is_acknowledged_anew() -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    published()

    with pytest.raises(AccountabilityNotAcknowledged):
        signing.sign(
            factories.deviation(), meaning=Meaning.REVIEWED, confirmed=factories.confirmed(person)
        )
    factories.acknowledged(person)
    signing.sign(
        factories.deviation(), meaning=Meaning.REVIEWED, confirmed=factories.confirmed(person)
    )


def test_a_draft_is_in_force_for_nobody() -> None:
    draft = drafted()
    person = newcomer()

    with pytest.raises(statements.StatementNotInForce):
        statements.acknowledge(draft, confirmed=factories.confirmed(person))


def test_nobody_acknowledges_twice() -> None:
    person = factories.person(Role.OPERATOR)

    with pytest.raises(statements.AlreadyAcknowledged):
        factories.acknowledged(person)


def test_the_author_does_not_publish() -> None:
    author = factories.person(Role.QUALITY_ASSURANCE)
    draft = drafted(author)

    with pytest.raises(statements.AuthorIsApprover):
        statements.publish(
            draft, confirmed=factories.confirmed(author), reason="reviewed by myself"
        )


def test_only_quality_writes_the_statement() -> None:
    with pytest.raises(NotPermitted):
        drafted(factories.person(Role.SYSTEM_ADMINISTRATOR))
    with pytest.raises(statements.StatementIncomplete):
        statements.draft(
            text="short", actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON,
            reason="a first attempt at it",
        )  # fmt: skip


def test_what_is_published_is_published_once() -> None:
    statement = published()
    approver = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(statements.StatementPublished):
        statements.publish(
            statement, confirmed=factories.confirmed(approver), reason="published again"
        )


@pytest.mark.parametrize("change", [{"text": "Nothing binds me."}, {"effective_at": None}])
def test_a_published_text_stays_in_the_database_too(change: dict[str, str | None]) -> None:
    statement = published()

    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        with trail_log.act("text changed afterwards"):
            Statement.objects.filter(pk=statement.pk).update(**change)


def test_raw_sql_does_not_publish_without_a_second_person_s_signature() -> None:
    draft = drafted()

    with pytest.raises(DatabaseError, match="second person"), transaction.atomic():
        with trail_log.act("published around the function"):
            Statement.objects.filter(pk=draft.pk).update(effective_at=NOON)
