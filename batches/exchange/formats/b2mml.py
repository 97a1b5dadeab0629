"""Read messages of B2MML and BatchML, whatever their version; a schema alone rejects nothing."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from batches.exchange.formats import b2mml_materials, b2mml_production, batchml_in, gates
from batches.exchange.formats.contents import Content, Item, RecipeSaid
from batches.exchange.formats.mapping_reports import Report
from batches.exchange.formats.xml_reading import (
    ACKNOWLEDGEMENT,
    VERSIONS,
    Reading,
    name_of,
    version_of,
)

__all__ = ["ACKNOWLEDGEMENT", "read"]
_VERB = re.compile(
    r"(?P<verb>Sync|Process|Show|Respond|Get|Acknowledge|Change|Cancel|Confirm)(?P<noun>[A-Z]\w*)"
)
# What carries data; a question, a change or a cancellation is a person's to answer.
_CARRIES = frozenset({"", "Sync", "Process", "Show", "Respond"})

Reader = Callable[[Reading, Any], Iterator[Item]]


def _recipes(reading: Reading, element: Any) -> Iterator[Item]:
    """Read the head of each recipe; its steps are said to be unmapped."""
    for recipe in reading.children(element, "MasterRecipe", "ControlRecipe"):
        header = reading.child(recipe, "Header")
        product = "" if header is None else reading.text(header, "ProductID", to="recipe.product")
        if header is not None and not product:
            product = reading.text(header, "ProductName", to="recipe.product")
        yield RecipeSaid(
            pointer=reading.xpath(recipe),
            id=reading.text(recipe, "ID", to="recipe.id"),
            version=reading.text(recipe, "Version", to="recipe.version"),
            product=product,
        )


# Noun of a message -> its reader. Production became operations in V0700.
_READERS: dict[str, Reader] = {
    "MaterialInformation": b2mml_materials.information,
    "MaterialDefinition": b2mml_materials.definition,
    "MaterialLot": b2mml_materials.lot,
    "ProductionSchedule": b2mml_production.schedule,
    "OperationsSchedule": b2mml_production.schedule,
    "ProductionPerformance": b2mml_production.performance,
    "OperationsPerformance": b2mml_production.performance,
    "BatchProductionRecord": batchml_in.record,
    "BatchInformation": _recipes,
}


def looks_like(data: bytes) -> bool:
    """Say whether the bytes are XML, and not another kind of text."""
    start = data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    return start.startswith(b"<")


def read(data: bytes) -> Content:
    """Return what a message says; raise a refusal of `gates` when it cannot be read safely."""
    root = gates.xml(data)
    report = Report()
    reading = Reading(root, report)
    version = version_of(root)
    found = _VERB.fullmatch(name_of(root))
    verb, noun = (found["verb"], found["noun"]) if found else ("", name_of(root))
    items: list[Item] = []
    own_id = ""
    if version is None:
        report.problem(
            "/", "namespace-unknown",
            "the root element is neither of B2MML nor of BatchML",
            raw=str(root.tag),
        )  # fmt: skip
    else:
        if version not in VERSIONS:
            report.problem("/", "version-unknown", f"no rules were declared for {version}")
        own_id = _envelope(reading)
        reader = _READERS.get(noun)
        if verb not in _CARRIES:
            report.problem("/", "verb-not-mapped", f"{verb} asks for an act of a person")
        elif reader is None:
            report.problem("/", "noun-not-mapped", f"no rules were declared for {noun[:60]}")
        else:
            for element in _subjects(reading, noun):
                items += reader(reading, element)
            if not items and report.is_clean:
                report.problem("/", "nothing-mapped", f"there is no {noun} with content")
    reading.close()
    return Content(
        format=f"b2mml-{_dashed(noun)}",
        version=version or "",
        message_id=own_id,
        items=tuple(items),
        report=report,
    )


def _envelope(reading: Reading) -> str:
    """Take what the envelope says of the message, and return the message's own id."""
    area = reading.child(reading.root, "ApplicationArea")
    if area is None:
        return ""
    reading.text(area, "CreationDateTime", to="message.created_at")
    if (sender := reading.child(area, "Sender")) is not None:
        reading.text(sender, "LogicalID", to="message.sender")
    return reading.text(area, "BODID", to="message.id")[:120]


def _subjects(reading: Reading, noun: str) -> Iterator[Any]:
    area = reading.child(reading.root, "DataArea")
    if area is None:
        yield reading.root
    else:
        yield from reading.children(area, noun)


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()[:40]
