"""Who may do what is reviewed account by account, by somebody who does not administer it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError

from compliance.access import certification, people, reviews
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.access.models import (
    AccessReview,
    AccessReviewLine,
    ReviewOutcome,
    ReviewState,
    User,
)
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-300b", "A11D-11")]
WHY = "still needed for the shift"
DAY = timedelta(days=1)


@pytest.fixture
def quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


@pytest.fixture
def colleague() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def decided(review: AccessReview, one: User, other: User, *, removed: User | None = None) -> None:
    for line in review.lines.all():
        reviews.decide(
            line,
            outcome=ReviewOutcome.REMOVE if line.person == removed else ReviewOutcome.KEEP,
            actor=other if line.person == one else one,
            at=NOON,
            reason=WHY,
        )


def test_a_review_has_a_line_for_every_account_as_it_stands(quality: User) -> None:
    operator = factories.person(Role.OPERATOR, Role.SUPERVISOR, is_proven=False)
    gone = factories.person(Role.OPERATOR)
    people.end_role(gone.role_assignments.get(), actor=TEST, at=NOON, reason="left the department")
    people.deactivate(gone, actor=TEST, at=NOON, reason="left the company")
    people.record_leaving(
        operator, last_day=NOON.date(), actor=TEST, at=NOON, reason="contract ends"
    )

    review = reviews.open_(actor=quality, at=NOON)

    lines = {line.person: line for line in review.lines.all()}
    assert set(lines) == {quality, operator}
    line = lines[operator]
    assert (line.roles, line.is_proven) == ("operator,supervisor", False)
    assert line.leaves_on == NOON.date()
    assert lines[quality].is_proven


def test_a_review_is_closed_when_every_account_is_decided_on(
    quality: User, colleague: User
) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    with pytest.raises(reviews.ReviewIncomplete, match="2 accounts"):
        reviews.close(review, conclusion="all accounts reviewed", actor=quality, at=NOON)
    decided(review, quality, colleague)

    closed = reviews.close(review, conclusion="all accounts reviewed", actor=quality, at=NOON)

    assert (closed.state, closed.closed_by) == (ReviewState.CLOSED, quality)


def test_what_had_to_go_must_be_gone(quality: User, colleague: User) -> None:
    operator = factories.person(Role.OPERATOR)
    review = reviews.open_(actor=quality, at=NOON)
    decided(review, quality, colleague, removed=operator)
    with pytest.raises(reviews.ReviewIncomplete, match=operator.username):
        reviews.close(review, conclusion="one account removed", actor=quality, at=NOON)

    people.end_role(operator.role_assignments.get(), actor=TEST, at=NOON, reason="review of access")

    assert not reviews.close(
        review, conclusion="one account removed", actor=quality, at=NOON
    ).is_open


def test_nobody_decides_about_their_own_account(quality: User) -> None:
    review = reviews.open_(actor=quality, at=NOON)

    with pytest.raises(reviews.OwnLine):
        reviews.decide(
            review.lines.get(person=quality), outcome=ReviewOutcome.KEEP, actor=quality, at=NOON,
            reason=WHY,
        )  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("act", ["open", "decide", "close"])
def test_a_review_takes_its_duty(role: Role, act: str, quality: User) -> None:
    actor = factories.person(role)
    may = Duty.REVIEW_ACCESS in DUTIES[role]
    review = None if act == "open" else reviews.open_(actor=quality, at=NOON)

    try:
        if review is None:
            reviews.open_(actor=actor, at=NOON)
        elif act == "decide":
            reviews.decide(
                review.lines.get(person=quality), outcome=ReviewOutcome.KEEP, actor=actor, at=NOON,
                reason=WHY,
            )  # fmt: skip
        else:
            reviews.close(review, conclusion=WHY, actor=actor, at=NOON)
        permitted = True
    except NotPermitted:
        permitted = False
    except reviews.ReviewIncomplete:
        permitted = True
    assert permitted == may


@pytest.mark.parametrize("state", list(ReviewState))
def test_every_act_is_allowed_or_refused_as_the_table_says(
    state: ReviewState, quality: User, colleague: User
) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    line = review.lines.get(person=colleague) if state == ReviewState.OPEN else None
    decided_lines = [one for one in review.lines.all() if one != line]
    for one in decided_lines:
        reviews.decide(
            one, outcome=ReviewOutcome.KEEP, reason=WHY, at=NOON,
            actor=colleague if one.person == quality else quality,
        )  # fmt: skip
    if state == ReviewState.CLOSED:
        reviews.close(review, conclusion=WHY, actor=quality, at=NOON)

    acts = {
        "decide": lambda: reviews.decide(
            line or decided_lines[0], outcome=ReviewOutcome.KEEP, reason=WHY, at=NOON,
            actor=colleague if (line or decided_lines[0]).person == quality else quality,
        ),
        "close": lambda: reviews.close(review, conclusion=WHY, actor=quality, at=NOON),
    }  # fmt: skip
    for name, act in acts.items():
        if name in reviews.ALLOWED[state]:
            act()
        else:
            with pytest.raises(reviews.ReviewClosed):
                act()


def test_one_review_at_a_time_and_each_line_once(quality: User, colleague: User) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    with pytest.raises(reviews.ReviewOpen):
        reviews.open_(actor=colleague, at=NOON)
    decided(review, quality, colleague)

    with pytest.raises(reviews.LineDecided):
        reviews.decide(
            review.lines.get(person=colleague), outcome=ReviewOutcome.REMOVE, actor=quality,
            at=NOON, reason=WHY,
        )  # fmt: skip


def test_a_review_is_due_after_a_time_and_then_overdue(
    quality: User, colleague: User, settings: Any
) -> None:
    settings.ACCESS_REVIEW_DAYS = 180
    due = (NOON + 180 * DAY).date()
    assert reviews.next_due() == due
    assert reviews.overdue(on=due) is None
    assert reviews.overdue(on=due + DAY) == due

    review = reviews.open_(actor=quality, at=NOON)
    decided(review, quality, colleague)
    reviews.close(review, conclusion=WHY, actor=quality, at=NOON + 100 * DAY)

    assert reviews.overdue(on=due + DAY) is None
    assert reviews.next_due() == (NOON + 280 * DAY).date()


# --- In the database


def altered(actor: Any = TEST) -> Any:
    return recording.recording("test", actor=actor, at=NOON, reason="an attempt of a test")


def test_the_database_refuses_a_reviewer_who_administers() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)

    with pytest.raises(DatabaseError, match="administrator reviews no access"), altered():
        AccessReview.objects.create(
            number="AR-2026-9999", due_on=NOON.date(), opened_at=NOON, reviewer=administrator
        )


def test_the_database_refuses_a_decision_of_an_administrator(quality: User) -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    review = reviews.open_(actor=quality, at=NOON)

    with pytest.raises(DatabaseError, match="administrator reviews no access"), altered():
        review.lines.filter(person=quality).update(
            outcome="keep", reason=WHY, decided_by=administrator, decided_at=NOON
        )


def test_the_database_refuses_a_decision_about_oneself(quality: User, colleague: User) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    mine = review.lines.filter(person=quality)
    whole = {"outcome": "keep", "reason": WHY, "decided_at": NOON}

    with pytest.raises(DatabaseError, match="not written by the person"), altered(quality):
        mine.update(**whole, decided_by=colleague)
    with pytest.raises(IntegrityError, match="review_line_not_by_oneself"), altered():
        mine.update(**whole, decided_by=quality)


@pytest.mark.parametrize(
    "change", [{"roles": ""}, {"is_active": False}, {"outcome": "remove"}, {"reason": "another"}]
)
def test_the_database_keeps_a_decided_line(
    quality: User, colleague: User, change: dict[str, Any]
) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    decided(review, quality, colleague)

    with pytest.raises(DatabaseError, match="stays as it is recorded"), altered():
        AccessReviewLine.objects.filter(review=review, person=colleague).update(**change)


def test_the_database_closes_no_review_with_undecided_accounts(quality: User) -> None:
    review = reviews.open_(actor=quality, at=NOON)

    with pytest.raises(DatabaseError, match="that nobody decided on"), altered():
        AccessReview.objects.filter(pk=review.pk).update(
            state="closed", closed_at=NOON, closed_by=quality, conclusion=WHY
        )


def test_the_database_reopens_no_review(quality: User, colleague: User) -> None:
    review = reviews.open_(actor=quality, at=NOON)
    decided(review, quality, colleague)
    reviews.close(review, conclusion=WHY, actor=quality, at=NOON)

    with pytest.raises(DatabaseError, match="stays as it is recorded"), altered():
        AccessReview.objects.filter(pk=review.pk).update(
            state="open", closed_at=None, closed_by=None, conclusion=""
        )


# --- The letter


@pytest.mark.requirement("P11-100c")
def test_the_letter_to_the_agency_is_missing_until_it_is_recorded(quality: User) -> None:
    assert certification.letter() is None

    certification.record(
        reference="ESIG-2025-01", sent_on=NOON.date() - DAY, addressed_to="FDA, Rockville",
        actor=quality, at=NOON,
    )  # fmt: skip
    newer = certification.record(
        reference="ESIG-2026-01", sent_on=NOON.date(), addressed_to="FDA, Rockville",
        actor=quality, at=NOON,
    )  # fmt: skip

    assert certification.letter() == newer


@pytest.mark.requirement("P11-100c")
@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"reference": " "}, certification.LetterInvalid),
        ({"sent_on": NOON.date() + DAY}, certification.LetterInvalid),
        ({"reference": "ESIG-1"}, certification.LetterKnown),
    ],
)
def test_a_letter_has_a_reference_of_its_own_and_was_sent(
    quality: User, said: dict[str, Any], refusal: type[Exception]
) -> None:
    given = {"reference": "ESIG-1", "sent_on": NOON.date(), "addressed_to": "FDA, Rockville"}
    certification.record(**given, actor=quality, at=NOON)

    with pytest.raises(refusal):
        certification.record(**{**given, "reference": "ESIG-2", **said}, actor=quality, at=NOON)
