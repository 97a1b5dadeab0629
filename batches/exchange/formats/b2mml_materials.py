"""Read materials and lots of B2MML."""

from collections.abc import Iterator
from typing import Any

from batches.exchange.formats.contents import Item, LotSaid, MaterialSaid
from batches.exchange.formats.xml_reading import Reading, name_of

# Names under which ERP systems give the unit that a material is counted in.
_UNIT = frozenset({"BaseUnitOfMeasure", "UnitOfMeasure", "Unit"})


def information(reading: Reading, element: Any) -> Iterator[Item]:
    """Read a MaterialInformation: definitions and lots, which may leave out their material."""
    own = reading.text(element, "ID", to="material.code")
    for one in reading.children(element, "MaterialDefinition"):
        yield from definition(reading, one)
    for one in reading.children(element, "MaterialLot"):
        yield from lot(reading, one, of=own)


def definition(reading: Reading, element: Any) -> Iterator[Item]:
    unit = ""
    for one in reading.children(element, "MaterialDefinitionProperty"):
        name = reading.child(one, "ID")
        value = reading.child(one, "Value")
        if name is None or value is None or (name.text or "").strip() not in _UNIT:
            continue
        reading.taken(name, to="(name of a property)")
        unit = reading.quantity(one, "Value", to="material.unit")[0]
    code = reading.text(element, "ID", to="material.code")
    if not code:
        reading.report.problem(reading.xpath(element), "id-missing", "the material has no ID")
    yield MaterialSaid(
        pointer=reading.xpath(element),
        code=code,
        name=reading.text(element, "Description", to="material.name"),
        unit=unit,
    )


def lot(reading: Reading, element: Any, of: str = "") -> Iterator[Item]:
    """Read a lot: itself when it has a quantity, and each of its parts."""
    material = reading.text(element, "MaterialDefinitionID", to="lot.material")
    if not material and of:
        material = of
        reading.report.changed(
            reading.xpath(element), before="", after=of,
            rule="a lot without a material is of the MaterialInformation around it",
        )  # fmt: skip
    number = reading.text(element, "ID", to="lot.number")
    if not number:
        reading.report.problem(reading.xpath(element), "id-missing", "the lot has no ID")
    parts = list(reading.children(element, "MaterialSubLot", "MaterialSublot"))
    if not parts or reading.child(element, "Quantity") is not None:
        yield _amount(reading, element, material=material, lot_=number)
    for part in parts:
        sub = reading.text(part, "ID", to="lot.sublot")
        yield _amount(reading, part, material=material, lot_=number, sublot=sub)


def requirement(reading: Reading, element: Any) -> LotSaid:
    """Read what of a material is needed, used or made."""
    quantity, unit = reading.quantity(element, to="material.quantity")
    place = reading.child(element, "Location")
    return LotSaid(
        pointer=reading.xpath(element),
        material=reading.text(element, "MaterialDefinitionID", to="material.code"),
        lot=reading.text(element, "MaterialLotID", to="lot.number"),
        sublot=reading.text(element, "MaterialSubLotID", to="lot.sublot"),
        quantity=quantity,
        unit=unit,
        location="" if place is None else reading.text(place, "EquipmentID", to="lot.location"),
    )


def use_of(reading: Reading, element: Any) -> str:
    """Return whether a material is consumed or produced; V02 says it in the element's name."""
    name = name_of(element)
    for word in ("Produced", "Consumed"):
        if name.startswith(f"Material{word}"):
            return word
    return reading.text(element, "MaterialUse", to="material.use")


def _amount(reading: Reading, element: Any, *, material: str, lot_: str, sublot: str = "") -> Item:
    quantity, unit = reading.quantity(element, to="lot.quantity")
    place = reading.text(element, "StorageLocation", "Location", to="lot.location")
    return LotSaid(
        pointer=reading.xpath(element),
        material=material,
        lot=lot_,
        sublot=sublot,
        status=reading.text(element, "Status", "Disposition", to="lot.status"),
        quantity=quantity,
        unit=unit,
        location=place,
    )
