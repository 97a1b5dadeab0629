"""Write a batch production record as BatchML V0700."""

from collections.abc import Iterable
from typing import Any

from lxml import etree

from batches.exchange.formats.batch_records import (
    BatchRecord,
    Charge,
    Entry,
    Event,
    Material,
    Parameter,
    Phase,
    Sample,
)
from batches.exchange.formats.batchml_fields import (
    add,
    batch_value,
    entry,
    is_safe,
    other_information,
    parameter_fields,
    user_attributes,
    value,
)
from batches.exchange.formats.xml_reading import ACKNOWLEDGEMENT, V0700
from compliance.refusals import Refused

# Our kinds of events in the words of ISA-88; the kind itself is an attribute of the event.
EVENT_TYPES = {
    "batch-started": ("Procedural Execution", "State Change"),
    "batch-ended": ("Procedural Execution", "State Change"),
    "batch-suspended": ("Procedural Execution", "State Change"),
    "batch-resumed": ("Procedural Execution", "State Change"),
    "batch-aborted": ("Procedural Execution", "State Change"),
    "phase-started": ("Procedural Execution", "State Change"),
    "phase-ended": ("Procedural Execution", "State Change"),
    "phase-held": ("Procedural Execution", "State Change"),
    "phase-resumed": ("Procedural Execution", "State Change"),
    "phase-aborted": ("Procedural Execution", "State Change"),
    "addition": ("Material", "Consume"),
    "sampling": ("Operator", "Process"),
    "observation": ("Operator", "Message"),
    "measurement": ("General", "Process Data"),
    "alarm": ("Alarm", "Process"),
}


class NotExpressible(Refused):
    """A name in the record has a character that no XML document can hold."""

    code = "batchml-not-expressible"
    status = 422


def write(record: BatchRecord) -> bytes:
    """Return the record as a document; raise `NotExpressible`."""
    _demand_expressible(record)
    root = etree.Element(f"{{{V0700}}}BatchProductionRecord", nsmap={None: V0700})
    add(root, "ID", record.number)
    add(root, "EntryID", record.number)
    add(root, "ObjectType", "Batch Production Record")
    add(root, "TimeStamp", record.created_at)
    add(root, "Description", ACKNOWLEDGEMENT)
    add(root, "CreationDate", record.issued_at)
    add(root, "BatchID", record.number)
    add(root, "MaterialDefinitionID", record.product)
    add(root, "RecordStatus", record.state)
    _control_recipe(add(root, "ControlRecipes"), record)
    events = add(root, "Events")
    for event in record.events:
        _event(events, event)
    for charge in record.charges:
        _charge(events, charge)
    for one in record.entries:
        _entry(events, one)
    people = add(root, "PersonnelIdentification")
    for person in record.people:
        made = entry(people, "PersonnelIdentificationManifest", entry_id=person.id, kind=_MANIFEST)
        add(made, "RecordReference", record.number)
        add(made, "Name", person.id)
        add(made, "ChangeIndication", person.acts)
    elements = add(root, "RecipeElements")
    for phase in record.phases:
        _phase(elements, phase)
    samples = add(root, "Samples")
    for sample in record.samples:
        _sample(samples, sample)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


_MANIFEST = "Personnel Identification Manifest"


def _demand_expressible(record: BatchRecord) -> None:
    names = [record.number, record.product, *(one.id for one in record.people)]
    names += [phase.name for phase in record.phases]
    names += [text for one in record.parameters for text in (one.tag, one.unit)]
    names += [text for one in record.materials for text in (one.code, one.unit)]
    for sample in record.samples:
        names += [sample.number]
        names += [text for one in sample.results for text in (one.tag, one.unit, one.value)]
    for name in names:
        if not is_safe(name):
            raise NotExpressible(f"“{name!a}” has a character that XML cannot hold")


def _control_recipe(parent: Any, record: BatchRecord) -> None:
    made = entry(parent, "ControlRecipeRecord", entry_id=record.number, kind="Control Recipe")
    recipe = add(made, "ControlRecipe")
    add(recipe, "ID", record.number)
    add(recipe, "Version", str(record.recipe_version))
    add(recipe, "Description", record.recipe_title)
    add(recipe, "BatchID", record.number)
    header = add(recipe, "Header")
    add(header, "ProductID", record.product)
    add(header, "ProductName", record.product_name)
    formula = add(recipe, "Formula")
    for parameter in record.parameters:
        _parameter(formula, parameter)
    for material in record.materials:
        _material(formula, material)
    other_information(
        recipe,
        [
            ("recipe-title", record.recipe_title),
            ("recipe-digest", record.recipe_digest),
            ("product-name", record.product_name),
            ("disposition", record.disposition),
            ("planned-size", record.planned_size),
            ("planned-unit", record.planned_unit),
            ("started-at", record.started_at),
            ("ended-at", record.ended_at),
        ],
    )


def _parameter(formula: Any, said: Parameter) -> None:
    made = add(formula, "Parameter")
    add(made, "ID", said.tag)
    add(made, "Description", said.name)
    add(made, "ParameterType", "ProcessParameter")
    batch_value(made, said.target, unit=said.unit)
    parameter_fields(
        made,
        [
            ("name", said.name),
            ("kind", said.kind),
            ("criticality", said.criticality),
            ("low", said.low),
            ("high", said.high),
        ],
    )


def _material(formula: Any, said: Material) -> None:
    made = add(formula, "Parameter")
    add(made, "ID", str(said.line))
    add(made, "Description", said.code)
    add(made, "ParameterType", "ProcessInput")
    batch_value(made, said.quantity, unit=said.unit)
    parameter_fields(made, [("code", said.code), ("kind", said.kind), ("phase", said.phase)])


def _phase(parent: Any, said: Phase) -> None:
    made = entry(parent, "RecipeElementRecord", entry_id=str(said.order), kind="Recipe Element")
    element = add(made, "RecipeElementType")
    add(element, "ID", str(said.order))
    add(element, "Description", said.name)
    add(element, "RecipeElementType", "Phase")
    other_information(
        element,
        [
            ("name", said.name),
            ("unit-procedure", said.unit_procedure),
            ("operation", said.operation),
            ("state", said.state),
            ("started-at", said.started_at),
            ("ended-at", said.ended_at),
            ("started-by", said.started_by),
            ("ended-by", said.ended_by),
            ("verified-by", said.verified_by),
        ],
    )


def _event(events: Any, said: Event) -> None:
    types = EVENT_TYPES.get(said.kind, ("General", "System"))
    fields = [
        ("kind", said.kind), ("occurred-text", said.occurred_text), ("text", said.text),
        ("recorded-at", said.recorded_at), ("phase", said.phase), ("tag", said.tag),
        ("details", said.details), ("source", said.source), ("recorded-by", said.recorded_by),
        ("value", said.value), ("unit", said.unit),
    ]  # fmt: skip
    _happening(
        events, said.id, "event", types, at=said.occurred_at, phase=said.phase, text=said.text,
        people=[said.recorded_by], value_=(said.value, said.unit, said.tag), fields=fields,
    )  # fmt: skip


def _charge(events: Any, said: Charge) -> None:
    fields = [
        ("material", said.material), ("lot", said.lot), ("net", said.net), ("unit", said.unit),
        ("phase", said.phase), ("charged-by", said.charged_by), ("verified-by", said.verified_by),
    ]  # fmt: skip
    _happening(
        events, said.id, "charge", ("Material", "Consume"), at=said.charged_at, phase=said.phase,
        people=[said.charged_by, said.verified_by], value_=(said.net, said.unit, said.lot),
        fields=fields,
    )  # fmt: skip


def _entry(events: Any, said: Entry) -> None:
    fields = [
        ("tag", said.tag), ("phase", said.phase), ("value", said.value), ("unit", said.unit),
        ("standing", said.standing), ("performed-by", said.performed_by),
        ("verified-by", said.verified_by),
    ]  # fmt: skip
    _happening(
        events, said.id, "entry", ("Operator", "Parameter Data"), at=said.performed_at,
        phase=said.phase, people=[said.performed_by, said.verified_by],
        value_=(said.value, said.unit, said.tag), fields=fields,
    )  # fmt: skip


def _happening(
    events: Any, own: str, category: str, types: tuple[str, str], *, at: str, phase: str,
    people: Iterable[str], value_: tuple[str, str, str], fields: Iterable[tuple[str, str]],
    text: str = "",
) -> None:  # fmt: skip
    made = entry(events, "Event", entry_id=own, kind="Event", at=at)
    add(made, "EventType", types[0])
    add(made, "EventSubType", types[1])
    if any(value_):
        shown, unit, key = value_
        value(made, shown, unit=unit, key=key)
    if text:
        add(made, "MessageText", text)
    for person in people:
        if person:
            add(made, "PersonID", person)
    if phase:
        add(made, "ProceduralElementReference", phase)
    add(made, "Category", category)
    user_attributes(made, fields)


def _sample(parent: Any, said: Sample) -> None:
    made = entry(parent, "Sample", entry_id=said.number, kind="Sample", at=said.taken_at)
    if said.point:
        add(made, "SampleSourceID", said.point)
    for one in said.results:
        test = entry(made, "SampleTest", entry_id=one.id, kind="Sample Test")
        add(test, "TestCode", one.tag)
        result = entry(
            test, "SampleTestResult", entry_id=one.id, kind="Sample Test Result", at=one.reported_at
        )
        if one.judgement:
            add(result, "TestDisposition", one.judgement)
        value(result, one.value, unit=one.unit, key=str(one.version), name="Results")
