"""Do what a form or a body asks of a review: one domain call each."""

from collections.abc import Iterable, Mapping
from typing import Any

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
from compliance.refusals import Refused
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
    return _assess(occasion, occasion.values)


def assess_each(occasion: Occasion) -> list[SampledEntry]:
    """Say of several entries what came of each: all of them, or none."""
    return _assess_all(occasion, occasion.values["assessments"])


def assess_alike(occasion: Occasion) -> TrailReview:
    """Say of several entries that none raises a concern: all of them, or none."""
    alike = {"outcome": EntryOutcome.NO_CONCERN, "text": occasion.values["text"]}
    _assess_all(occasion, [alike | {"sampled": one} for one in occasion.values["sampled"]])
    return occasion.record  # type: ignore[no-any-return]


def _assess_all(occasion: Occasion, assessments: Iterable[Mapping[str, Any]]) -> list[SampledEntry]:
    assessed = []
    with transaction.atomic():
        for place, given in enumerate(assessments):
            try:
                assessed.append(_assess(occasion, given))
            except Refused as refused:
                pointer = f"/assessments/{place}"
                refused.errors = [
                    {"pointer": pointer, "code": refused.code, "detail": str(refused)}
                ]
                raise
    return assessed


def _assess(occasion: Occasion, given: Mapping[str, Any]) -> SampledEntry:
    return trail_reviews.assess(
        found.part(occasion.record.sample, given["sampled"]),
        outcome=EntryOutcome(given["outcome"]),
        text=given.get("text", ""),
        deviation=found.deviation(given.get("deviation", "")),
        actor=occasion.actor,
        at=occasion.at,
    )


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
