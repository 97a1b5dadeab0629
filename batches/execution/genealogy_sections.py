"""The genealogy on the pages of a batch and of a lot: what went in, what it became, where it went."""

from collections.abc import Iterable

from django.http import HttpRequest

from batches.assets import ledger
from batches.assets.models import EquipmentUse, MaterialLot
from batches.execution import genealogy
from batches.execution.genealogy import Link
from batches.execution.models import Batch
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Section, Table


@record_admin.section(Batch, order=26)
def of_batch(batch: Batch, request: HttpRequest) -> Section:
    """The lots that went into a batch, those it became, and the equipment that it used."""
    used = EquipmentUse.objects.filter(campaign=batch.number).select_related("equipment")
    return Section(
        "Genealogy",
        [
            _links(genealogy.went_into(batch), empty="No lot of the register went into it yet."),
            _became(batch),
            _equipment(used.order_by("used_from", "pk")),
        ],
        anchor="genealogy",
    )


@record_admin.section(MaterialLot, order=20)
def of_lot(lot: MaterialLot, request: HttpRequest) -> Section:
    """The batches that a lot went into, and those that its products went into."""
    found = genealogy.used_in(lot)
    return Section("Batches it went into", [_links(found, empty="In no batch yet.")])


def _links(found: Iterable[Link], *, empty: str) -> Table:
    rows: list[list[Cell]] = [
        [
            str(one.level),
            record_admin.link(one.lot),
            one.lot.material.name,
            record_admin.link(one.batch),
            page_parts.state(one.batch.disposition, one.batch.get_disposition_display()),
        ]
        for one in found
    ]
    columns = ["Level", "Lot", "Material", "Went into batch", "Disposition"]
    return Table(columns, rows, numeric=["Level"], empty=empty)


def _became(batch: Batch) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one.lot),
            one.lot.material.name,
            f"{ledger.balance(one.lot).normalize():f} {one.lot.unit}",
            page_parts.state(one.lot.state, one.lot.get_state_display()),
        ]
        for one in batch.produced.select_related("lot__material").order_by("lot__number")
    ]
    columns = ["It became lot", "Material", "On hand", "State"]
    return Table(columns, rows, numeric=["On hand"], empty="It has become no lot yet.")


def _equipment(uses: Iterable[EquipmentUse]) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one.equipment),
            one.equipment.name,
            page_parts.moment(one.used_from),
            page_parts.moment(one.used_until),
            one.used_by,
        ]
        for one in uses
    ]
    columns = ["Equipment", "Name", "From", "Until", "By"]
    return Table(columns, rows, empty="No log book names it.")
