"""Do what a form or a body asks of a deviation: one domain call each."""

from typing import Any

from compliance.access.acts import Occasion
from compliance.quality import (
    causes,
    classifications,
    deviations,
    due_dates,
    recurrences,
    scope,
)
from compliance.quality.acts import found
from compliance.quality.classifications import Answers
from compliance.quality.models import (
    Category,
    CauseConsidered,
    Classification,
    Deviation,
    Effect,
    Extension,
    Finding,
    Neighbour,
    RecurrenceAnswer,
    RootCause,
    Severity,
)
from compliance.quality.scope import Suggestion
from compliance.signatures.forms import confirmed


def open_(occasion: Occasion) -> Deviation:
    given = occasion.values
    return deviations.open_(
        title=given["title"],
        description=given["description"],
        severity=Severity(given["severity"]),
        occurred_at=given["occurred_at"],
        category=Category(given.get("category", "")),
        concerns=given.get("concerns", ""),
        immediate_action=given.get("immediate_action", ""),
        follows=found.deviation(given.get("follows", "")),
        actor=occasion.actor,
        at=occasion.at,
    )


def act_at_once(occasion: Occasion) -> Deviation:
    return deviations.act_at_once(
        occasion.record, text=occasion.values["text"], actor=occasion.actor, at=occasion.at
    )


def classify(occasion: Occasion) -> Classification:
    given: dict[str, Any] = dict(occasion.values)
    severity, rationale = given.pop("severity", ""), given.pop("rationale")
    return classifications.classify(
        occasion.record,
        answers=Answers(**given),
        rationale=rationale,
        severity=Severity(severity) if severity else None,
        actor=occasion.actor,
        at=occasion.at,
    )


def consider_cause(occasion: Occasion) -> CauseConsidered:
    given = occasion.values
    return causes.consider(
        occasion.record,
        category=RootCause(given["category"]),
        cause=given["cause"],
        finding=Finding(given["finding"]),
        how=given["how"],
        actor=occasion.actor,
        at=occasion.at,
    )


def extend_scope(occasion: Occasion) -> list[Neighbour]:
    return scope.extend(occasion.record, actor=occasion.actor, at=occasion.at)


def add_neighbour(occasion: Occasion) -> Neighbour:
    given = occasion.values
    suggestion = Suggestion(kind=given["kind"], name=given["name"], because=given["because"])
    return scope.add(occasion.record, suggestion=suggestion, actor=occasion.actor, at=occasion.at)


def decide_neighbour(occasion: Occasion) -> Neighbour:
    given = occasion.values
    return scope.decide(
        found.part(occasion.record.neighbours, given["neighbour"]),
        effect=Effect(given["effect"]),
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )


def answer_recurrence(occasion: Occasion) -> RecurrenceAnswer:
    return recurrences.answer(
        occasion.record,
        is_recurrence=bool(occasion.values["is_recurrence"]),
        text=occasion.values["text"],
        actor=occasion.actor,
        at=occasion.at,
    )


def ask_extension(occasion: Occasion) -> Extension:
    given = occasion.values
    return due_dates.ask(
        occasion.record,
        until=given["until"],
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )


def answer_extension(occasion: Occasion) -> Extension:
    given = occasion.values
    return due_dates.answer(
        found.part(occasion.record.extensions, given["extension"]),
        is_granted=bool(given["is_granted"]),
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )


def cancel(occasion: Occasion) -> Deviation:
    original = found.deviation(occasion.values["original"])
    if original is None:
        raise found.NoSuchRecord("name the deviation that this one duplicates")
    return deviations.cancel(
        occasion.record,
        original=original,
        confirmed=confirmed(occasion),
        reason=occasion.values["reason"],
    )
