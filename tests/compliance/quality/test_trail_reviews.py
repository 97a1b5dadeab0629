"""Reviews of the trail: drawn by risk and by seed, independent, and stale when entries follow."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from batches.execution.models import EventKind
from compliance.access.duties import Role
from compliance.quality import deviations, trail_reviews, trail_rules, trail_samples
from compliance.quality.models import EntryOutcome, SampledEntry, TrailReview
from compliance.quality.trail_reviews import (
    ReviewerInvolved,
    TrailReviewIncomplete,
    TrailReviewStale,
)
from compliance.quality.trail_rules import Fact
from compliance.quality.trail_scopes import ScopeOpenEnded
from compliance.signatures import signing
from compliance.trail.models import Entry
from compliance.trail.subjects import NoSuchSubject, Wanted
from compliance.trail.verifier.contents import Kind
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "the entries say what the batch record says"


def _fact(**given: Any) -> Fact:
    facts: dict[str, Any] = {
        "entry": 1, "acted_at": NOON, "actor": "ada", "role": "operator", "action": "a.b",
        "op": "insert", "record": "execution_batch", "old": {}, "new": {},
    }  # fmt: skip
    return Fact(**{**facts, **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"op": "update", "old": {"a": "1"}, "new": {"a": "2"}}, ["value-changed"]),
        ({"op": "update", "old": {"a": ""}, "new": {"a": "2"}}, []),
        ({"op": "update", "old": {"state": "open"}, "new": {"state": "closed"}}, []),
        ({"op": "delete"}, ["deleted"]),
        ({"new": {"occurred_at": "2026-03-02T10:00:00Z"}}, ["late-entry"]),
        ({"new": {"occurred_at": "2026-03-02T11:30:00Z"}}, []),
        ({"new": {"occurred_at": "not a moment"}}, []),
        ({"acted_at": NOON.replace(hour=2)}, ["out-of-hours"]),
        ({"acted_at": NOON - timedelta(days=1)}, ["out-of-hours"]),  # a Sunday
        ({"acted_at": NOON.replace(hour=2), "role": "device"}, []),
        ({"record": "trail_refusal"}, ["refused-act"]),
        ({"role": "system-administrator"}, ["administration"]),
        ({"new": {"version": "2"}}, ["corrected"]),
        ({"new": {"version": 1}}, []),
        ({"record": "access_roleassignment"}, ["role-changed"]),
        ({"record": "access_signin", "new": {"outcome": "wrong"}}, ["credentials-refused"]),
    ],
)
@pytest.mark.requirement("PI041-9.8")
def test_the_rules_draw_what_is_risky(given: Mapping[str, Any], expected: list[str]) -> None:
    assert trail_rules.reasons(_fact(**given)) == expected


@pytest.mark.requirement("PI041-9.8")
def test_the_sample_follows_from_the_seed_alone() -> None:
    entries = list(range(1, 1001))
    targeted = {7: ["deleted"], 9: []}
    drawn = trail_samples.draw(entries, targeted=targeted, seed="dice 4711", random="random")
    shuffled = entries[:]
    random.Random(1).shuffle(shuffled)

    again = trail_samples.draw(shuffled, targeted=targeted, seed="dice 4711", random="random")
    other = trail_samples.draw(entries, targeted=targeted, seed="dice 4712", random="random")

    assert drawn == again
    assert set(drawn) != set(other)
    assert drawn[7] == ["deleted"]
    assert sum(why == ["random"] for why in drawn.values()) == 31  # the root of 999


@pytest.mark.requirement("PI041-9.8")
def test_nobody_chooses_a_seed_that_leaves_an_entry_out() -> None:
    """Else a reviewer tries seeds until one leaves out what they do not want to see."""
    deviation = factories.deviation()

    seeds = {factories.trail_review(deviation).seed for _ in range(3)}

    assert len(seeds) == 3
    assert all(len(seed) == len("seed of a test ") + 32 for seed in seeds)


@pytest.mark.requirement("PI041-9.8")
def test_a_review_that_is_given_up_leaves_its_sample_to_the_next_one() -> None:
    deviation = factories.deviation()
    operator = person(Role.OPERATOR)
    for number in range(40):
        deviations.act_at_once(deviation, text=f"step {number} was done", actor=operator, at=NOON)
    first = factories.trail_review(deviation)
    trail_reviews.abandon(
        first, actor=first.reviewer, at=NOON, reason="the sample does not please me"
    )
    second = factories.trail_review(deviation)  # and this one is just left open

    third = factories.trail_review(deviation)

    drawn = {one.entry: one.reasons for one in third.sample.all()}
    before = {
        one.entry
        for one in SampledEntry.objects.filter(review__in=[first, second])
    }  # fmt: skip
    assert before <= drawn.keys()
    assert all(trail_rules.DRAWN_BEFORE in drawn[entry] for entry in before)


def test_a_review_of_something_else_does_not_stand_for_a_batch_whose_name_it_bears() -> None:
    batch = factories.completed_batch()
    other = factories.concluded_trail_review(factories.deviation())
    values = TrailReview.objects.filter(pk=other.pk).values()[0]
    values |= {
        "id": None, "number": "TR-2026-9999", "state": "open", "kind": "batch",
        "name": batch.number, "conclusion": "", "concluded_at": None,
    }  # fmt: skip
    with factories.acting():
        made = TrailReview.objects.create(**values)
    trail_reviews.conclude(made, conclusion=WHY, confirmed=confirmed(made.reviewer))

    assert trail_reviews.current_of(Kind.BATCH, batch.number) is None
    with pytest.raises(IntegrityError, match="name is never changed"):
        opened = factories.trail_review(factories.deviation())
        with transaction.atomic(), factories.acting():
            TrailReview.objects.filter(pk=opened.pk).update(name=batch.number)


@pytest.mark.requirement("PI041-9.8")
def test_of_a_plant_that_works_at_night_each_person_and_kind_of_act_keeps_its_share() -> None:
    """Many harmless entries of the night take no place from the one that is not harmless."""
    harmless = dict.fromkeys(range(1, 10001), ("ada", "comment"))
    groups = harmless | {20_001: ("ada", "correct"), 20_002: ("eve", "comment")}
    targeted = {entry: ["out-of-hours"] for entry in groups} | {7: ["deleted", "out-of-hours"]}

    kept = trail_samples.thinned(
        targeted, rule="out-of-hours", groups=groups, seed="dice 4711 and more"
    )

    drawn = {entry for entry, reasons in kept.items() if reasons}
    assert {7, 20_001, 20_002} <= drawn
    assert len(drawn) == 99 + 3  # the root of 9,999, and what no such share is of
    assert kept == trail_samples.thinned(
        targeted, rule="out-of-hours", groups=groups, seed="dice 4711 and more"
    )
    again = trail_samples.thinned(targeted, rule="out-of-hours", groups=groups, seed="other")
    assert kept != again


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 1), (5, 5), (6, 5), (36, 6), (1000, 31), (99999, 60)]
)
def test_the_random_part_grows_with_the_root(count: int, expected: int) -> None:
    assert trail_samples.size(count) == expected


@pytest.mark.requirement("PI041-9.8")
def test_both_kinds_of_sample_are_present_and_recorded() -> None:
    deviation = factories.investigated_deviation()
    deviations.investigate(
        deviation, findings=replace(factories.FINDINGS, impact="Two batches."), at=NOON,
        actor=person(Role.SUPERVISOR), reason="another batch was made with the valve",
    )  # fmt: skip
    review = factories.trail_review(deviation)

    reasons = [why for one in review.sample.all() for why in one.reasons]

    assert "random" in reasons
    assert "value-changed" in reasons
    assert review.seed.startswith("seed of a test ")
    assert (review.rules, review.hours) == (trail_rules.VERSION, "1-5 05:00-21:00 (UTC)")
    assert review.entry_count == Entry.objects.of_record("quality_deviation", deviation.pk).count()


@pytest.mark.requirement("A11D-12", "PI041-9.6")
def test_a_reviewer_who_made_an_entry_in_the_scope_is_refused() -> None:
    deviation = factories.investigated_deviation()
    involved = person(Role.QUALITY_ASSURANCE)
    deviations.act_at_once(deviation, text="the feed was stopped", actor=involved, at=NOON)

    with pytest.raises(ReviewerInvolved):
        factories.trail_review(deviation, reviewer=involved)

    review = factories.trail_review(deviation)
    with pytest.raises(IntegrityError, match="what is reviewed does not change"):
        with transaction.atomic(), factories.acting():
            TrailReview.objects.filter(pk=review.pk).update(reviewer=involved)
    values = TrailReview.objects.filter(pk=review.pk).values()[0]
    values |= {"id": None, "number": "TR-2026-9999", "reviewer_id": involved.pk}
    with pytest.raises(IntegrityError, match="made entries in the scope"):
        with transaction.atomic(), factories.acting():
            TrailReview.objects.create(**values)


@pytest.mark.requirement("A11-9", "PI041-9.6")
def test_a_review_is_concluded_when_each_drawn_entry_is_assessed() -> None:
    review = factories.trail_review(factories.deviation())
    with pytest.raises(TrailReviewIncomplete, match="to be assessed"):
        trail_reviews.conclude(review, conclusion=WHY, confirmed=confirmed(review.reviewer))
    with pytest.raises(IntegrityError, match="nobody assessed"):
        with transaction.atomic(), factories.acting():
            TrailReview.objects.filter(pk=review.pk).update(
                state="concluded", concluded_at=NOON, conclusion=WHY
            )
    for sampled in review.sample.all():
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=review.reviewer, at=NOON
        )
    with pytest.raises(IntegrityError, match="not signed by its reviewer"):
        with transaction.atomic(), factories.acting():
            TrailReview.objects.filter(pk=review.pk).update(
                state="concluded", concluded_at=NOON, conclusion=WHY
            )

    done = trail_reviews.conclude(review, conclusion=WHY, confirmed=confirmed(review.reviewer))

    (signature,) = signing.of(done)
    assert signing.is_current(signature, done)
    assert trail_reviews.is_current(done)
    with pytest.raises(IntegrityError):
        with transaction.atomic(), factories.acting():
            SampledEntry.objects.update(outcome="", text="")


def test_a_finding_is_said_in_words_and_may_have_a_deviation() -> None:
    review = factories.trail_review(factories.deviation())
    sampled = review.sample.all()[0]
    with pytest.raises(Exception, match="no reason"):
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.FINDING, text="bad", actor=review.reviewer, at=NOON
        )

    made = trail_reviews.assess(
        sampled, outcome=EntryOutcome.FINDING, text="entered two days after it happened",
        actor=review.reviewer, at=NOON, deviation=factories.deviation(),
    )  # fmt: skip

    assert made.deviation is not None
    assert trail_reviews.state(review).findings == 1


@pytest.mark.requirement("A11-9", "PI041-9.6")
def test_a_new_entry_in_the_scope_makes_a_review_stale() -> None:
    deviation = factories.deviation()
    review = factories.concluded_trail_review(deviation)
    assert trail_reviews.is_current(review)

    deviations.act_at_once(
        deviation, text="the feed was stopped", actor=person(Role.OPERATOR), at=NOON
    )

    assert not trail_reviews.is_current(review)
    standing = trail_reviews.state(review)
    assert (standing.is_concluded, standing.is_current) == (True, False)
    assert standing.entries_now == standing.entries + 1


def test_a_review_whose_scope_has_moved_on_is_not_concluded() -> None:
    deviation = factories.deviation()
    review = factories.trail_review(deviation)
    for sampled in review.sample.all():
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=review.reviewer, at=NOON
        )
    deviations.act_at_once(
        deviation, text="the feed was stopped", actor=person(Role.OPERATOR), at=NOON
    )

    with pytest.raises(TrailReviewStale):
        trail_reviews.conclude(review, conclusion=WHY, confirmed=confirmed(review.reviewer))

    trail_reviews.abandon(review, actor=person(Role.QUALIFIED_PERSON), at=NOON, reason=WHY)


def test_all_records_of_a_batch_are_reviewed_by_its_number() -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="a line after its review")
    wanted = Wanted(kind=Kind.BATCH, name=batch.number)
    review = trail_reviews.open_(
        wanted, seed="a seed of this test", actor=person(Role.QUALITY_ASSURANCE), at=NOON
    )
    for sampled in review.sample.all():
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=review.reviewer, at=NOON
        )
    assert trail_reviews.current_of(Kind.BATCH, batch.number) is None

    done = trail_reviews.conclude(review, conclusion=WHY, confirmed=confirmed(review.reviewer))

    assert trail_reviews.current_of(Kind.BATCH, batch.number) == done
    assert done.entry_count > 5
    factories.deviation(batch)
    assert trail_reviews.current_of(Kind.BATCH, batch.number) is None


def test_what_a_person_did_is_reviewed_up_to_a_moment_that_has_passed() -> None:
    operator = person(Role.OPERATOR)
    deviation = factories.deviation()
    deviations.act_at_once(deviation, text="the feed was stopped", actor=operator, at=NOON)
    now = datetime.now(UTC) + timedelta(seconds=5)
    wanted = Wanted(kind=Kind.PERSON, name=operator.username, end=now)
    with pytest.raises(ScopeOpenEnded):
        trail_reviews.open_(
            wanted, seed="seed of a test", actor=person(Role.QUALITY_ASSURANCE), at=NOON
        )

    review = trail_reviews.open_(
        wanted, seed="seed of a test", actor=person(Role.QUALITY_ASSURANCE), at=now
    )

    assert review.entry_count >= 1
    assert review.actors == operator.username
    with pytest.raises(NoSuchSubject):
        trail_reviews.open_(
            Wanted(kind=Kind.BATCH, name="none"), seed="seed of a test",
            actor=person(Role.QUALITY_ASSURANCE), at=NOON,
        )  # fmt: skip
