"""Every state x step x role of quality's records: allowed, or refused with its code and unchanged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Role
from compliance.quality import (
    capas,
    causes,
    change_work,
    changes,
    classifications,
    deviations,
    due_dates,
    periodic_reviews,
    recurrences,
    risks,
    scope,
    states,
    trail_reviews,
)
from compliance.quality.classifications import Answers
from compliance.quality.models import (
    CapaState,
    ChangeState,
    DeviationState,
    Effect,
    EntryOutcome,
    Extension,
    Finding,
    ImpactKind,
    Neighbour,
    PeriodicReview,
    ReviewState,
    RiskState,
    RootCause,
    TrailReviewState,
)
from compliance.quality.rating_spread import Numbers
from compliance.quality.scope import Suggestion
from compliance.quality.states import (
    OfCapa,
    OfChange,
    OfDeviation,
    OfPeriodicReview,
    OfRisk,
    OfTrailReview,
)
from compliance.quality.transitions import Machine
from compliance.refusals import Refused
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DAY = NOON.date()
WHY = "because the matrix asks for it"
Do = Callable[[Any, Any], object]


def signed(actor: Any) -> Any:
    return factories.confirmed(actor)


# --- Records in each state


def _neighbour(deviation: Any) -> Neighbour:
    return deviation.neighbours.get(name="V-101")


def deviation_in(state: str) -> Any:
    factories.deviation()  # looks like it, and was there before
    is_new = state == DeviationState.OPEN
    made = factories.deviation() if is_new else factories.investigated_deviation()
    engineer = factories.person(Role.PROCESS_ENGINEER)
    scope.add(made, suggestion=Suggestion("equipment", "V-101", WHY), actor=engineer, at=NOON)
    scope.decide(_neighbour(made), effect=Effect.NOT_AFFECTED, reason=WHY, actor=engineer, at=NOON)
    due_dates.ask(made, until=made.due_on + timedelta(days=9), reason=WHY, actor=engineer, at=NOON)
    if state in (DeviationState.UNDER_INVESTIGATION, DeviationState.CLOSED):
        deviations.sign_investigation(made, confirmed=signed(engineer))
    quality = factories.person(Role.QUALITY_ASSURANCE)
    if state == DeviationState.CLOSED:
        deviations.close(made, confirmed=signed(quality), reason=WHY)
    if state == DeviationState.CANCELLED:
        deviations.cancel(
            made, original=factories.deviation(), confirmed=signed(quality), reason=WHY
        )
    made.refresh_from_db()
    return made


def capa_in(state: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        CapaState.DRAFT: factories.capa,
        CapaState.APPROVED: factories.approved_capa,
        CapaState.IMPLEMENTED: factories.implemented_capa,
        CapaState.EFFECTIVE: lambda: factories.checked_capa(is_effective=True),
        CapaState.INEFFECTIVE: lambda: factories.checked_capa(is_effective=False),
    }
    if state in makers:
        made = makers[state]()
        if state == CapaState.INEFFECTIVE:
            factories.approved_capa(follows=made)
        return made
    if state == CapaState.CANCELLED:
        made = factories.capa()
        return capas.cancel(
            made, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON, reason=WHY
        )
    return capas.close(
        factories.checked_capa(is_effective=True),
        confirmed=signed(factories.person(Role.QUALITY_ASSURANCE)),
        reason=WHY,
    )


def _with_task(change: Any) -> Any:
    changes.add_task(
        change, text=WHY, owner=change.requester, due_on=DAY, actor=change.requester, at=NOON
    )
    return change


def change_in(state: str) -> Any:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    match state:
        case ChangeState.REQUESTED:
            made = _with_task(factories.change(is_emergency=True))
            for kind in ImpactKind:
                changes.assess_impact(
                    made, kind=kind, is_affected=False, assessment=WHY, actor=quality, at=NOON
                )
            return made
        case ChangeState.ASSESSED:
            return factories.assessed_change()
        case ChangeState.APPROVED:
            return factories.approved_change()
        case ChangeState.IMPLEMENTED:
            return factories.implemented_change()
        case ChangeState.REJECTED:
            made = _with_task(factories.change())
            return changes.reject(made, confirmed=signed(quality), reason=WHY)
        case ChangeState.CANCELLED:
            made = _with_task(factories.change())
            return change_work.withdraw(made, actor=made.requester, at=NOON, reason=WHY)
    made = change_work.review(factories.implemented_change(), text=WHY, actor=quality, at=NOON)
    if state == ChangeState.CLOSED:
        return change_work.close(made, confirmed=signed(quality), reason=WHY)
    return made


def risk_in(state: str) -> Any:
    if state == RiskState.RATING:
        return factories.risk((2, 2, 2), (2, 2, 3))
    made = factories.decided_risk(is_accepted=state != RiskState.TO_MITIGATE)
    if state == RiskState.RETIRED:
        return risks.retire(
            made, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON, reason=WHY
        )
    return made


def trail_review_in(state: str) -> Any:
    deviation = factories.deviation()
    if state == TrailReviewState.CONCLUDED:
        return factories.concluded_trail_review(deviation)
    made = factories.trail_review(deviation)
    if state == TrailReviewState.ABANDONED:
        return trail_reviews.abandon(made, actor=made.reviewer, at=NOON, reason=WHY)
    for sampled in made.sample.all():
        _assess(sampled, made.reviewer)
    return made


def periodic_review_in(state: str) -> Any:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    made = periodic_reviews.open_(
        system=f"The plant {PeriodicReview.objects.count()}",
        starts_on=DAY - timedelta(days=90),
        ends_on=DAY,
        actor=quality,
        at=NOON,
    )
    return _conclude(made, quality) if state == ReviewState.CONCLUDED else made


# --- Steps, as somebody else than the people who made the record


def _assess(sampled: Any, actor: Any) -> object:
    return trail_reviews.assess(
        sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=actor, at=NOON
    )


def _conclude(review: Any, actor: Any) -> Any:
    return periodic_reviews.conclude(
        review, conclusion=WHY, next_due_on=DAY + timedelta(days=365), confirmed=signed(actor)
    )


def _pending_extension(deviation: Any) -> Extension:
    return deviation.extensions.get()


def _ask(deviation: Any, actor: Any) -> object:
    if deviation.extensions.filter(is_granted=None).exists() and deviation.is_open:
        quality = factories.person(Role.QUALITY_ASSURANCE)
        due_dates.answer(
            deviation.extensions.get(), is_granted=False, reason=WHY, actor=quality, at=NOON
        )
    until = deviation.due_on + timedelta(days=3)
    return due_dates.ask(deviation, until=until, reason=WHY, actor=actor, at=NOON)


DEVIATION_STEPS: dict[Any, Do] = {
    OfDeviation.NOTE: lambda one, by: deviations.note(one, text=WHY, actor=by, at=NOON),
    OfDeviation.ACT_AT_ONCE: lambda one, by: deviations.act_at_once(
        one, text=WHY, actor=by, at=NOON
    ),
    OfDeviation.CLASSIFY: lambda one, by: classifications.classify(
        one, answers=Answers(is_released=True), rationale=WHY, actor=by, at=NOON
    ),
    OfDeviation.INVESTIGATE: lambda one, by: deviations.investigate(
        one, findings=factories.FINDINGS, actor=by, at=NOON, reason=WHY
    ),
    OfDeviation.CONSIDER_CAUSE: lambda one, by: causes.consider(
        one, category=RootCause.METHOD, cause="the procedure", finding=Finding.RULED_OUT,
        how=WHY, actor=by, at=NOON,
    ),
    OfDeviation.EXTEND_SCOPE: lambda one, by: scope.extend(one, actor=by, at=NOON),
    OfDeviation.DECIDE_NEIGHBOUR: lambda one, by: scope.decide(
        _neighbour(one), effect=Effect.AFFECTED, reason=WHY, actor=by, at=NOON
    ),
    OfDeviation.ANSWER_RECURRENCE: lambda one, by: recurrences.answer(
        one, is_recurrence=True, text=WHY, actor=by, at=NOON
    ),
    OfDeviation.ASK_EXTENSION: _ask,
    OfDeviation.ANSWER_EXTENSION: lambda one, by: due_dates.answer(
        _pending_extension(one), is_granted=True, reason=WHY, actor=by, at=NOON
    ),
    OfDeviation.SIGN: lambda one, by: deviations.sign_investigation(one, confirmed=signed(by)),
    OfDeviation.CLOSE: lambda one, by: deviations.close(one, confirmed=signed(by), reason=WHY),
    OfDeviation.CANCEL: lambda one, by: deviations.cancel(
        one, original=factories.deviation(), confirmed=signed(by), reason=WHY
    ),
}  # fmt: skip


def _finish_action(capa: Any, actor: Any) -> object:
    action = capa.actions.get()
    if capa.state == CapaState.APPROVED:  # it is theirs to finish
        with factories.acting():
            action.owner = actor
            action.save()
    return capas.finish_action(action, evidence=WHY, actor=actor, at=NOON)


def _implement_capa(capa: Any, actor: Any) -> object:
    if capa.state == CapaState.APPROVED:
        capas.finish_action(capa.actions.get(), evidence=WHY, actor=capa.owner, at=NOON)
    return capas.implement(capa, actor=actor, at=NOON, reason=WHY)


CAPA_STEPS: dict[Any, Do] = {
    OfCapa.ADD_ACTION: lambda one, by: capas.add_action(
        one, text=WHY, owner=by, due_on=one.due_on, actor=by, at=NOON
    ),
    OfCapa.APPROVE: lambda one, by: capas.approve(one, confirmed=signed(by)),
    OfCapa.FINISH_ACTION: _finish_action,
    OfCapa.POSTPONE: lambda one, by: capas.postpone(
        one, due_on=one.due_on, check_due_on=one.check_due_on + timedelta(days=9),
        actor=by, at=NOON, reason=WHY,
    ),
    OfCapa.IMPLEMENT: _implement_capa,
    OfCapa.CHECK: lambda one, by: capas.check(
        one, is_effective=True, observed=WHY, actor=by, at=NOON
    ),
    OfCapa.CLOSE: lambda one, by: capas.close(one, confirmed=signed(by), reason=WHY),
    OfCapa.CANCEL: lambda one, by: capas.cancel(one, actor=by, at=NOON, reason=WHY),
}  # fmt: skip


def _finish_task(change: Any, actor: Any) -> object:
    if change.state in (ChangeState.APPROVED, ChangeState.REQUESTED, ChangeState.ASSESSED):
        with factories.acting():
            change.tasks.update(owner=actor)
            change.emergency_at, change.is_emergency = NOON, True
            change.save()
    return change_work.finish_task(change.tasks.get(), outcome=WHY, actor=actor, at=NOON)


def _implement_change(change: Any, actor: Any) -> object:
    if change.state == ChangeState.APPROVED:
        change_work.finish_task(change.tasks.get(), outcome=WHY, actor=change.requester, at=NOON)
    return change_work.implement(change, effective_on=DAY, actor=actor, at=NOON, reason=WHY)


def _withdraw(change: Any, actor: Any) -> object:
    if change.state in (ChangeState.REQUESTED, ChangeState.ASSESSED):
        with factories.acting():
            change.requester = actor
            change.save()
    return change_work.withdraw(change, actor=actor, at=NOON, reason=WHY)


CHANGE_STEPS: dict[Any, Do] = {
    OfChange.ASSESS_IMPACT: lambda one, by: changes.assess_impact(
        one, kind=ImpactKind.RECIPE, is_affected=False, assessment=WHY, actor=by, at=NOON
    ),
    OfChange.ADD_TASK: lambda one, by: changes.add_task(
        one, text=WHY, owner=by, due_on=DAY, actor=by, at=NOON
    ),
    OfChange.LET_EMERGENCY: lambda one, by: changes.let_emergency(
        one, confirmed=signed(by), reason=WHY
    ),
    OfChange.FINISH_ASSESSMENT: lambda one, by: changes.finish_assessment(
        one, actor=by, at=NOON, reason=WHY
    ),
    OfChange.APPROVE: lambda one, by: changes.approve(
        one, function="quality", confirmed=signed(by)
    ),
    OfChange.REJECT: lambda one, by: changes.reject(one, confirmed=signed(by), reason=WHY),
    OfChange.FINISH_TASK: _finish_task,
    OfChange.IMPLEMENT: _implement_change,
    OfChange.REVIEW: lambda one, by: change_work.review(one, text=WHY, actor=by, at=NOON),
    OfChange.CLOSE: lambda one, by: change_work.close(one, confirmed=signed(by), reason=WHY),
    OfChange.CANCEL: _withdraw,
}
RISK_STEPS: dict[Any, Do] = {
    OfRisk.ADD_MODE: lambda one, by: risks.add_mode(
        one, mode=risks.Mode("It leaks", "It is lost", "A worn seal"), actor=by, at=NOON
    ),
    OfRisk.RATE: lambda one, by: risks.rate(
        one.modes.get(), numbers=Numbers(1, 1, 1), rationale=WHY, actor=by, at=NOON
    ),
    OfRisk.DECIDE: lambda one, by: risks.decide(
        one, is_accepted=True, rationale=WHY, review_due_on=DAY + timedelta(days=99),
        confirmed=signed(by),
    ),
    OfRisk.REVIEW: lambda one, by: risks.review(
        one, text=WHY, is_rated_again=True, next_due_on=None, actor=by, at=NOON
    ),
    OfRisk.RETIRE: lambda one, by: risks.retire(one, actor=by, at=NOON, reason=WHY),
}  # fmt: skip


def _as_reviewer(review: Any, actor: Any) -> Any:
    """A review is its reviewer's: the role is asked of somebody who is not, the state of them."""
    return review.reviewer if Role.QUALITY_ASSURANCE in actor.roles else actor


TRAIL_REVIEW_STEPS: dict[Any, Do] = {
    OfTrailReview.ASSESS: lambda one, by: _assess(one.sample.first(), _as_reviewer(one, by)),
    OfTrailReview.CONCLUDE: lambda one, by: trail_reviews.conclude(
        one, conclusion=WHY, confirmed=signed(_as_reviewer(one, by))
    ),
    OfTrailReview.ABANDON: lambda one, by: trail_reviews.abandon(
        one, actor=by, at=NOON, reason=WHY
    ),
}
PERIODIC_REVIEW_STEPS: dict[Any, Do] = {OfPeriodicReview.CONCLUDE: _conclude}
DRIVEN: list[tuple[Machine, Callable[[str], Any], dict[Any, Do]]] = [
    (states.DEVIATION, deviation_in, DEVIATION_STEPS),
    (states.CAPA, capa_in, CAPA_STEPS),
    (states.CHANGE, change_in, CHANGE_STEPS),
    (states.RISK, risk_in, RISK_STEPS),
    (states.TRAIL_REVIEW, trail_review_in, TRAIL_REVIEW_STEPS),
    (states.PERIODIC_REVIEW, periodic_review_in, PERIODIC_REVIEW_STEPS),
]
# A function's yes takes a role that speaks for it: a rule of its own beside the duty to read.
OTHERWISE = {
    (states.CHANGE.model, OfChange.APPROVE, role): changes.NotOfFunction
    for role in Role
    if role != Role.QUALITY_ASSURANCE
}
# The one of the two who may review that is not this review's reviewer.
OTHERWISE |= {
    (states.TRAIL_REVIEW.model, step, Role.QUALIFIED_PERSON): trail_reviews.NotReviewer
    for step in (OfTrailReview.ASSESS, OfTrailReview.CONCLUDE)
}


ENDS = {
    (states.DEVIATION.model, DeviationState.CLOSED): "deviation-closed",
    (states.DEVIATION.model, DeviationState.CANCELLED): "deviation-cancelled",
}


def _expected(machine: Machine, state: str, step: Any, role: Role) -> str | None:
    """Return the code of the refusal that is expected, or None when the step is to be done."""
    if machine.duties[step] not in DUTIES[role]:
        return NotPermitted.code
    if step not in machine.allowed[state]:
        return ENDS.get((machine.model, state)) or machine.refusal("").code
    other = OTHERWISE.get((machine.model, step, role))
    return other.code if other else None


def _row(record: Any) -> dict[str, Any]:
    return type(record).objects.filter(pk=record.pk).values()[0]


@pytest.mark.parametrize(
    ("machine", "state"),
    [(machine, state) for machine in states.MACHINES for state in machine.allowed],
    ids=lambda one: getattr(one, "model", type(one)).__name__ if isinstance(one, Machine) else one,
)
@pytest.mark.requirement("P11-f1", "P11-g1")
def test_every_step_in_every_state_by_every_role(machine: Machine, state: str) -> None:
    _, made_in, steps = next(one for one in DRIVEN if one[0] is machine)
    record = made_in(state)
    assert record.state == state
    people = {role: factories.person(role) for role in Role}

    wrong = []
    for step in machine.duties:
        for role, person in people.items():
            with transaction.atomic():
                expected = _expected(machine, state, step, role)
                stale = type(record).objects.get(pk=record.pk)
                try:
                    steps[step](stale, person)
                    got = None
                except Refused as refused:
                    got = refused.code
                    is_unchanged = _row(record)["state"] == state
                    if not is_unchanged:
                        wrong.append((step, role, "changed"))
                if got != expected:
                    wrong.append((step, role, f"expected {expected}, got {got}"))
                transaction.set_rollback(True)

    assert wrong == []


def test_every_machine_names_every_state_and_step() -> None:
    assert [machine for machine, _, _ in DRIVEN] == list(states.MACHINES)
    for machine, _, steps in DRIVEN:
        choices = {value for value, _ in machine.model._meta.get_field("state").choices}
        assert set(machine.allowed) == set(machine.moves) == choices
        assert set(steps) == set(machine.duties)
        done = frozenset().union(*machine.allowed.values())
        assert done == set(machine.duties)


@pytest.mark.parametrize("machine", states.MACHINES, ids=lambda one: one.model.__name__)
def test_the_trigger_of_the_table_holds_the_same_moves(machine: Machine) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(tgargs, 'escape'), tgenabled FROM pg_trigger "
            "WHERE tgname = 'keep_states' AND tgrelid = to_regclass(%s)",
            [machine.model._meta.db_table],
        )
        found, enabled = cursor.fetchone()

    moves, ends, first = found.split("\\000")[:3]
    assert enabled == "A"
    assert moves == states.arguments(machine)
    assert set(ends.split(",")) == {str(one) for one in states.ends(machine)}
    assert first == machine.model._meta.get_field("state").default


def test_every_guard_that_a_model_declares_is_there_and_always_fires() -> None:
    from compliance.trail import capture

    with connection.cursor() as cursor:
        for model in apps.get_app_config("quality").get_models(include_auto_created=True):
            control = capture.control_of(model)
            assert control is not None, model
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) "
                "AND NOT tgisinternal AND tgname NOT LIKE 'zz%%' AND tgenabled = 'A'",
                [model._meta.db_table],
            )
            assert {name for (name,) in cursor.fetchall()} == set(control.guards), model
