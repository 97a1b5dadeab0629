"""Do what a form or a body asks of a change: one domain call each."""

from compliance.access.acts import Occasion
from compliance.quality import change_work, changes
from compliance.quality.acts import found
from compliance.quality.changes import Wish
from compliance.quality.models import Change, ChangeClass, ChangeTask, Impact, ImpactKind
from compliance.signatures.forms import confirmed


def request(occasion: Occasion) -> Change:
    given = occasion.values
    wish = Wish(
        title=given["title"],
        description=given["description"],
        justification=given["justification"],
        classification=ChangeClass(given["classification"]),
        is_emergency=bool(given.get("is_emergency", False)),
        risk=found.risk(given.get("risk", "")),
    )
    return changes.request(wish=wish, actor=occasion.actor, at=occasion.at)


def assess_impact(occasion: Occasion) -> Impact:
    given = occasion.values
    return changes.assess_impact(
        occasion.record,
        kind=ImpactKind(given["kind"]),
        identifier=given.get("identifier", ""),
        is_affected=bool(given["is_affected"]),
        assessment=given["assessment"],
        actor=occasion.actor,
        at=occasion.at,
    )


def add_task(occasion: Occasion) -> ChangeTask:
    given = occasion.values
    return changes.add_task(
        occasion.record,
        text=given["text"],
        owner=found.person(given["owner"]),
        due_on=given["due_on"],
        actor=occasion.actor,
        at=occasion.at,
    )


def let_emergency(occasion: Occasion) -> Change:
    return changes.let_emergency(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )


def finish_assessment(occasion: Occasion) -> Change:
    return changes.finish_assessment(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )


def approve(occasion: Occasion) -> Change:
    return changes.approve(
        occasion.record,
        function=occasion.values["function"],
        comment=occasion.values.get("comment", ""),
        confirmed=confirmed(occasion),
    )


def reject(occasion: Occasion) -> Change:
    return changes.reject(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )


def finish_task(occasion: Occasion) -> ChangeTask:
    given = occasion.values
    return change_work.finish_task(
        found.part(occasion.record.tasks, given["task"]),
        outcome=given["outcome"],
        actor=occasion.actor,
        at=occasion.at,
    )


def implement(occasion: Occasion) -> Change:
    given = occasion.values
    return change_work.implement(
        occasion.record,
        effective_on=given["effective_on"],
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )


def review(occasion: Occasion) -> Change:
    return change_work.review(
        occasion.record, text=occasion.values["text"], actor=occasion.actor, at=occasion.at
    )


def close(occasion: Occasion) -> Change:
    return change_work.close(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )


def withdraw(occasion: Occasion) -> Change:
    return change_work.withdraw(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )
