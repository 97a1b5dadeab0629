"""Every state x step x caller of quality's records: allowed, or refused with its own code."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Role
from compliance.access.models import User
from compliance.quality import (
    capas,
    change_work,
    changes,
    deviations,
    due_dates,
    periodic_reviews,
    risks,
    scope,
    states,
    trail_reviews,
)
from compliance.quality.models import (
    Capa,
    CapaState,
    Change,
    ChangeState,
    Deviation,
    DeviationState,
    Effect,
    EntryOutcome,
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
from tests import factories, matrix
from tests.factories import NOON, PASSWORD
from tests.matrix import Asked, Caller, Kind

pytestmark = pytest.mark.django_db
DAY = NOON.date()
WHY = "because the matrix asks for it"
SIGNED = {"password": PASSWORD}
Do = Callable[[Any, Any], object]
Ask = Callable[[Any, Caller], Asked]


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


def capa_in(state: str, owner: User | None = None) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        CapaState.DRAFT: lambda: factories.capa(owner=owner),
        CapaState.APPROVED: lambda: factories.approved_capa(owner=owner),
        CapaState.IMPLEMENTED: lambda: factories.implemented_capa(owner=owner),
        CapaState.EFFECTIVE: lambda: factories.checked_capa(is_effective=True, owner=owner),
        CapaState.INEFFECTIVE: lambda: factories.checked_capa(is_effective=False, owner=owner),
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


# --- What a review asks for, by whoever does it


def _assess(sampled: Any, actor: Any) -> object:
    return trail_reviews.assess(
        sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=actor, at=NOON
    )


def _conclude(review: Any, actor: Any) -> Any:
    return periodic_reviews.conclude(
        review, conclusion=WHY, next_due_on=DAY + timedelta(days=365), confirmed=signed(actor)
    )


# --- Deviations, CAPA and changes: over the API, where what is refused goes on record


def _said(path: str, *, method: str = "POST", **said: Any) -> Ask:
    """Return the request of an act on a record."""
    return lambda one, by: Asked(f"{_FOLDERS[type(one)]}/{one.number}/{path}", said, method)


_FOLDERS: dict[type, str] = {Deviation: "deviations", Capa: "capas", Change: "changes"}


def _of_part(relation: str, path: str, **said: Any) -> Ask:
    """Return the request of an act on the one part that a record has."""
    return lambda one, by: _said(f"{relation}/{getattr(one, relation).get().pk}/{path}", **said)(
        one, by
    )


def _neighbour_decision(one: Deviation, by: Caller) -> Asked:
    said = {"effect": Effect.AFFECTED, "reason": WHY}
    return _said(f"neighbours/{_neighbour(one).pk}/decision", **said)(one, by)


def _answered(deviation: Deviation, by: Any) -> None:
    """One wish waits at a time: answer the one that does, so that another may be asked."""
    quality = factories.person(Role.QUALITY_ASSURANCE)
    due_dates.answer(
        deviation.extensions.get(), is_granted=False, reason=WHY, actor=quality, at=NOON
    )


def _cancellation(one: Deviation, by: Caller) -> Asked:
    original = Deviation.objects.order_by("pk").first()
    assert original is not None
    return _said("cancellation", original=original.number, reason=WHY, **SIGNED)(one, by)


_CLASSIFIED = dict.fromkeys(
    ("harms_patient", "is_integrity_in_doubt", "touches_cqa", "touches_cpp", "breaks_procedure"),
    False,
)
_FOUND = {
    "root_cause_category": factories.FINDINGS.root_cause_category,
    "root_cause": factories.FINDINGS.root_cause,
    "impact": factories.FINDINGS.impact,
    "conclusion": "The product is not affected, as the retained samples show.",
}
ENDS = {
    DeviationState.CLOSED: states.DeviationClosed.code,
    DeviationState.CANCELLED: states.DeviationCancelled.code,
}


def _kind(
    machine: Machine, made_in: Callable[..., Any], ask: dict[Any, Ask], made_for: str = "",
    **more: Any,
) -> Kind:  # fmt: skip
    return Kind(
        allowed=machine.allowed,
        duties={step: frozenset({duty}) for step, duty in machine.duties.items()},
        made_in=lambda state, crew: made_in(state, *([crew[made_for].actor] if made_for else [])),
        ask=ask,
        **{"refusal": lambda state, step: machine.refusal("").code, **more},
    )


DEVIATION = _kind(
    states.DEVIATION,
    deviation_in,
    {
        OfDeviation.NOTE: _said("notes", text=WHY),
        OfDeviation.ACT_AT_ONCE: _said("immediate-actions", text=WHY),
        OfDeviation.CLASSIFY: _said(
            "classifications", **_CLASSIFIED, is_released=True, rationale=WHY
        ),
        OfDeviation.INVESTIGATE: _said("investigation", method="PUT", **_FOUND, reason=WHY),
        OfDeviation.CONSIDER_CAUSE: _said(
            "causes", category=RootCause.METHOD, cause="the procedure", how=WHY,
            finding=Finding.RULED_OUT,
        ),
        OfDeviation.EXTEND_SCOPE: _said("scope"),
        OfDeviation.DECIDE_NEIGHBOUR: _neighbour_decision,
        OfDeviation.ANSWER_RECURRENCE: _said("recurrences", is_recurrence=True, text=WHY),
        OfDeviation.ASK_EXTENSION: _said("extensions", until="2027-12-31", reason=WHY),
        OfDeviation.ANSWER_EXTENSION: _of_part("extensions", "answer", is_granted=True, reason=WHY),
        OfDeviation.SIGN: _said("signatures", meaning="investigated", **SIGNED),
        OfDeviation.CLOSE: _said("closure", reason=WHY, **SIGNED),
        OfDeviation.CANCEL: _cancellation,
    },
    refusal=lambda state, step: ENDS.get(state, states.DeviationStateForbids.code),
    prepare={OfDeviation.ASK_EXTENSION: _answered},
    finds=frozenset({OfDeviation.EXTEND_SCOPE}),
)  # fmt: skip


OWNER = "owner of the action"


def _for_its_owner(state: str, step: OfCapa, caller: Caller) -> str | None:
    """An action is its owner's to finish; the effect of it is for another person to check."""
    is_owner = caller.name == OWNER
    if step == OfCapa.FINISH_ACTION and not is_owner:
        return capas.CapaActionNotYours.code
    return capas.CapaOwnWork.code if step == OfCapa.CHECK and is_owner else None


def _finished_actions(capa: Capa, by: User) -> None:
    capas.finish_action(capa.actions.get(), evidence=WHY, actor=capa.owner, at=NOON)


def _postponement(one: Capa, by: Caller) -> Asked:
    later = one.check_due_on + timedelta(days=9)
    return _said(
        "postponement", due_on=str(one.due_on), check_due_on=str(later), reason=WHY
    )(one, by)  # fmt: skip


CAPA = _kind(
    states.CAPA,
    capa_in,
    {
        OfCapa.ADD_ACTION: lambda one, by: _said(
            "actions", text=WHY, owner=one.owner.username, due_on=str(one.due_on)
        )(one, by),
        OfCapa.APPROVE: _said("approval", **SIGNED),
        OfCapa.FINISH_ACTION: _of_part("actions", "completion", evidence=WHY),
        OfCapa.POSTPONE: _postponement,
        OfCapa.IMPLEMENT: _said("implementation", reason=WHY),
        OfCapa.CHECK: _said("checks", is_effective=True, observed=WHY),
        OfCapa.CLOSE: _said("closure", reason=WHY, **SIGNED),
        OfCapa.CANCEL: _said("cancellation", reason=WHY),
    },
    prepare={OfCapa.IMPLEMENT: _finished_actions},
    otherwise=_for_its_owner,
    also={OWNER: Role.SUPERVISOR},
    made_for=OWNER,
)


def _own_task(change: Change, by: User) -> None:
    """A task is for who asked to finish, once the change was approved or let as an emergency."""
    with factories.acting():
        change.requester = by
        change.emergency_at, change.is_emergency = NOON, True
        change.save()


def _finished_tasks(change: Change, by: User) -> None:
    change_work.finish_task(change.tasks.get(), outcome=WHY, actor=change.requester, at=NOON)


def _own_wish(change: Change, by: User) -> None:
    """A wish is withdrawn by who had it."""
    with factories.acting():
        change.requester = by
        change.save()


def _for_quality(state: str, step: OfChange, caller: Caller) -> str | None:
    """A function's yes takes a role that speaks for it: a rule of its own beside the duty to read."""
    speaks = Role.QUALITY_ASSURANCE in getattr(caller.actor, "roles", ())
    return changes.NotOfFunction.code if step == OfChange.APPROVE and not speaks else None


CHANGE = _kind(
    states.CHANGE,
    change_in,
    {
        OfChange.ASSESS_IMPACT: _said(
            "impacts", kind=ImpactKind.RECIPE, is_affected=False, assessment=WHY
        ),
        OfChange.ADD_TASK: lambda one, by: _said(
            "tasks", text=WHY, owner=one.requester.username, due_on=str(DAY)
        )(one, by),
        OfChange.LET_EMERGENCY: _said("emergency", reason=WHY, **SIGNED),
        OfChange.FINISH_ASSESSMENT: _said("assessment", reason=WHY),
        OfChange.APPROVE: _said("approvals", function="quality", **SIGNED),
        OfChange.REJECT: _said("rejection", reason=WHY, **SIGNED),
        OfChange.FINISH_TASK: _of_part("tasks", "completion", outcome=WHY),
        OfChange.IMPLEMENT: _said("implementation", effective_on=str(DAY), reason=WHY),
        OfChange.REVIEW: _said("review", text=WHY),
        OfChange.CLOSE: _said("closure", reason=WHY, **SIGNED),
        OfChange.CANCEL: _said("withdrawal", reason=WHY),
    },
    prepare={
        OfChange.FINISH_TASK: _own_task, OfChange.IMPLEMENT: _finished_tasks,
        OfChange.CANCEL: _own_wish,
    },
    otherwise=_for_quality,
)  # fmt: skip
KINDS: dict[type, Kind] = {Deviation: DEVIATION, Capa: CAPA, Change: CHANGE}


@pytest.mark.requirement("P11-f1", "P11-g1", "211-192")
def test_a_deviation_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(DEVIATION)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(DEVIATION)


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_capa_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(CAPA)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(CAPA)


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_change_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(CHANGE)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(CHANGE)


# --- Risks and reviews


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
    (states.RISK, risk_in, RISK_STEPS),
    (states.TRAIL_REVIEW, trail_review_in, TRAIL_REVIEW_STEPS),
    (states.PERIODIC_REVIEW, periodic_review_in, PERIODIC_REVIEW_STEPS),
]
# The one of the two who may review that is not this review's reviewer.
OTHERWISE = {
    (states.TRAIL_REVIEW.model, step, Role.QUALIFIED_PERSON): trail_reviews.NotReviewer
    for step in (OfTrailReview.ASSESS, OfTrailReview.CONCLUDE)
}


def _expected(machine: Machine, state: str, step: Any, role: Role) -> str | None:
    """Return the code of the refusal that is expected, or None when the step is to be done."""
    if machine.duties[step] not in DUTIES[role]:
        return NotPermitted.code
    if step not in machine.allowed[state]:
        return machine.refusal("").code
    other = OTHERWISE.get((machine.model, step, role))
    return other.code if other else None


def _row(record: Any) -> dict[str, Any]:
    return type(record).objects.filter(pk=record.pk).values()[0]


@pytest.mark.parametrize(
    ("machine", "state"),
    [(machine, state) for machine, _, _ in DRIVEN for state in machine.allowed],
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
    by_hand = {machine.model: steps for machine, _, steps in DRIVEN}
    for machine in states.MACHINES:
        steps = KINDS[machine.model].ask if machine.model in KINDS else by_hand[machine.model]
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
