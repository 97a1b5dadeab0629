"""Read a batch production record of BatchML: the record as a whole, and what happened in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from batches.exchange.formats.batch_records import (
    BatchRecord,
    Charge,
    Entry,
    Event,
    Material,
    Parameter,
    Person,
    Phase,
    Result,
    Sample,
)
from batches.exchange.formats.batchml_fields import read_fields, read_string
from batches.exchange.formats.contents import HappeningSaid, Item, RecordSaid
from batches.exchange.formats.xml_reading import Reading
from compliance.trail.tlog import canonical

# What other vendors' events are to us; a type without a word here is a problem, not a guess.
_KINDS = {
    ("Alarm", None): "alarm",
    ("Material", "Consume"): "addition",
    ("Operator", None): "observation",
    ("Message", None): "observation",
    ("General", "Process Data"): "measurement",
}


def record(reading: Reading, element: Any) -> Iterator[Item]:
    """Yield the record, and each event of it as a happening of its batch."""
    number = reading.text(element, "BatchID", to="record.number")
    own = reading.text(element, "ID", to="record.id")
    number = number or own
    if not number:
        reading.report.problem(reading.xpath(element), "id-missing", "the record has no BatchID")
    for name in ("EntryID", "ObjectType", "Description"):
        reading.text(element, name, to=f"(record: {name})")
    events, charges, entries, happenings = [], [], [], []
    for holder in reading.children(element, "Events"):
        for one in reading.children(holder, "Event"):
            read = _event(reading, one)
            if isinstance(read, Charge):
                charges.append(read)
            elif isinstance(read, Entry):
                entries.append(read)
            else:
                events.append(read)
                happenings.append(_happening(reading, one, read, number))
    recipe = _recipe(reading, element)
    parameters, materials = _formula(reading, recipe)
    other = (
        {}
        if recipe is None
        else read_fields(reading, recipe, "OtherInformation", to="record.recipe")
    )
    version = "" if recipe is None else reading.text(recipe, "Version", to="record.recipe_version")
    made = BatchRecord(
        number=number,
        product=reading.text(element, "MaterialDefinitionID", to="record.product"),
        product_name=other.get("product-name", ""),
        recipe_version=_whole(reading, version, element),
        recipe_title=other.get("recipe-title", ""),
        recipe_digest=other.get("recipe-digest", ""),
        state=reading.text(element, "RecordStatus", to="record.state"),
        disposition=other.get("disposition", ""),
        issued_at=reading.text(element, "CreationDate", to="record.issued_at"),
        created_at=reading.text(element, "TimeStamp", to="record.created_at"),
        planned_size=other.get("planned-size", ""),
        planned_unit=other.get("planned-unit", ""),
        started_at=other.get("started-at", ""),
        ended_at=other.get("ended-at", ""),
        phases=tuple(_phases(reading, element)),
        parameters=parameters,
        materials=materials,
        charges=tuple(charges),
        events=tuple(events),
        entries=tuple(entries),
        samples=tuple(_samples(reading, element)),
        people=tuple(_people(reading, element)),
    )
    yield RecordSaid(pointer=reading.xpath(element), record=made)
    yield from happenings


def _recipe(reading: Reading, element: Any) -> Any | None:
    for holder in reading.children(element, "ControlRecipes"):
        for one in reading.children(holder, "ControlRecipeRecord"):
            _opening(reading, one)
            recipe = reading.child(one, "ControlRecipe")
            if recipe is not None:
                for name in ("ID", "BatchID", "Description"):
                    reading.text(recipe, name, to=f"(recipe: {name})")
                if (header := reading.child(recipe, "Header")) is not None:
                    for name in ("ProductID", "ProductName"):
                        reading.text(header, name, to=f"(recipe: {name})")
                return recipe
    return None


def _formula(
    reading: Reading, recipe: Any | None
) -> tuple[tuple[Parameter, ...], tuple[Material, ...]]:
    formula = None if recipe is None else reading.child(recipe, "Formula")
    if formula is None:
        return (), ()
    parameters, materials = [], []
    for one in reading.children(formula, "Parameter"):
        own = _verbatim(reading, one, "ID", to="parameter.tag")
        described = _verbatim(reading, one, "Description", to="parameter.name")
        kind = reading.text(one, "ParameterType", to="(type of the parameter)")
        fields = read_fields(reading, one, "Parameter", to="parameter")
        value, unit = _value(reading, one, "Value", to="parameter.value")
        if kind == "ProcessInput":
            materials.append(
                Material(
                    line=_whole(reading, own, one), phase=fields.get("phase", ""),
                    code=fields.get("code", described), kind=fields.get("kind", ""),
                    quantity=value, unit=unit,
                )
            )  # fmt: skip
        else:
            parameters.append(
                Parameter(
                    tag=own, name=fields.get("name", described), kind=fields.get("kind", ""),
                    unit=unit, criticality=fields.get("criticality", ""),
                    low=fields.get("low", ""), high=fields.get("high", ""), target=value,
                )
            )  # fmt: skip
    return tuple(parameters), tuple(materials)


def _phases(reading: Reading, element: Any) -> Iterator[Phase]:
    for holder in reading.children(element, "RecipeElements"):
        for one in reading.children(holder, "RecipeElementRecord"):
            order = _opening(reading, one)
            inner = reading.child(one, "RecipeElementType")
            if inner is None:
                continue
            reading.text(inner, "ID", to="phase.order")
            described = _verbatim(reading, inner, "Description", to="phase.name")
            reading.text(inner, "RecipeElementType", to="(type of the element)")
            fields = read_fields(reading, inner, "OtherInformation", to="phase")
            yield Phase(
                order=_whole(reading, order, one),
                unit_procedure=fields.get("unit-procedure", ""),
                operation=fields.get("operation", ""),
                name=fields.get("name", described),
                state=fields.get("state", ""),
                started_at=fields.get("started-at", ""),
                ended_at=fields.get("ended-at", ""),
                started_by=fields.get("started-by", ""),
                ended_by=fields.get("ended-by", ""),
                verified_by=fields.get("verified-by", ""),
            )


def _event(reading: Reading, one: Any) -> Event | Charge | Entry:
    own = _opening(reading, one)
    at = reading.text(one, "TimeStamp", to="event.occurred_at")
    types = (
        reading.text(one, "EventType", to="event.kind"),
        reading.text(one, "EventSubType", to="event.kind"),
    )
    category = reading.text(one, "Category", to="(category of the event)")
    value, unit = _value(reading, one, "Value", to="event.value")
    held = reading.child(one, "Value")
    key = "" if held is None else _verbatim(reading, held, "Key", to="event.tag")
    phase = _verbatim(reading, one, "ProceduralElementReference", to="event.phase")
    text = _verbatim(reading, one, "MessageText", to="event.text")
    people = [
        reading.verbatim(person, to="event.recorded_by")
        for person in reading.children(one, "PersonID")
    ]
    fields = read_fields(reading, one, "UserAttribute", to="event")
    if category == "charge" and "lot" in fields:
        return Charge(
            id=own, phase=fields.get("phase", ""), material=fields.get("material", ""),
            lot=fields["lot"], net=fields.get("net", ""), unit=fields.get("unit", ""),
            charged_at=at, charged_by=fields.get("charged-by", ""),
            verified_by=fields.get("verified-by", ""),
        )  # fmt: skip
    if category == "entry" and "standing" in fields:
        return Entry(
            id=own, tag=fields.get("tag", ""), phase=fields.get("phase", ""),
            value=fields.get("value", ""), unit=fields.get("unit", ""),
            standing=fields["standing"], performed_at=at,
            performed_by=fields.get("performed-by", ""), verified_by=fields.get("verified-by", ""),
        )  # fmt: skip
    if "kind" in fields:
        phase, text, key = (fields.get(name, "") for name in ("phase", "text", "tag"))
        value, unit = fields.get("value", ""), fields.get("unit", "")
        people = [fields.get("recorded-by", "")]
    return Event(
        id=own, kind=fields.get("kind") or _kind(reading, one, types), occurred_at=at,
        occurred_text=fields.get("occurred-text", at), recorded_at=fields.get("recorded-at", ""),
        phase=phase, text=text, tag=key, value=value, unit=unit,
        details=fields.get("details", ""), source=fields.get("source", ""),
        recorded_by=people[0] if people else "",
    )  # fmt: skip


def _kind(reading: Reading, one: Any, types: tuple[str, str]) -> str:
    kind = _KINDS.get(types) or _KINDS.get((types[0], None))
    if kind is None:
        reading.report.problem(
            reading.xpath(one), "event-type-not-mapped",
            f"no rules were declared for events of type {types[0]} / {types[1]}",
        )  # fmt: skip
    return kind or ""


def _happening(reading: Reading, one: Any, event: Event, batch: str) -> HappeningSaid:
    details: Mapping[str, canonical.Value] = {}
    if event.details:
        try:
            found = canonical.loads(event.details.encode())
        except canonical.NotCanonical:
            found = None
        if isinstance(found, dict):
            details = found
        else:
            reading.report.problem(
                reading.xpath(one), "details-unreadable", "the details are no canonical JSON"
            )
    return HappeningSaid(
        pointer=reading.xpath(one), batch=batch, kind=event.kind, id=event.id,
        occurred_at=event.occurred_text or event.occurred_at, phase=event.phase, text=event.text,
        tag=event.tag, value=event.value, unit=event.unit, details=details,
    )  # fmt: skip


def _samples(reading: Reading, element: Any) -> Iterator[Sample]:
    for holder in reading.children(element, "Samples"):
        for one in reading.children(holder, "Sample"):
            number = _opening(reading, one)
            yield Sample(
                number=number,
                point=_verbatim(reading, one, "SampleSourceID", to="sample.point"),
                taken_at=reading.text(one, "TimeStamp", to="sample.taken_at"),
                results=tuple(_results(reading, one)),
            )


def _results(reading: Reading, sample: Any) -> Iterator[Result]:
    for test in reading.children(sample, "SampleTest"):
        _opening(reading, test)
        tag = _verbatim(reading, test, "TestCode", to="result.tag")
        for one in reading.children(test, "SampleTestResult"):
            own = _opening(reading, one)
            value, unit = _value(reading, one, "Results", to="result.value")
            held = reading.child(one, "Results")
            version = "" if held is None else reading.text(held, "Key", to="result.version")
            yield Result(
                id=own, tag=tag, version=_whole(reading, version or "1", one), value=value,
                unit=unit, judgement=reading.text(one, "TestDisposition", to="result.judgement"),
                reported_at=reading.text(one, "TimeStamp", to="result.reported_at"),
            )  # fmt: skip


def _people(reading: Reading, element: Any) -> Iterator[Person]:
    for holder in reading.children(element, "PersonnelIdentification"):
        for one in reading.children(holder, "PersonnelIdentificationManifest"):
            own = _opening(reading, one)
            reading.text(one, "RecordReference", to="(reference to the record)")
            reading.text(one, "Name", to="person.id")
            yield Person(id=own, acts=_verbatim(reading, one, "ChangeIndication", to="person.acts"))


def _opening(reading: Reading, one: Any) -> str:
    """Take what every entry begins with, and return its id."""
    reading.text(one, "ObjectType", to="(type of the entry)")
    return _verbatim(reading, one, "EntryID", to="(id of the entry)")


def _verbatim(reading: Reading, of: Any, name: str, *, to: str) -> str:
    child = reading.child(of, name)
    return "" if child is None else reading.verbatim(child, to=to)


def _value(reading: Reading, of: Any, name: str, *, to: str) -> tuple[str, str]:
    held = reading.child(of, name)
    if held is None:
        return "", ""
    for part in reading.children(held, "DataType", "DataInterpretation"):
        reading.taken(part, to="(data type of the value)")
    return (
        read_string(reading, held, to=to),
        _verbatim(reading, held, "UnitOfMeasure", to=f"{to} (unit)"),
    )


def _whole(reading: Reading, text: str, where: Any) -> int:
    """Return a small whole number; anything else is a problem, and 0."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if text:
        reading.report.problem(
            reading.xpath(where), "number-unreadable", "this is no whole number", raw=text
        )
    return 0
