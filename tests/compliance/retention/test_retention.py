"""Until when records are kept: by the law, longer by the site's own policy, never shorter."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from batches.disposition.models import Outcome
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.retention import kinds, policies, retention
from compliance.retention.models import PolicyState, RetentionPolicy
from compliance.retention.periods import Rule
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def _policy(*rules: Rule, by: User | None = None) -> RetentionPolicy:
    return policies.draft(
        rules=rules, summary="a contract of the site", actor=by or _quality(), at=NOON
    )


def _approved(*rules: Rule) -> RetentionPolicy:
    return policies.approve(
        _policy(*rules),
        confirmed=factories.confirmed(_quality()),
        reason="checked with the contract",
    )


LONG = Rule(kind="batch-record", anchor="expiry", years=30, clause="contract 12")
SHORT = Rule(kind="batch-record", anchor="expiry", years=0, clause="to save room")


@pytest.mark.requirement("CH4-10", "211-180", "P11-c1")
def test_the_record_of_a_batch_is_kept_by_its_expiry_and_its_certification() -> None:
    batch = factories.completed_batch()
    assert retention.until("batch-record", batch.number).until is None
    factories.decision(batch, expires_on=date(2027, 6, 30))
    assert retention.until("batch-record", batch.number).until == date(2028, 6, 30)

    factories.certificate(batch)

    assert retention.until("batch-record", batch.number).until == date(2031, 3, 2)


def test_a_release_without_an_expiry_has_no_known_end() -> None:
    batch = factories.released_batch()
    factories.certificate(batch)

    assert retention.until("batch-record", batch.number).until is None


def test_a_rejected_batch_is_kept_from_its_rejection() -> None:
    batch = factories.completed_batch()
    factories.decision(batch, Outcome.REJECTED)

    assert retention.until("batch-record", batch.number).until == date(2031, 3, 2)


def test_a_deviation_and_a_recipe_are_kept_as_long_as_the_batches_they_concern() -> None:
    batch = factories.completed_batch()
    deviation = factories.closed_deviation(batch)
    factories.review(batch)
    assert retention.until("deviation", deviation.number).until is None
    factories.decision(batch, expires_on=date(2040, 1, 1))

    assert retention.until("deviation", deviation.number).until == date(2041, 1, 1)
    assert retention.until("deviation", factories.closed_deviation().number).until == date(
        2031, 3, 2
    )
    recipe = retention.until("master-recipe", str(batch.recipe))
    assert recipe.until is None  # it is effective
    assert date(2041, 1, 1) in {term.ends_on for term in recipe.terms}


def test_a_policy_lengthens_a_term_and_never_shortens_it() -> None:
    batch = factories.completed_batch()
    factories.decision(batch, expires_on=date(2027, 6, 30))

    _approved(SHORT)
    assert retention.until("batch-record", batch.number).until == date(2028, 6, 30)
    _approved(SHORT, LONG)

    found = retention.until("batch-record", batch.number)
    assert found.until == date(2057, 6, 30)
    assert found.holds is not None
    assert found.holds.rule.clause == "Retention policy 2: contract 12"


def test_a_draft_has_no_effect_and_a_new_version_supersedes_the_former() -> None:
    first = _approved(LONG)
    second = _policy(SHORT)
    assert policies.effective() == first

    policies.approve(second, confirmed=factories.confirmed(_quality()), reason="checked by us both")

    first.refresh_from_db()
    assert (first.state, policies.effective()) == (PolicyState.SUPERSEDED, second)


def test_an_author_does_not_approve_and_a_version_is_approved_once() -> None:
    author = _quality()
    policy = _policy(LONG, by=author)
    with pytest.raises(policies.AuthorIsApprover):
        policies.approve(policy, confirmed=factories.confirmed(author), reason="my own work")
    approved = _approved(LONG)
    with pytest.raises(policies.PolicyNotDraft):
        policies.approve(
            approved, confirmed=factories.confirmed(_quality()), reason="once more, please"
        )


def test_a_rule_is_about_a_kind_of_records_that_is_known() -> None:
    with pytest.raises(kinds.UnknownKind, match="batch-record"):
        _policy(Rule(kind="notes", anchor="expiry", years=1, clause="because"))
    with pytest.raises(policies.PolicyInvalid):
        _policy()


def _act():  # type: ignore[no-untyped-def]
    return recording.recording(
        policies.Action.POLICY_APPROVED, actor=TEST, at=NOON, reason="an attempt by hand"
    )


def test_the_database_refuses_a_policy_that_its_author_approves_or_nobody_signed() -> None:
    author = _quality()
    policy = _policy(LONG, by=author)
    made = RetentionPolicy.objects.filter(pk=policy.pk)
    with pytest.raises(IntegrityError, match=r"author_is_not_approver|by signature|GM011"):
        with transaction.atomic(), _act():
            made.update(approver=author)
    with pytest.raises(DatabaseError, match="by signature"), transaction.atomic(), _act():
        made.update(state="effective", approver=_quality(), effective_at=NOON)


def test_the_database_refuses_to_alter_an_effective_policy() -> None:
    policy = _approved(LONG)
    for values in ({"summary": "something else"}, {"state": "draft"}, {"effective_at": NOON + DAY}):
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), _act():
            RetentionPolicy.objects.filter(pk=policy.pk).update(**values)
        assert getattr(caught.value.__cause__, "sqlstate", "") == "GM011"
    with pytest.raises(DatabaseError, match="draft"), transaction.atomic(), _act():
        policy.rules.create(kind="batch-record", anchor="expiry", years=0, basis="by hand")
