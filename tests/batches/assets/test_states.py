"""Every state, act and role: what the tables allow works, all else is refused with its own code."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from batches.assets import (
    calibrations,
    cleanings,
    equipment,
    equipment_states,
    genealogy,
    ledger,
    lot_states,
    lots,
    parts,
    qualifications,
    reconciling,
    upkeep,
)
from batches.assets.cleanings import Method
from batches.assets.equipment_states import CLEANING_ALLOWED, CleaningStep, Step
from batches.assets.lot_states import LotStep
from batches.assets.models import (
    CleaningState,
    Equipment,
    EquipmentState,
    LotState,
    MaterialLot,
    MovementKind,
    Stage,
)
from batches.assets.parts import Part
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import Procedure, User
from compliance.refusals import Refused
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
PART = Part(manufacturer="Pumpworks", model="P-10", serial_number="7")
WHY = "as the plan of this year says"


@dataclass(frozen=True)
class Scene:
    """One piece of equipment or one lot, with what an attempt needs beside it."""

    equipment: Equipment
    procedure: Procedure
    lot: MaterialLot
    other_lot: MaterialLot
    stage: int


Attempt = Callable[[Scene, User], object]


def _amend(scene: Scene, who: User) -> object:
    needs = upkeep.Needs(
        location="Suite 2", calibration_interval_days=30, dirty_hold_hours=None,
        clean_hold_hours=None, service_after_hours=None,
    )  # fmt: skip
    return upkeep.amend(scene.equipment, needs=needs, actor=who, at=LATER, reason=WHY)


def _record_stage(scene: Scene, who: User) -> object:
    report = qualifications.StageReport(
        stage=Stage.PQ, protocol="VP-1", report="VR-1", summary="All criteria are met.",
        performed_on=NOON.date(),
    )  # fmt: skip
    return qualifications.record(scene.equipment, report=report, actor=who, at=LATER)


def _approve_stage(scene: Scene, who: User) -> object:
    stage = scene.equipment.qualifications.get(pk=scene.stage)
    return qualifications.approve(stage, confirmed=factories.confirmed(who, at=LATER))


def _qualify(scene: Scene, who: User) -> object:
    signer = factories.confirmed(who, at=LATER)
    return qualifications.qualify(scene.equipment, confirmed=signer, reason=WHY)


def _set(step: Step) -> Attempt:
    return lambda scene, who: equipment.set_state(
        scene.equipment, step, actor=who, at=LATER, reason=WHY
    )


def _change_part(scene: Scene, who: User) -> object:
    return parts.replace(
        scene.equipment, component="pump", old=PART, new=PART, is_like_for_like=True,
        changed_at=LATER, actor=who, at=LATER, reason=WHY,
    )  # fmt: skip


def _calibrate(scene: Scene, who: User) -> object:
    measured = calibrations.Measured(
        performed_at=LATER, as_found="ok", as_found_in_tolerance=True, as_left="ok",
        as_left_in_tolerance=True, reference_standard="W", certificate="C",
    )  # fmt: skip
    return calibrations.record(scene.equipment, measured=measured, actor=who, at=LATER)


def _clean(scene: Scene, who: User) -> object:
    method = Method(procedure=scene.procedure)
    return cleanings.start(scene.equipment, method=method, actor=who, at=LATER)


def _use(scene: Scene, who: User) -> object:
    return equipment.mark_used(
        scene.equipment, purpose="batch B-1", by_text="om", at=LATER, actor=who
    )


EQUIPMENT: dict[Step, tuple[Attempt, frozenset[Role]]] = {
    Step.AMEND: (_amend, frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER})),
    Step.RECORD_QUALIFICATION: (
        _record_stage,
        frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER}),
    ),
    Step.APPROVE_QUALIFICATION: (_approve_stage, frozenset({Role.QUALITY_ASSURANCE})),
    Step.QUALIFY: (_qualify, frozenset({Role.QUALITY_ASSURANCE})),
    Step.WITHDRAW: (_set(Step.WITHDRAW), frozenset({Role.QUALITY_ASSURANCE})),
    Step.TAKE_OUT: (_set(Step.TAKE_OUT), frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER})),
    Step.RETURN: (_set(Step.RETURN), frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER})),
    Step.RETIRE: (_set(Step.RETIRE), frozenset({Role.QUALITY_ASSURANCE})),
    Step.CHANGE_PART: (_change_part, frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER})),
    Step.CALIBRATE: (_calibrate, frozenset({Role.MAINTENANCE})),
    Step.CLEAN: (_clean, frozenset({Role.OPERATOR, Role.SUPERVISOR})),
    Step.SERVICE: (
        lambda scene, who: upkeep.service(scene.equipment, actor=who, at=LATER, reason=WHY),
        frozenset({Role.MAINTENANCE, Role.PROCESS_ENGINEER}),
    ),
    Step.USE: (
        _use,
        frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.QC_ANALYST, Role.QC_SUPERVISOR}),
    ),
}


def _move(kind: MovementKind, amount: str) -> Attempt:
    line = ledger.Line(reason=WHY, location="B")
    return lambda scene, who: ledger.move(
        scene.lot, kind, quantity=Decimal(amount), unit="kg", line=line, actor=who, at=LATER
    )


def _decide(how: Callable[..., object]) -> Attempt:
    return lambda scene, who: how(
        scene.lot, confirmed=factories.confirmed(who, at=LATER), reason=WHY
    )


def _set_aside(how: Callable[..., object]) -> Attempt:
    return lambda scene, who: how(scene.lot, actor=who, at=LATER, reason=WHY)


def _change_dates(scene: Scene, who: User) -> object:
    return lots.change_dates(
        scene.lot, expires_on=LATER.date(), retest_on=None, actor=who, at=LATER, reason=WHY
    )


def _count(scene: Scene, who: User) -> object:
    return reconciling.count(
        scene.lot, counted=Decimal(25), unit="kg", actor=who, at=LATER, explanation=WHY
    )


def _link(scene: Scene, who: User) -> object:
    return genealogy.link(
        scene.lot, child=scene.other_lot, quantity=Decimal(1), unit="kg", actor=who, at=LATER
    )


QA = frozenset({Role.QUALITY_ASSURANCE})
HANDLERS = frozenset({Role.WAREHOUSE, Role.OPERATOR, Role.SUPERVISOR})
LOTS: dict[LotStep, tuple[Attempt, frozenset[Role]]] = {
    LotStep.RELEASE: (_decide(lots.release), QA),
    LotStep.REJECT: (_decide(lots.reject), QA),
    LotStep.BLOCK: (_set_aside(lots.block), QA),
    LotStep.QUARANTINE: (_set_aside(lots.quarantine), QA),
    LotStep.CHANGE_DATES: (_change_dates, QA),
    LotStep.DISPENSE: (_move(MovementKind.DISPENSED, "1"), HANDLERS),
    LotStep.RETURN: (_move(MovementKind.RETURNED, "1"), HANDLERS),
    LotStep.SAMPLE: (
        _move(MovementKind.SAMPLED, "1"),
        frozenset({Role.WAREHOUSE, Role.QC_ANALYST, Role.QC_SUPERVISOR}),
    ),
    LotStep.SCRAP: (_move(MovementKind.SCRAPPED, "1"), HANDLERS),
    LotStep.ADJUST: (
        _move(MovementKind.ADJUSTED, "1"),
        frozenset({Role.WAREHOUSE, Role.QUALITY_ASSURANCE}),
    ),
    LotStep.MOVE: (_move(MovementKind.MOVED, "0"), frozenset({Role.WAREHOUSE})),
    LotStep.COUNT: (_count, frozenset({Role.WAREHOUSE})),
    LotStep.LINK: (_link, frozenset({Role.OPERATOR, Role.SUPERVISOR})),
}


def outcome(attempt: Attempt, scene: Scene, who: User) -> str:
    """Return "done" or the code of the refusal; whatever was done is undone."""
    try:
        with transaction.atomic():
            attempt(scene, who)
            transaction.set_rollback(True)
    except Refused as refused:
        return refused.code
    return "done"


def _equipment_in(state: str) -> Equipment:
    held = factories.registered_equipment(calibration_interval_days=30, is_cleaned=True)
    factories.qualified(held)
    factories.calibrated(held)
    factories.cleaned(held)
    step = {
        EquipmentState.IN_QUALIFICATION: Step.TAKE_OUT, EquipmentState.OUT_OF_SERVICE: Step.TAKE_OUT,
        EquipmentState.RETIRED: Step.RETIRE,
    }.get(EquipmentState(state))  # fmt: skip
    for one in (step, Step.RETURN if state == EquipmentState.IN_QUALIFICATION else None):
        if one is not None:
            role = Role.QUALITY_ASSURANCE if one == Step.RETIRE else Role.MAINTENANCE
            actor = factories.person(role)
            equipment.set_state(held, one, actor=actor, at=NOON, reason=WHY)
    return Equipment.objects.get(pk=held.pk)


def _lot_in(state: str) -> MaterialLot:
    lot = factories.received_lot()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    if state == LotState.RELEASED:
        lots.release(lot, confirmed=factories.confirmed(quality), reason=WHY)
    elif state == LotState.REJECTED:
        lots.reject(lot, confirmed=factories.confirmed(quality), reason=WHY)
    elif state == LotState.BLOCKED:
        lots.block(lot, actor=quality, at=NOON, reason=WHY)
    return MaterialLot.objects.get(pk=lot.pk)


def _scene(*, equipment_state: str = "qualified", lot_state: str = "released") -> Scene:
    procedure = factories.procedure()
    held = _equipment_in(equipment_state)
    open_stage = 0
    if equipment_state != EquipmentState.RETIRED:
        report = qualifications.StageReport(
            stage=Stage.PQ, protocol="VP-1", report="VR-1", summary="All criteria are met.",
            performed_on=NOON.date(),
        )  # fmt: skip
        actor = factories.person(Role.MAINTENANCE)
        open_stage = qualifications.record(held, report=report, actor=actor, at=NOON).pk
    else:
        open_stage = held.qualifications.order_by("pk")[0].pk
    return Scene(held, procedure, _lot_in(lot_state), factories.released_lot(), open_stage)


@pytest.mark.requirement("P11-g1")
@pytest.mark.parametrize("state", EquipmentState.values)
def test_every_act_on_equipment_in_every_state_by_every_role(state: str) -> None:
    scene = _scene(equipment_state=state)
    people = {role: factories.person(role) for role in Role}
    wrong = {}

    for step, (attempt, roles) in EQUIPMENT.items():
        for role, who in people.items():
            refused = "equipment-not-usable" if step == Step.USE else "equipment-state"
            allowed = step in equipment_states.ALLOWED[state]
            expected = NotPermitted.code if role not in roles else "done" if allowed else refused
            found = outcome(attempt, scene, who)
            if found != expected:
                wrong[step, role] = (found, expected)

    assert wrong == {}


@pytest.mark.requirement("P11-g1")
@pytest.mark.parametrize("state", LotState.values)
def test_every_act_on_a_lot_in_every_state_by_every_role(state: str) -> None:
    scene = _scene(lot_state=state)
    people = {role: factories.person(role) for role in Role}
    wrong = {}

    for step, (attempt, roles) in LOTS.items():
        for role, who in people.items():
            allowed = step in lot_states.ALLOWED[state]
            expected = (
                NotPermitted.code if role not in roles else "done" if allowed else "lot-state"
            )
            found = outcome(attempt, scene, who)
            if found != expected:
                wrong[step, role] = (found, expected)

    assert wrong == {}


@pytest.mark.parametrize("state", CleaningState.values)
@pytest.mark.parametrize("step", [CleaningStep.START, CleaningStep.FINISH, CleaningStep.VERIFY])
def test_every_step_of_a_cleaning_in_every_state_of_it(state: str, step: CleaningStep) -> None:
    vessel = factories.equipment(is_cleaned=state != CleaningState.NOT_NEEDED)
    method = Method(procedure=factories.procedure())
    cleaner, checker = factories.person(Role.OPERATOR), factories.person(Role.OPERATOR)
    made = None
    if state in (CleaningState.IN_CLEANING, CleaningState.CLEAN):
        made = cleanings.start(vessel, method=method, actor=cleaner, at=NOON)
    if made is not None and (state == CleaningState.CLEAN or step == CleaningStep.VERIFY):
        made = cleanings.finish(made, actor=cleaner, at=NOON)
    if made is not None and state == CleaningState.CLEAN:
        made = cleanings.verify(made, is_clean=True, actor=checker, at=NOON, reason=WHY)
    made = made or cleanings.Cleaning(equipment=vessel, performed_by=cleaner)

    def attempt(scene: None, who: None) -> object:
        if step == CleaningStep.START:
            return cleanings.start(vessel, method=method, actor=cleaner, at=LATER)
        if step == CleaningStep.FINISH:
            return cleanings.finish(made, actor=cleaner, at=LATER)
        return cleanings.verify(made, is_clean=True, actor=checker, at=LATER, reason=WHY)

    found = outcome(attempt, None, None)

    assert found == ("done" if step in CLEANING_ALLOWED[state] else "cleaning-state")


def test_every_step_is_possible_in_some_state_and_tried() -> None:
    assert frozenset().union(*equipment_states.ALLOWED.values()) == set(Step) == set(EQUIPMENT)
    assert frozenset().union(*lot_states.ALLOWED.values()) == set(LotStep) == set(LOTS)
    assert set(equipment_states.ALLOWED) == set(equipment_states.MOVES) == set(EquipmentState)
    assert set(lot_states.ALLOWED) == set(lot_states.MOVES) == set(LotState)
