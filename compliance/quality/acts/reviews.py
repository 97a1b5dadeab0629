"""Do what a form or a body asks of a review: one domain call each."""

from django.db import transaction

from compliance.access.acts import Occasion
from compliance.quality import periodic_reviews, trail_reviews
from compliance.quality.acts import found
from compliance.quality.models import (
    EntryOutcome,
    PeriodicReview,
    SampledEntry,
    TrailReview,
)
from compliance.signatures.forms import confirmed
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind


def open_trail_review(occasion: Occasion) -> TrailReview:
    given = occasion.values
    wanted = Wanted(
        kind=Kind(given["kind"]),
        name=given.get("name", ""),
        records=tuple((table, key) for table, key in given.get("records", ())),
        start=given.get("start"),
        end=given.get("end"),
    )
    return trail_reviews.open_(wanted, seed=given["seed"], actor=occasion.actor, at=occasion.at)


def assess(occasion: Occasion) -> SampledEntry:
    given = occasion.values
    return trail_reviews.assess(
        found.part(occasion.record.sample, given["sampled"]),
        outcome=EntryOutcome(given["outcome"]),
        text=given.get("text", ""),
        deviation=found.deviation(given.get("deviation", "")),
        actor=occasion.actor,
        at=occasion.at,
    )


def assess_alike(occasion: Occasion) -> TrailReview:
    """Say of several entries that none raises a concern: all of them, or none."""
    with transaction.atomic():
        for number in occasion.values["sampled"]:
            trail_reviews.assess(
                found.part(occasion.record.sample, number),
                outcome=EntryOutcome.NO_CONCERN,
                text=occasion.values["text"],
                actor=occasion.actor,
                at=occasion.at,
            )
    return occasion.record  # type: ignore[no-any-return]


def conclude_trail_review(occasion: Occasion) -> TrailReview:
    return trail_reviews.conclude(
        occasion.record, conclusion=occasion.values["conclusion"], confirmed=confirmed(occasion)
    )


def abandon(occasion: Occasion) -> TrailReview:
    return trail_reviews.abandon(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )


def open_periodic_review(occasion: Occasion) -> PeriodicReview:
    given = occasion.values
    return periodic_reviews.open_(
        system=given["system"],
        starts_on=given["starts_on"],
        ends_on=given["ends_on"],
        actor=occasion.actor,
        at=occasion.at,
    )


def conclude_periodic_review(occasion: Occasion) -> PeriodicReview:
    given = occasion.values
    return periodic_reviews.conclude(
        occasion.record,
        conclusion=given["conclusion"],
        next_due_on=given["next_due_on"],
        confirmed=confirmed(occasion),
    )
