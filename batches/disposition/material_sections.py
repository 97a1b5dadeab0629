"""Write what went into a batch, and where what was issued went, for its report (211.188(b)(3), (4))."""

from decimal import Decimal

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
    return blocks


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


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
