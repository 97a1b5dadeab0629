"""The demonstration's store and workshop are consistent, made once, and partly overdue."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from batches.assets import calibrations, ledger, suppliers
from batches.assets.models import Equipment, EquipmentState, LotState, MaterialLot
from batches.execution import genealogy
from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from compliance.inspection import snapshots
from compliance.inspection.registry import CHECKS
from compliance.signatures.models import Signature
from compliance.trail.models import Entry
from config.demo import cast, registers, stock, workshop
from tests import factories
from tests.factories import NOON
from twins.plant import batch_details
from twins.plant.batch_details import SECOND_TRAIN, Train

pytestmark = pytest.mark.django_db
STARTED = NOON - timedelta(days=12, hours=6)


@pytest.fixture
def players(tmp_path: Path) -> cast.Cast:
    made = cast.assemble(tmp_path, at=NOON)
    cast.furnish(made, at=NOON)
    return made


def _batch(number: str, train: Train) -> Batch:
    """Return a batch that the plant ran and told of, as far as registers ask for it."""
    recipe = cast.Product.objects.get(code="DEMOMAB").recipes.get()
    made = factories.batch(recipe)
    factories.happened(made, EventKind.BATCH_STARTED, at=STARTED)
    for one in batch_details.of_batch(number, train=train):
        if one.kind == "addition":
            factories.happened(
                made, EventKind.ADDITION, at=STARTED + timedelta(hours=1), details=one.details
            )
    for phase in made.phases.order_by("order"):
        for kind in (EventKind.PHASE_STARTED, EventKind.PHASE_ENDED):
            factories.happened(made, kind, at=STARTED + timedelta(hours=2), phase=phase.name)
    factories.happened(made, EventKind.BATCH_ENDED, at=STARTED + timedelta(days=12))
    return Batch.objects.get(pk=made.pk)


def test_lots_stand_as_said_and_each_supplier_was_approved_for_its_material(
    players: cast.Cast,
) -> None:
    for one in stock.LOTS:
        lot = MaterialLot.objects.select_related("supplier", "material").get(number=one.number)
        assert lot.state == one.standing
        assert lot.expires_on is not None
        assert lot.expires_on > NOON.date()
        assert lot.supplier is not None
        on = lot.received_at.astimezone(UTC).date()
        assert suppliers.is_approved(lot.supplier, material=lot.material, on=on)
    assert {one.standing for one in stock.LOTS} == {
        LotState.RELEASED, LotState.QUARANTINE, LotState.BLOCKED,
    }  # fmt: skip


def test_one_calibration_is_overdue_and_every_other_piece_stands_as_said(
    players: cast.Cast,
) -> None:
    states = dict(Equipment.objects.values_list("code", "state"))

    assert states == {
        one.code: EquipmentState.QUALIFIED if one.is_qualified else EquipmentState.IN_QUALIFICATION
        for one in workshop.EQUIPMENT
    }
    assert [one.code for one in calibrations.overdue(on=NOON.date())] == [SECOND_TRAIN.ph_meter]


def test_a_second_run_changes_nothing_but_the_tokens_of_devices(
    players: cast.Cast, tmp_path: Path
) -> None:
    signed, entries = Signature.objects.count(), Entry.objects.count()

    cast.furnish(players, at=NOON + timedelta(minutes=1))

    assert (Signature.objects.count(), Entry.objects.count()) == (signed, entries)


def test_what_was_killed_half_way_is_ended_by_the_next_run(tmp_path: Path) -> None:
    players = cast.assemble(tmp_path, at=NOON)

    class Killed(Exception):
        pass

    for most in range(0, 40, 7):
        left = [most]

        def sign(signer: cast.User, left: list[int] = left) -> cast.Confirmed:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return players.sign(signer, at=NOON)

        quality = players.person(Role.QUALITY_ASSURANCE)
        try:
            stock.fill(
                warehouse=players.person(Role.WAREHOUSE), quality=quality, sign=sign, at=NOON
            )
            workshop.install(
                maintenance=players.person(Role.MAINTENANCE), quality=quality,
                operator=players.person(Role.OPERATOR), sign=sign, at=NOON,
            )  # fmt: skip
        except Killed:
            continue
    cast.furnish(players, at=NOON)

    assert MaterialLot.objects.count() == len(stock.LOTS)
    assert Equipment.objects.filter(state=EquipmentState.QUALIFIED).count() == sum(
        one.is_qualified for one in workshop.EQUIPMENT
    )
    pump = Equipment.objects.get(code=SECOND_TRAIN.feed_pump)
    assert pump.uses.count() == 1


def test_what_a_batch_used_and_became_is_followed_both_ways_and_the_inspector_reads_it(
    players: cast.Cast,
) -> None:
    batch = _batch("B", SECOND_TRAIN)
    operator = players.person(Role.OPERATOR)

    refused = list(registers.enter(batch.number, SECOND_TRAIN, operator=operator, at=NOON))
    quality = players.sign(players.person(Role.QUALITY_ASSURANCE), at=NOON)
    registers.decide(batch.number, is_released=False, confirmed=quality)

    assert refused == []
    seed = MaterialLot.objects.get(number=batch_details.lot_of("MAT-SEED"))
    assert [one.batch for one in genealogy.used_in(seed)] == [batch]
    assert {one.lot.number for one in genealogy.went_into(batch)} == {
        batch_details.lot_of(name) for name in ("MAT-SEED", "MAT-MEDIUM", "MAT-FEED", "MAT-BAG")
    }
    assert ledger.balance(seed) == 190
    made = MaterialLot.objects.get(number=registers.product_lot(batch.number))
    assert made.state == LotState.REJECTED
    assert made.components.count() == 3
    snapshot = snapshots.take(scope=[batch.number], as_of=NOON)
    texts = [one.text for one in CHECKS["EQ-01"](snapshot, {}).facts]
    assert len(texts) == 2
    assert "FP-02" in texts[0] or "FP-02" in texts[1]
    assert any("its calibration held until 2026-02-24 only" in one for one in texts)


def test_a_register_that_cannot_take_it_says_why(players: cast.Cast) -> None:
    operator = players.person(Role.OPERATOR)
    first, second = _batch("B", SECOND_TRAIN), _batch("B", SECOND_TRAIN)
    assert list(registers.enter(first.number, SECOND_TRAIN, operator=operator, at=NOON)) == []

    refused = list(registers.enter(second.number, SECOND_TRAIN, operator=operator, at=NOON))

    assert refused == [
        f"{code} was in use for batch {first.number} at that time"
        for code in (SECOND_TRAIN.bioreactor, SECOND_TRAIN.feed_pump, SECOND_TRAIN.ph_meter)
    ]
