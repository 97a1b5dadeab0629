"""Do what a form or a body asks of a risk or its scales: one domain call each."""

from compliance.access.acts import Occasion
from compliance.quality import risks
from compliance.quality.acts import found
from compliance.quality.models import (
    Category,
    Dimension,
    FailureMode,
    Rating,
    Risk,
    RiskReview,
    Scale,
)
from compliance.quality.rating_spread import Numbers
from compliance.quality.risks import Mode, Subject
from compliance.signatures.forms import confirmed


def define_scale(occasion: Occasion) -> Scale:
    given = occasion.values
    return risks.define_scale(
        title=given["title"],
        levels={dimension: _lines(given[dimension.value]) for dimension in Dimension},
        severe_from=given["severe_from"],
        confirmed=confirmed(occasion),
    )


def open_(occasion: Occasion) -> Risk:
    given = occasion.values
    subject = Subject(
        title=given["title"],
        scope=given["scope"],
        category=Category(given.get("category", "")),
        concerns=given.get("concerns", ""),
    )
    return risks.open_(subject=subject, actor=occasion.actor, at=occasion.at)


def add_mode(occasion: Occasion) -> FailureMode:
    given = occasion.values
    mode = Mode(
        text=given["text"],
        effect=given["effect"],
        cause=given["cause"],
        controls=given.get("controls", ""),
    )
    return risks.add_mode(occasion.record, mode=mode, actor=occasion.actor, at=occasion.at)


def rate(occasion: Occasion) -> Rating:
    given = occasion.values
    return risks.rate(
        found.part(occasion.record.modes, given["mode"]),
        numbers=Numbers(given["severity"], given["occurrence"], given["detection"]),
        rationale=given["rationale"],
        actor=occasion.actor,
        at=occasion.at,
    )


def decide(occasion: Occasion) -> Risk:
    given = occasion.values
    return risks.decide(
        occasion.record,
        is_accepted=bool(given["is_accepted"]),
        rationale=given["rationale"],
        resolved=given.get("resolved", ""),
        review_due_on=given["review_due_on"],
        confirmed=confirmed(occasion),
    )


def review(occasion: Occasion) -> RiskReview:
    given = occasion.values
    return risks.review(
        occasion.record,
        text=given["text"],
        is_rated_again=bool(given["is_rated_again"]),
        next_due_on=given.get("next_due_on"),
        actor=occasion.actor,
        at=occasion.at,
    )


def retire(occasion: Occasion) -> Risk:
    return risks.retire(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )


def _lines(texts: str | list[str]) -> list[str]:
    """Read definitions as a list, or as a person writes them: a line each."""
    if isinstance(texts, str):
        return [line.strip() for line in texts.splitlines() if line.strip()]
    return texts
