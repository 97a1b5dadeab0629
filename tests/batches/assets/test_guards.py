"""The rules of equipment and lots hold for raw SQL, `update` and `bulk_create` too."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, models, transaction

from batches.assets import equipment, lots
from batches.assets.actions import Action
from batches.assets.equipment_states import MOVES
from batches.assets.lot_states import MOVES as LOT_MOVES
from batches.assets.models import (
    Calibration,
    Cleaning,
    Equipment,
    EquipmentState,
    EquipmentUse,
    LotComponent,
    LotState,
    Material,
    MaterialLot,
    Movement,
    PartChange,
    Qualification,
)
from compliance.access.duties import Role
from compliance.trail import capture, recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ASSETS = [
    Equipment, Qualification, Calibration, Cleaning, PartChange, EquipmentUse, Material,
    MaterialLot, Movement, LotComponent,
]  # fmt: skip


@contextmanager
def refused_by_the_database(words: str | None = None):
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="past the rules"):
            yield


def set_to(record: models.Model, **values: object) -> None:
    type(record)._base_manager.filter(pk=record.pk).update(**values)


@pytest.mark.parametrize("model", ASSETS)
def test_each_guard_is_declared_and_always_fires(model: type[models.Model]) -> None:
    control = capture.control_of(model)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass "
            "AND NOT tgisinternal AND tgname LIKE 'guard%%'",
            [model._meta.db_table],
        )
        found = dict(cursor.fetchall())
        problems = capture.problems(cursor, control)

    assert found == dict.fromkeys(control.guards, "A")
    assert problems == []


@pytest.mark.parametrize("target", EquipmentState.values)
@pytest.mark.parametrize("state", EquipmentState.values)
def test_equipment_moves_only_along_its_table(state: str, target: str) -> None:
    held = factories.equipment()
    maker = {
        "qualified": [], "in-qualification": ["in-qualification"], "retired": ["retired"],
        "out-of-service": ["out-of-service"],
    }  # fmt: skip
    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set the state up"):
        for one in maker[state]:
            set_to(held, state=one)

    if target in MOVES[state] or (target == state != "retired"):
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="as allowed"):
            set_to(held, state=target)
    else:
        with refused_by_the_database(f"from {state}"):
            set_to(held, state=target)


@pytest.mark.parametrize("target", LotState.values)
@pytest.mark.parametrize("state", LotState.values)
def test_a_lot_moves_only_along_its_table_and_is_decided_by_signature(
    state: str, target: str
) -> None:
    lot = factories.released_lot()
    if state == "rejected":
        quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
        lots.reject(lot, confirmed=quality, reason="visible particles found")
    elif state != "released":
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
            set_to(lot, state=state)
    somebody, later = factories.person(Role.QUALITY_ASSURANCE), NOON + HOUR

    values = {"state": target, "decided_by": somebody, "decided_at": later}
    if target in LOT_MOVES[state] and target in ("blocked", "quarantine"):
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="as allowed"):
            set_to(lot, **values)
    elif target in LOT_MOVES[state]:
        with refused_by_the_database("by signature"):
            set_to(lot, **values)
    else:
        with refused_by_the_database():
            set_to(lot, **values)


def test_equipment_begins_unqualified() -> None:
    values = Equipment.objects.filter(pk=factories.equipment().pk).values()[0]
    del values["id"]

    with refused_by_the_database("begins unqualified"):
        Equipment.objects.bulk_create([Equipment(**{**values, "code": "X-1"})])


def test_equipment_without_a_stage_does_not_become_qualified() -> None:
    with refused_by_the_database("without an approved stage"):
        set_to(factories.registered_equipment(), state="qualified")


def test_a_stage_is_not_approved_without_a_signature() -> None:
    stage = factories.qualification(factories.registered_equipment())
    fresh = Qualification.objects.filter(pk=stage.pk).values()[0]
    fresh.update(id=None, approved_by_id=None, approved_at=None)
    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
        copy = Qualification.objects.create(**fresh)

    with refused_by_the_database("by signature"):
        set_to(copy, approved_by=stage.approved_by, approved_at=NOON)
    with refused_by_the_database("not approved or verified yet"):
        Qualification.objects.bulk_create(
            [Qualification(**{**fresh, "approved_at": NOON, "approved_by": stage.approved_by})]
        )


def test_a_part_of_another_make_is_not_slipped_in() -> None:
    held = factories.equipment()
    part = PartChange(
        equipment=held, component="pump", old_manufacturer="A", old_model="1",
        old_serial_number="1", new_manufacturer="B", new_model="2", new_serial_number="2",
        is_like_for_like=False, change_reference="CC-1", reason="it was cheaper",
        changed_at=NOON, changed_by=factories.person(Role.MAINTENANCE), recorded_at=NOON,
    )  # fmt: skip

    with refused_by_the_database("ends the qualification first"):
        PartChange.objects.bulk_create([part])
    part.is_like_for_like, part.id = True, None
    with refused_by_the_database("part_like_for_like_is_same_make"):
        PartChange.objects.bulk_create([part])


@pytest.mark.requirement("211-68a")
def test_the_due_date_is_not_put_off_past_the_last_calibration() -> None:
    balance = factories.instrument(days=30)

    with refused_by_the_database("calibration is due when"):
        set_to(balance, calibration_due_on=date(2030, 1, 1))
    with refused_by_the_database("holds no longer"):
        set_to(balance.calibrations.get(), due_on=date(2030, 1, 1))


def _uncalibrated() -> Equipment:
    return factories.equipment(calibration_interval_days=5)


def _dirty() -> Equipment:
    return factories.equipment(is_cleaned=True)


def _used_since_it_was_clean() -> Equipment:
    vessel = factories.vessel()
    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
        EquipmentUse.objects.create(
            equipment=vessel, purpose="batch B-0", used_from=NOON, used_until=NOON, used_by="om",
            recorded_at=NOON,
        )  # fmt: skip
    return vessel


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (factories.registered_equipment, "not qualified"),
        (_uncalibrated, "calibration is due"),
        (_dirty, "not clean"),
        (_used_since_it_was_clean, "not clean"),
    ],
)
def test_what_is_not_usable_is_not_used(made: Callable[[], Equipment], words: str) -> None:
    held = made()

    with refused_by_the_database(words):
        EquipmentUse.objects.bulk_create(
            [
                EquipmentUse(
                    equipment=held, purpose="batch B-1", used_from=NOON + HOUR, used_by="om",
                    recorded_at=NOON,
                )
            ]
        )  # fmt: skip


def test_a_use_is_not_rewritten() -> None:
    use = equipment.mark_used(
        factories.equipment(), purpose="batch B-1", by_text="om", at=NOON, used_until=NOON,
        actor=factories.person(Role.OPERATOR),
    )  # fmt: skip

    with refused_by_the_database("not rewritten"):
        set_to(use, purpose="batch B-2")
    with refused_by_the_database("ends once"):
        set_to(use, used_until=NOON + HOUR)


def test_equipment_is_not_called_clean_without_an_accepted_cleaning() -> None:
    with refused_by_the_database("clean after an accepted cleaning"):
        set_to(_dirty(), cleaning_state="clean", cleaned_at=NOON)


def test_a_clean_hold_time_is_not_stretched() -> None:
    with refused_by_the_database("clean after an accepted cleaning"):
        set_to(factories.vessel(), clean_until=NOON + 100 * HOUR)


def test_nobody_verifies_their_own_work() -> None:
    made = factories.finished_cleaning(factories.equipment(is_cleaned=True))
    verified = {"verified_by": made.performed_by, "verified_at": NOON}

    with refused_by_the_database("cleaning_verified_by_another_person"):
        set_to(made, outcome="accepted", **verified)
    with refused_by_the_database("cleaning_accepted_only_verified"):
        set_to(made, outcome="accepted")
    with refused_by_the_database("from finished to running"):
        set_to(made, outcome="running")


def test_a_verified_calibration_is_not_verified_again() -> None:
    made = factories.instrument().calibrations.get()

    with refused_by_the_database("verified once"):
        set_to(made, verified_by=factories.person(Role.MAINTENANCE))
    with refused_by_the_database("not rewritten"):
        set_to(made, as_found="perfect")


def test_a_lot_is_not_rewritten_and_not_born_released() -> None:
    lot = factories.received_lot()
    values = MaterialLot.objects.filter(pk=lot.pk).values()[0]

    with refused_by_the_database("not rewritten"):
        set_to(lot, quantity=Decimal(1000))
    with refused_by_the_database("begins in quarantine"):
        MaterialLot.objects.bulk_create(
            [MaterialLot(**{**values, "id": None, "number": "X", "state": "released"})]
        )
    with refused_by_the_database("unit of its material"):
        MaterialLot.objects.bulk_create(
            [MaterialLot(**{**values, "id": None, "number": "X", "unit": "g"})]
        )


def test_the_dates_of_a_released_lot_are_not_put_off() -> None:
    lot = factories.released_lot(expires_on=date(2026, 6, 1))

    with refused_by_the_database("not put off"):
        set_to(lot, expires_on=date(2026, 7, 1))
    with refused_by_the_database("not put off"):
        set_to(lot, expires_on=None)


def test_the_unit_of_a_material_stays() -> None:
    with refused_by_the_database("keeps its code, kind and unit"):
        set_to(factories.material(), unit="g")


def line(lot: MaterialLot, **values: object) -> Movement:
    said = {
        "lot": lot, "sequence": 2, "kind": "scrapped", "quantity": Decimal(-5),
        "balance": Decimal(20), "location": "A", "reason": "past the rules", "moved_at": NOON,
        "moved_by": "somebody", "recorded_at": NOON, **values,
    }  # fmt: skip
    return Movement(**said)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"balance": Decimal(25)}, "goes on from its last line"),
        ({"sequence": 3}, "goes on from its last line"),
        ({"quantity": Decimal(-26), "balance": Decimal(-1)}, "balance_never_negative"),
        ({"quantity": Decimal(5), "balance": Decimal(30)}, "movement_sign_fits_kind"),
        ({"kind": "received", "quantity": Decimal(5), "balance": Decimal(30)}, "once"),
        ({"kind": "moved"}, "movement_sign_fits_kind"),
        ({"reason": ""}, "movement_has_reason"),
    ],
)
def test_a_ledger_that_does_not_add_up_is_refused(values: dict[str, object], words: str) -> None:
    lot = factories.released_lot(quantity="25")

    with refused_by_the_database(words):
        Movement.objects.bulk_create([line(lot, **values)])


@pytest.mark.requirement("211-101/103/110/111")
def test_of_a_lot_that_is_not_released_nothing_is_dispensed() -> None:
    for lot in (factories.received_lot(), factories.released_lot(expires_on=date(2026, 3, 2))):
        with refused_by_the_database("nothing is taken"):
            Movement.objects.bulk_create(
                [line(lot, kind="dispensed", moved_at=NOON + timedelta(days=1))]
            )


def test_a_circle_of_lots_is_refused() -> None:
    one, two, three = (factories.received_lot() for _ in range(3))

    def of(parent: MaterialLot, child: MaterialLot) -> LotComponent:
        return LotComponent(
            parent=parent, child=child, quantity=Decimal(1), unit="kg", recorded_at=NOON
        )

    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
        LotComponent.objects.bulk_create([of(one, two), of(two, three)])
    with refused_by_the_database("not made of itself"):
        LotComponent.objects.bulk_create([of(three, one)])
    with refused_by_the_database("unit of its lot"):
        LotComponent.objects.bulk_create(
            [LotComponent(parent=one, child=three, quantity=Decimal(1), unit="g", recorded_at=NOON)]
        )
