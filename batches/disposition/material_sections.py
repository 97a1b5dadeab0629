"""Write what went into a batch, and where what was issued went, for its report (211.188(b)(3), (4))."""

from decimal import Decimal

from batches.execution import genealogy
from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.reports.document import Align, Block, Column, Table


def materials(batch: Batch) -> list[Block]:
    """Give the charges of people by lot, and the reconciliation of each lot against its limit."""
    charges = tuple(
        (
            one.material.material_code, one.lot.number,
            f"{_plain(one.net)} {unit_words.shown(one.unit)}", one.given,
            one.performed_by.username, one.verified_by.username,
            one.performed_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
        for one in batch.charges.select_related(
            "material", "lot", "performed_by", "verified_by"
        ).order_by("pk")
    )  # fmt: skip
    accounts = tuple(
        (
            one.material.material_code, one.lot.number, _plain(one.issued), _plain(one.charged),
            _plain(one.returned), _plain(one.wasted), _plain(one.difference),
            unit_words.shown(one.unit),
            f"{one.reconciliation.result} %", f"100 ± {_plain(one.limit_percent)} %",
        )
        for one in batch.material_accounts.select_related(
            "material", "lot", "reconciliation"
        ).order_by("pk")
    )  # fmt: skip
    blocks: list[Block] = []
    if charges:
        blocks.append(Table(_CHARGED, charges))
    if accounts:
        blocks.append(Table(_ACCOUNTED, accounts))
    return [*blocks, *_genealogy(batch)]


def _genealogy(batch: Batch) -> list[Block]:
    """Give every lot that went in, charged by people or by a system, back to what was received."""
    lots = tuple(
        (
            str(one.level), one.lot.number, one.lot.material.name,
            str(one.lot.supplier or "made here"), one.lot.supplier_lot,
            one.lot.expires_on.isoformat() if one.lot.expires_on else "", one.batch.number,
        )
        for one in genealogy.went_into(batch)
    )  # fmt: skip
    became = ", ".join(one.lot.number for one in batch.produced.select_related("lot"))
    caption = f"Genealogy as registered. The batch became lot {became}." if became else ""
    return [Table(_WENT_IN, lots, caption=caption or "Genealogy as registered.")] if lots else []


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


_WENT_IN = (
    Column("Level", 0.5, Align.RIGHT),
    Column("Lot", 1.3),
    Column("Material", 1.3),
    Column("Supplier", 0.9),
    Column("Supplier's lot", 1.2),
    Column("Expires on", 0.9),
    Column("Into batch", 1.5),
)
_CHARGED = (
    Column("Material", 1.2),
    Column("Lot", 1.2),
    Column("Net", 1.0, Align.RIGHT),
    Column("As given", 1.2),
    Column("Charged by", 1.0),
    Column("Verified by", 1.0),
    Column("Done", 1.5),
)
_ACCOUNTED = (
    Column("Material", 1.1),
    Column("Lot", 1.1),
    Column("Issued", 0.8, Align.RIGHT),
    Column("Charged", 0.8, Align.RIGHT),
    Column("Returned", 0.8, Align.RIGHT),
    Column("Wasted", 0.8, Align.RIGHT),
    Column("Difference", 0.9, Align.RIGHT),
    Column("Unit", 0.5),
    Column("Accounted", 0.9, Align.RIGHT),
    Column("Limit", 1.0),
)
