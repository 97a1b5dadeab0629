"""Deviations, CAPAs, changes, risks and reviews of the trail."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from batches.execution import batches
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.quality import (
    capas,
    change_work,
    changes,
    classifications,
    deviations,
    recurrences,
    risks,
    scope,
    trail_reviews,
)
from compliance.quality.classifications import Answers
from compliance.quality.deviations import Findings
from compliance.quality.models import (
    Capa,
    CapaKind,
    CapaSource,
    Category,
    Change,
    ChangeClass,
    Deviation,
    Dimension,
    Effect,
    EntryOutcome,
    ImpactKind,
    Risk,
    RootCause,
    Scale,
    Severity,
    TrailReview,
)
from compliance.quality.rating_spread import Numbers
from compliance.trail import recording
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind
from tests.factories.common import NOON, TEST
from tests.factories.people import confirmed, person, somebody


def deviation(
    about: Batch | None = None, *, severity: Severity = Severity.MAJOR, at: datetime = NOON,
    title: str = "Temperature outside of its limits",
) -> Deviation:  # fmt: skip
    """Return an open deviation, linked to a batch when one is named."""
    said = {
        "title": title,
        "description": "The temperature of the bioreactor left its limits; seen in the trend.",
    }
    actor = somebody(Role.OPERATOR, at=at)
    if about is None:
        return deviations.open_(severity=severity, occurred_at=at, actor=actor, at=at, **said)
    return batches.open_deviation(
        about, severity=severity, occurred_at=at, actor=actor, at=at, **said
    )


FINDINGS = Findings(
    root_cause_category=RootCause.EQUIPMENT,
    root_cause="The jacket valve stuck half open.",
    impact="One batch; the antibody was within its limits.",
    conclusion="The product is not affected.",
)


def closed_deviation(about: Batch | None = None, *, at: datetime = NOON) -> Deviation:
    """Return a deviation that one person investigated and signed, and another one closed."""
    return closed(deviation(about, at=at), at=at)


def closed(opened: Deviation, *, at: datetime = NOON) -> Deviation:
    """Investigate, sign and close a deviation, by two people."""
    investigator = somebody(Role.PROCESS_ENGINEER, at=at)
    investigated = deviations.investigate(
        opened, findings=FINDINGS, actor=investigator, at=at, reason="first investigation"
    )
    considered(investigated, by=investigator, at=at)
    deviations.sign_investigation(investigated, confirmed=confirmed(investigator, at=at))
    return deviations.close(
        investigated,
        confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at),
        reason="investigated to its conclusion",
    )


class TestAction(StrEnum):
    __test__ = False
    WRITTEN = "test.written"


def considered(of: Deviation, *, by: User, at: datetime = NOON) -> None:
    """Classify a deviation, and answer whatever its scope and its recurrences ask."""
    classifications.classify(
        of,
        answers=Answers(touches_cpp=True),
        rationale="a critical parameter left its range",
        actor=somebody(Role.QUALITY_ASSURANCE, at=at),
        at=at,
    )
    for neighbour in scope.extend(of, actor=by, at=at):
        scope.decide(
            neighbour,
            effect=Effect.NOT_AFFECTED,
            reason="made without the part that failed",
            actor=by,
            at=at,
        )
    if recurrences.unanswered(of):
        recurrences.answer(
            of, is_recurrence=False, text="another cause than before", actor=by, at=at
        )


def investigated_deviation(about: Batch | None = None, *, at: datetime = NOON) -> Deviation:
    """Return a deviation that lacks only the signatures."""
    opened = deviation(about, at=at)
    investigator = somebody(Role.PROCESS_ENGINEER, at=at)
    made = deviations.investigate(
        opened, findings=FINDINGS, actor=investigator, at=at, reason="first investigation"
    )
    considered(made, by=investigator, at=at)
    made.refresh_from_db()
    return made


def capa(*, owner: User | None = None, follows: Capa | None = None, at: datetime = NOON) -> Capa:
    """Return a drafted CAPA with one action of its owner."""
    author = somebody(Role.PROCESS_ENGINEER, at=at)
    owner = owner or somebody(Role.SUPERVISOR, at=at)
    plan = capas.Plan(
        title="Replace the jacket valve",
        problem="The jacket valve sticks half open when it is hot.",
        kind=CapaKind.CORRECTIVE,
        source=CapaSource.AUDIT,
        source_text="self inspection of the utilities",
        owner=owner,
        due_on=(at + timedelta(days=30)).date(),
        criterion="No deviation of the temperature in three months.",
        check_due_on=(at + timedelta(days=120)).date(),
        follows=follows,
    )
    made = capas.open_(plan=plan, actor=author, at=at)
    capas.add_action(
        made, text="fit the new valve", owner=owner, due_on=plan.due_on, actor=author, at=at
    )
    return made


def approved_capa(**given: Any) -> Capa:
    return capas.approve(capa(**given), confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE)))


def implemented_capa(**given: Any) -> Capa:
    made = approved_capa(**given)
    for action in made.actions.select_related("owner"):
        capas.finish_action(
            action, evidence="work order 4711, photograph", actor=action.owner, at=NOON
        )
    return capas.implement(made, actor=made.owner, at=NOON, reason="the new valve is fitted")


def checked_capa(*, is_effective: bool, **given: Any) -> Capa:
    made = implemented_capa(**given)
    capas.check(
        made,
        is_effective=is_effective,
        observed="three months of the trend were read",
        actor=somebody(Role.QC_SUPERVISOR),
        at=NOON,
    )
    made.refresh_from_db()
    return made


def change(*, is_emergency: bool = False, at: datetime = NOON) -> Change:
    """Return a minor change that was asked for."""
    return changes.request(
        wish=changes.Wish(
            title="Another make of valve",
            description="The jacket valve is replaced by one of another make.",
            justification="The present make is no longer delivered.",
            classification=ChangeClass.MINOR,
            is_emergency=is_emergency,
        ),
        actor=somebody(Role.PROCESS_ENGINEER, at=at),
        at=at,
    )


def assessed_change(**given: Any) -> Change:
    made = change(**given)
    for kind in ImpactKind:
        changes.assess_impact(
            made, kind=kind, is_affected=False, assessment="looked at; nothing of it is touched",
            actor=made.requester, at=NOON,
        )  # fmt: skip
    changes.add_task(
        made, text="fit the valve", owner=made.requester, due_on=NOON.date(),
        actor=made.requester, at=NOON,
    )  # fmt: skip
    return changes.finish_assessment(
        made, actor=made.requester, at=NOON, reason="every kind was looked at"
    )


def approved_change(**given: Any) -> Change:
    return changes.approve(
        assessed_change(**given), function="quality",
        confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE)),
    )  # fmt: skip


def implemented_change(**given: Any) -> Change:
    made = approved_change(**given)
    for task in made.tasks.select_related("owner"):
        change_work.finish_task(task, outcome="fitted and tested", actor=task.owner, at=NOON)
    return change_work.implement(
        made, effective_on=NOON.date(), actor=made.requester, at=NOON, reason="the valve is in"
    )


def scale(*, at: datetime = NOON) -> Scale:
    """Return scales from 1 to 5, severe from 4 on."""
    words = [f"a meaning of the number {number}" for number in range(1, 6)]
    return risks.define_scale(
        title="Scales of the demonstration plant", levels=dict.fromkeys(Dimension, words),
        severe_from=4, confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at),
    )  # fmt: skip


def risk(*ratings: tuple[int, int, int], at: datetime = NOON) -> Risk:
    """Return a risk with one failure mode, rated by as many people as there are ratings."""
    if not Scale.objects.exists():
        scale(at=at)
    author = somebody(Role.PROCESS_ENGINEER, at=at)
    made = risks.open_(
        subject=risks.Subject(
            title="Heating of the bioreactor", scope="The jacket and its valve, without the pumps.",
            category=Category.EQUIPMENT,
        ),
        actor=author, at=at,
    )  # fmt: skip
    mode = risks.add_mode(
        made,
        mode=risks.Mode("The valve sticks", "The cells die", "Wear of the seat"),
        actor=author,
        at=at,
    )
    for numbers in ratings:
        risks.rate(
            mode, numbers=Numbers(*numbers), rationale="by the record of repairs",
            actor=person(Role.SUPERVISOR, at=at), at=at,
        )  # fmt: skip
    return made


def decided_risk(*, is_accepted: bool = True, at: datetime = NOON) -> Risk:
    return risks.decide(
        risk((2, 2, 2), (2, 3, 2), at=at), is_accepted=is_accepted,
        rationale="the effect is small and would be seen within minutes",
        review_due_on=(at + timedelta(days=365)).date(),
        confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at),
    )  # fmt: skip


def trail_review(of: Deviation, *, reviewer: User | None = None) -> TrailReview:
    """Return an open review of the entries of one deviation."""
    wanted = Wanted(kind=Kind.RECORD, records=(("quality_deviation", str(of.pk)),))
    return trail_reviews.open_(
        wanted, seed="seed of a test", actor=reviewer or somebody(Role.QUALITY_ASSURANCE), at=NOON
    )


def concluded_trail_review(of: Deviation) -> TrailReview:
    made = trail_review(of)
    for sampled in made.sample.order_by("entry"):
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=made.reviewer, at=NOON
        )
    return trail_reviews.conclude(
        made, conclusion="nothing was found", confirmed=confirmed(made.reviewer)
    )


def acting(reason: str = "changed by a test") -> Any:
    """Return an act in which a test writes rows itself, as a raw statement would."""
    return recording.recording(TestAction.WRITTEN, actor=TEST, at=NOON, reason=reason)
