"""Read schedules and performances of B2MML: what is to be made, and what was."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from batches.exchange.formats import b2mml_materials
from batches.exchange.formats.contents import HappeningSaid, Item, LotSaid, OrderSaid
from batches.exchange.formats.xml_reading import Reading

_NEEDS = ("MaterialRequirement", "MaterialProducedRequirement", "MaterialConsumedRequirement")
_ACTUALS = ("MaterialActual", "MaterialProducedActual", "MaterialConsumedActual")
_DATA = ("ProductionData", "SegmentData")


def schedule(reading: Reading, element: Any) -> Iterator[Item]:
    reading.text(element, "ID", to="schedule.id")
    for request in reading.children(element, "ProductionRequest", "OperationsRequest"):
        yield _order(reading, request)


def _order(reading: Reading, request: Any) -> OrderSaid:
    number = reading.text(request, "ID", to="order.number")
    if not number:
        reading.report.problem(reading.xpath(request), "id-missing", "the request has no ID")
    product = reading.text(
        request, "ProductProductionRuleID", "OperationsDefinitionID", to="order.product"
    )
    quantity, unit, needs = "", "", []
    for use, one in _materials(reading, request):
        if use == "Produced":
            product, quantity, unit = product or one.material, one.quantity, one.unit
        else:
            needs.append(one)
    return OrderSaid(
        pointer=reading.xpath(request),
        number=number,
        product=product,
        quantity=quantity,
        unit=unit,
        starts_at=reading.text(request, "StartTime", to="order.starts_at"),
        needs=tuple(needs),
    )


def _materials(reading: Reading, request: Any) -> Iterator[tuple[str, LotSaid]]:
    """Yield every requirement of a request and of its segments, however deep."""
    waiting = deque(reading.children(request, "SegmentRequirement"))
    while waiting:
        segment = waiting.popleft()
        reading.text(segment, "ID", "ProcessSegmentID", to="order.segment")
        for one in reading.children(segment, *_NEEDS):
            use = b2mml_materials.use_of(reading, one)
            yield use, b2mml_materials.requirement(reading, one)
        waiting += reading.children(segment, "SegmentRequirement")


def performance(reading: Reading, element: Any) -> Iterator[Item]:
    reading.text(element, "ID", to="performance.id")
    for response in reading.children(element, "ProductionResponse", "OperationsResponse"):
        batch = reading.text(
            response, "ProductionRequestID", "OperationsRequestID", to="event.batch"
        )
        reading.text(response, "ID", to="performance.response")
        waiting = deque(reading.children(response, "SegmentResponse"))
        while waiting:
            segment = waiting.popleft()
            yield from _segment(reading, segment, batch)
            waiting += reading.children(segment, "SegmentResponse", "SegmentResponseChild")


def _segment(reading: Reading, segment: Any, batch: str) -> Iterator[Item]:
    reading.text(segment, "ID", to="(id of the segment)")
    phase = reading.text(segment, "ProcessSegmentID", to="event.phase")
    starts = reading.text(segment, "ActualStartTime", to="event.details")
    ends = reading.text(segment, "ActualEndTime", to="event.occurred_at")
    moment = ends or starts
    for one in reading.children(segment, *_ACTUALS):
        produced = b2mml_materials.use_of(reading, one) == "Produced"
        said = b2mml_materials.requirement(reading, one)
        details = {"material": said.material, "lot": said.lot, "unit": said.unit}
        details["yield_quantity" if produced else "quantity"] = said.quantity
        if produced:
            details["yield_unit"] = details.pop("unit")
        yield HappeningSaid(
            pointer=said.pointer, batch=batch, phase=phase, occurred_at=moment,
            kind="observation" if produced else "addition",
            details={name: text for name, text in details.items() if text},
        )  # fmt: skip
    for one in reading.children(segment, *_DATA):
        inner = reading.child(one, "Parameter")
        holder = one if inner is None else inner
        tag = reading.text(holder, "ID", to="event.tag")
        value, unit = reading.quantity(holder, "Value", to="event.value")
        yield HappeningSaid(
            pointer=reading.xpath(one), batch=batch, phase=phase, occurred_at=moment,
            kind="measurement", tag=tag, value=value, unit=unit,
        )  # fmt: skip
