"""Materials and their lots, equipment, suppliers."""

from datetime import date, datetime
from decimal import Decimal

from batches.assets import (
    calibrations,
    cleanings,
    lots,
    making,
    materials,
    qualifications,
    suppliers,
)
from batches.assets import equipment as equipment_register
from batches.assets.calibrations import Measured
from batches.assets.cleanings import Method
from batches.assets.equipment import Particulars
from batches.assets.lots import Receipt
from batches.assets.making import Component
from batches.assets.materials import MaterialDraft as StockDraft
from batches.assets.models import (
    Calibration,
    Cleaning,
    Equipment,
    Material,
    MaterialLot,
    Qualification,
    Stage,
    Supplier,
)
from batches.assets.models import MaterialKind as StockKind
from batches.assets.qualifications import StageReport
from compliance.access.duties import Role
from tests.factories import common
from tests.factories.common import NOON
from tests.factories.people import confirmed, procedure, somebody


def registered_equipment(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return equipment as it is entered: in qualification, and of the kind that `said` says."""
    number = next(common.numbers)
    values: dict[str, object] = {
        "code": f"EQ-{number:04d}", "name": "A piece of equipment", "kind": "bioreactor",
        "location": "Suite 1", "manufacturer": "Steelworks", "model": "BR-200",
        "serial_number": f"SN-{number}", "needed_stages": "iq,oq", **said,
    }  # fmt: skip
    return equipment_register.register(
        Particulars(**values), actor=somebody(Role.MAINTENANCE, at=at), at=at
    )


def qualification(
    of: Equipment, stage: Stage = Stage.IQ, *, valid_until: date | None = None,
    at: datetime = NOON,
) -> Qualification:  # fmt: skip
    """Return a stage that one person performed and QA approved."""
    report = StageReport(
        stage=stage, protocol="VP-101 v2", report=f"VR-{next(common.numbers)}",
        summary="All criteria of the protocol are met.", performed_on=at.date(),
        valid_until=valid_until,
    )  # fmt: skip
    recorded = qualifications.record(
        of, report=report, actor=somebody(Role.MAINTENANCE, at=at), at=at
    )
    return qualifications.approve(
        recorded, confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at)
    )


def qualified(of: Equipment, *, at: datetime = NOON) -> Equipment:
    """Return equipment that QA declared qualified, on all stages that it needs."""
    for stage in of.stages:
        qualification(of, Stage(stage), at=at)
    return qualifications.qualify(
        of, confirmed=confirmed(somebody(Role.QUALITY_ASSURANCE, at=at), at=at),
        reason="all stages are approved",
    )  # fmt: skip


def equipment(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return qualified equipment; without calibration or cleaning where `said` asks for none."""
    return qualified(registered_equipment(at=at, **said), at=at)


def calibrated(
    of: Equipment, *, found_good: bool = True, left_good: bool = True, at: datetime = NOON
) -> Calibration:
    """Return a calibration that another person verified."""
    measured = Measured(
        performed_at=at, as_found="100.1 g of 100 g", as_found_in_tolerance=found_good,
        as_left="100.0 g of 100 g", as_left_in_tolerance=left_good,
        reference_standard="W-100 of class E2", certificate=f"C-{next(common.numbers)}",
    )  # fmt: skip
    made = calibrations.record(
        of, measured=measured, actor=somebody(Role.MAINTENANCE, at=at), at=at
    )
    checker = somebody(Role.MAINTENANCE, "checker", at=at)
    return calibrations.verify(made, actor=checker, at=at, reason="certificate read and compared")


def instrument(*, days: int = 30, at: datetime = NOON, **said: object) -> Equipment:
    """Return a qualified balance with a calibration in force."""
    made = equipment(at=at, kind="balance", calibration_interval_days=days, **said)
    calibrated(made, at=at)
    made.refresh_from_db()
    return made


def finished_cleaning(of: Equipment, *, at: datetime = NOON, **said: str) -> Cleaning:
    """Return a cleaning that is done and waits for its verification."""
    method = Method(procedure=procedure(at=at), **said)
    cleaner = somebody(Role.OPERATOR, at=at)
    made = cleanings.start(of, method=method, actor=cleaner, at=at)
    return cleanings.finish(made, actor=cleaner, at=at)


def cleaned(of: Equipment, *, at: datetime = NOON, **said: str) -> Cleaning:
    """Return a cleaning that another person accepted."""
    made = finished_cleaning(of, at=at, **said)
    checker = somebody(Role.OPERATOR, "checker", at=at)
    return cleanings.verify(
        made, is_clean=True, actor=checker, at=at, reason="no residue seen in good light"
    )


def vessel(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return a qualified, clean bioreactor with hold times of 24 and 72 hours."""
    values = {"is_cleaned": True, "dirty_hold_hours": 24, "clean_hold_hours": 72, **said}
    made = equipment(at=at, **values)
    cleaned(made, at=at)
    made.refresh_from_db()
    return made


def material(*, at: datetime = NOON, **said: object) -> Material:
    """Return a raw material counted in kilograms."""
    number = next(common.numbers)
    values: dict[str, object] = {
        "code": f"RM-{number:04d}", "name": "Glucose", "unit": "kg", "kind": StockKind.RAW,
        **said,
    }  # fmt: skip
    author = somebody(Role.PROCESS_ENGINEER, at=at)
    return materials.create(StockDraft(**values), actor=author, at=at)


def supplier(of: Material | None = None, *, at: datetime = NOON) -> Supplier:
    """Return a supplier, approved for a material when one is named."""
    quality = somebody(Role.QUALITY_ASSURANCE, at=at)
    made = suppliers.register(
        code=f"SUP-{next(common.numbers)}", name="Sugar works", address="", actor=quality, at=at
    )
    if of is not None:
        suppliers.approve(
            made, material=of, valid_from=at.date(), valid_until=None,
            basis="audited on site last year", actor=quality, at=at,
        )  # fmt: skip
    return made


def received_lot(
    of: Material | None = None, *, quantity: str = "25", at: datetime = NOON, **said: object
) -> MaterialLot:
    """Return a lot in quarantine, from an approved supplier."""
    made = of or material(at=at)
    values: dict[str, object] = {
        "quantity": Decimal(quantity), "unit": made.unit, "received_at": at,
        "location": "Warehouse A", "supplier": supplier(made, at=at),
        "supplier_lot": f"L{next(common.numbers)}", **said,
    }  # fmt: skip
    return lots.receive(
        made, receipt=Receipt(**values), actor=somebody(Role.WAREHOUSE, at=at), at=at
    )


def released_lot(
    of: Material | None = None, *, quantity: str = "25", at: datetime = NOON, **said: object
) -> MaterialLot:
    """Return a lot that QA released."""
    received = received_lot(of, quantity=quantity, at=at, **said)
    quality = somebody(Role.QUALITY_ASSURANCE, at=at)
    return lots.release(
        received, confirmed=confirmed(quality, at=at), reason="tested and within specification"
    )


def made_lot(
    *of: MaterialLot, kind: StockKind = StockKind.INTERMEDIATE, unit: str = "kg",
    at: datetime = NOON,
) -> MaterialLot:  # fmt: skip
    """Return a lot that was made here, of two kilograms of each of these."""
    return making.make(
        material(kind=kind, unit=unit, at=at),
        receipt=Receipt(quantity=Decimal(10), unit=unit, received_at=at, location="Suite 1"),
        components=[Component(one, Decimal(2), "kg") for one in of],
        actor=somebody(Role.OPERATOR, at=at),
        at=at,
    )
