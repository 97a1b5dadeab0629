"""The rules of equipment and lots hold for raw SQL, `update` and `bulk_create` too."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, models, transaction

from batches.assets import equipment, lots, qualifications
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
    Stage,
    StockCount,
    SupplierApproval,
)
from compliance.access.duties import Role
from compliance.trail import capture, capture_check, recording
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
        problems = capture_check.problems(cursor, [control])

    assert found == dict.fromkeys(control.guards, "A")
    assert problems == {control.table: []}


def outcome(act: Callable[[], object]) -> str:
    """Return "done" or what the database said; whatever was done is undone."""
    try:
        with transaction.atomic():
            with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="a try of it"):
                act()
            transaction.set_rollback(True)
    except IntegrityError as error:
        return str(error)
    return "done"


@pytest.mark.parametrize("state", EquipmentState.values)
def test_equipment_moves_only_along_its_table(state: str) -> None:
    held = factories.equipment()
    if state != "qualified":
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
            set_to(held, state=state)

    for target in EquipmentState.values:
        found = outcome(lambda target=target: set_to(held, state=target))
        is_allowed = target in MOVES[state] or target == state != "retired"
        assert ("done" in found) == is_allowed, (target, found)
        assert is_allowed or f"from {state}" in found


@pytest.mark.parametrize("state", LotState.values)
def test_a_lot_moves_only_along_its_table_and_is_decided_by_signature(state: str) -> None:
    lot = factories.released_lot()
    if state == "rejected":
        quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
        lots.reject(lot, confirmed=quality, reason="visible particles found")
    elif state != "released":
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
            set_to(lot, state=state)
    decided = {"decided_by": factories.person(Role.QUALITY_ASSURANCE), "decided_at": NOON + HOUR}

    for target in LotState.values:
        found = outcome(lambda target=target: set_to(lot, state=target, **decided))
        if target not in LOT_MOVES[state]:
            assert f"from {state} to {target}" in found or "not rewritten" in found
        elif target in ("released", "rejected"):
            assert "by signature" in found
        else:
            assert found == "done"


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
    vessel = factories.vessel()

    with refused_by_the_database("not stretched"):
        set_to(vessel, clean_until=NOON + 100 * HOUR, clean_hold_hours=100)
    with refused_by_the_database("not stretched"):
        set_to(vessel, clean_until=None, clean_hold_hours=None)


def test_equipment_is_declared_by_signature_and_no_longer_than_its_stages() -> None:
    new = factories.registered_equipment(needed_stages="iq")
    factories.qualification(new, Stage.IQ, valid_until=date(2027, 1, 1))

    with refused_by_the_database("declared qualified by signature"):
        set_to(new, state="qualified", qualified_until=date(2027, 1, 1))
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    qualifications.qualify(new, confirmed=quality, reason="all stages are approved")
    with refused_by_the_database("no longer than its stages"):
        set_to(new, qualified_until=date(2028, 1, 1))
    with refused_by_the_database("no longer than its stages"):
        set_to(new, qualified_until=None)
    with refused_by_the_database("keeps the stages"):
        set_to(factories.registered_equipment(needed_stages="iq,oq"), needed_stages="iq")


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


def test_nothing_is_taken_at_a_moment_before_the_lot_was_there_and_released() -> None:
    lot = factories.released_lot()

    with refused_by_the_database("before its receipt"):
        Movement.objects.bulk_create([line(lot, moved_at=NOON - HOUR)])
    later = factories.received_lot(received_at=NOON - HOUR)
    lots.release(
        later, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        reason="tested and within limits",
    )  # fmt: skip
    with refused_by_the_database("nothing is taken"):
        Movement.objects.bulk_create(
            [line(later, kind="dispensed", moved_at=NOON - timedelta(minutes=1))]
        )


def test_equipment_keeps_its_identity_and_what_it_lost() -> None:
    held = factories.equipment(is_cleaned=True)

    with refused_by_the_database("keeps its code"):
        set_to(held, serial_number="another")
    with refused_by_the_database("stays equipment that is cleaned"):
        set_to(held, cleaning_state="not-needed")
    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
        set_to(held, state="in-qualification", qualification_lost_at=NOON)
    with refused_by_the_database("does not come back"):
        set_to(held, qualification_lost_at=None)
    with refused_by_the_database("does not come back"):
        set_to(held, qualification_lost_at=NOON - HOUR)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("equipment_kind_plain", {"kind": "Bio Reactor", "code": "X"}),
        ("equipment_stages_known", {"needed_stages": "iq,xq"}),
        ("equipment_state_known", {"state": "in-use"}),
        ("equipment_cleaning_state_known", {"cleaning_state": "spotless"}),
    ],
)
def test_equipment_says_only_what_is_known(constraint: str, values: dict[str, str]) -> None:
    fresh = Equipment.objects.filter(pk=factories.registered_equipment().pk).values()[0]
    fresh.update(id=None, code="X-2")

    with refused_by_the_database(f"{constraint}|begins unqualified"):
        Equipment.objects.bulk_create([Equipment(**{**fresh, **values})])


def test_one_use_and_one_cleaning_at_a_time() -> None:
    held = factories.equipment()
    use = {"equipment": held, "used_from": NOON, "used_by": "om", "recorded_at": NOON}
    with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
        EquipmentUse.objects.create(purpose="batch B-1", **use)
    with refused_by_the_database("one_use_at_a_time"):
        EquipmentUse.objects.bulk_create([EquipmentUse(purpose="batch B-2", **use)])
    with refused_by_the_database("use_has_purpose"):
        EquipmentUse.objects.bulk_create([EquipmentUse(purpose="", used_until=NOON, **use)])

    made = factories.finished_cleaning(factories.equipment(is_cleaned=True))
    values = Cleaning.objects.filter(pk=made.pk).values()[0]
    values.update(id=None, outcome="running", finished_at=None)
    with refused_by_the_database("one_cleaning_at_a_time"):
        Cleaning.objects.bulk_create([Cleaning(**values)])
    with refused_by_the_database("cleaning_late_with_remark"):
        Cleaning.objects.bulk_create([Cleaning(**{**values, "is_dirty_hold_exceeded": True})])


def test_a_receiver_cannot_be_the_one_who_released() -> None:
    lot = factories.released_lot()

    with refused_by_the_database("lot_released_by_another_than_its_receiver|not rewritten"):
        set_to(lot, decided_by=lot.received_by)


def test_a_count_outside_its_limit_has_its_deviation() -> None:
    lot = factories.released_lot()
    count = {
        "lot": lot, "book": Decimal(25), "limit_percent": Decimal(0), "is_within_limit": False,
        "explanation": "missing", "counted_at": NOON, "counted_by": lot.received_by,
    }  # fmt: skip

    with refused_by_the_database("count_outside_limit_has_deviation"):
        StockCount.objects.bulk_create([StockCount(counted=Decimal(20), **count)])
    with refused_by_the_database("count_not_negative"):
        StockCount.objects.bulk_create([StockCount(counted=Decimal(-1), **count)])


def test_one_approval_at_a_time_of_a_supplier_for_a_material() -> None:
    material = factories.material()
    approval = factories.supplier(material).approvals.get()
    values = SupplierApproval.objects.filter(pk=approval.pk).values()[0]

    with refused_by_the_database("one_approval_of_supplier_and_material"):
        SupplierApproval.objects.bulk_create([SupplierApproval(**{**values, "id": None})])


def test_nobody_approves_or_verifies_what_they_did_themselves() -> None:
    stage = factories.qualification(factories.registered_equipment())
    calibration = factories.calibrated(factories.equipment(calibration_interval_days=5))
    rows = [
        (Qualification, stage, {"approved_by_id": None, "approved_at": None}, "approved"),
        (Calibration, calibration, {"verified_by_id": None, "verified_at": None}, "verified"),
    ]
    for model, record, emptied, done in rows:
        values = {**model.objects.filter(pk=record.pk).values()[0], **emptied, "id": None}
        with recording.recording(Action.STOCK_MOVED, actor=TEST, at=NOON, reason="set it up"):
            fresh = model.objects.create(**values)
        own = {f"{done}_by": fresh.performed_by, f"{done}_at": NOON}
        with refused_by_the_database("_by_another_person|by signature"):
            set_to(fresh, **own)
