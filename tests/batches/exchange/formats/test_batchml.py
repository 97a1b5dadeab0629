"""A batch production record goes out as BatchML and comes back with every character."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from batches.exchange.formats import b2mml, batchml_out
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
from batches.exchange.formats.contents import HappeningSaid, RecordSaid
from batches.exchange.formats.xml_reading import ACKNOWLEDGEMENT

AT = "2026-03-02T12:00:00+00:00"
RECORD = BatchRecord(
    number="B-1", product="P-1", product_name="A product", recipe_version=3, recipe_title="How",
    recipe_digest="0" * 64, state="completed", disposition="pending", issued_at=AT, created_at=AT,
    planned_size="100.000000", planned_unit="g", started_at=AT, ended_at=AT,
    phases=(
        Phase(order=1, unit_procedure="Bioreactor", operation="", name="Growth", state="done",
              started_at=AT, ended_at=AT, started_by="user:1", verified_by="user:2"),
        Phase(order=2, unit_procedure="Bioreactor", operation="O", name="Harvest", state="waiting"),
    ),
    parameters=(Parameter(tag="ph", name="pH", kind="reading", unit="[pH]", criticality="cpp",
                          low="6.85", high="7.15", target="7.00"),),
    materials=(Material(line=1, phase="Growth", code="M-1", kind="active", quantity="10.0",
                        unit="mL"),),
    charges=(Charge(id="4", phase="Growth", material="M-1", lot="L-1", net="9.99", unit="mL",
                    charged_at=AT, charged_by="user:1", verified_by="user:2"),),
    events=(Event(id="5", kind="measurement", occurred_at=AT,
                  occurred_text="2026-03-02T13:00:00.5+01:00", recorded_at=AT, phase="Growth",
                  text=" two\nlines ", tag="ph", value="7.10", unit="[pH]",
                  details='{"a":["b",1]}', source="mes-1"),
            Event(id="6", kind="alarm", occurred_at=AT, occurred_text=AT, recorded_at=AT,
                  recorded_by="user:1")),
    entries=(Entry(id="7", tag="ph", phase="", value="7.00", unit="[pH]", standing="within",
                   performed_at=AT, performed_by="user:1", verified_by=""),),
    samples=(Sample(number="S-1", point="", taken_at=AT, results=(
        Result(id="8", tag="mab", version=2, value="3.10", unit="g/L", judgement="conforms",
               reported_at=AT),)),),
    people=(Person(id="user:1", acts="entered values"),),
)  # fmt: skip


def _back(record: BatchRecord) -> BatchRecord:
    content = b2mml.read(batchml_out.write(record))
    assert content.report.is_clean, content.report.problems
    (made,) = [one.record for one in content.items if isinstance(one, RecordSaid)]
    return made


def test_a_record_comes_back_as_it_went_out() -> None:
    assert _back(RECORD) == RECORD


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40), value=st.text(max_size=20))
def test_every_text_of_an_event_survives(text: str, value: str) -> None:
    if any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in text + value):
        return  # no column holds these
    event = replace(RECORD.events[0], text=text, value=value)
    record = replace(RECORD, events=(event,), product_name=text, recipe_title=value)

    assert _back(record) == record


def test_a_name_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(batchml_out.NotExpressible):
        batchml_out.write(replace(RECORD, number="B\x01"))


def test_the_events_of_a_record_are_happenings_of_its_batch() -> None:
    content = b2mml.read(batchml_out.write(RECORD))

    measured, alarm = [one for one in content.items if isinstance(one, HappeningSaid)]
    assert (measured.batch, measured.kind, measured.value) == ("B-1", "measurement", "7.10")
    assert measured.occurred_at == "2026-03-02T13:00:00.5+01:00"
    assert measured.details == {"a": ["b", 1]}
    assert (alarm.kind, alarm.id) == ("alarm", "6")


def test_an_event_of_a_type_without_a_rule_is_a_problem() -> None:
    data = batchml_out.write(replace(RECORD, events=RECORD.events[1:]))
    foreign = data.replace(b"<AttributeID>kind<", b"<AttributeID>other<").replace(
        b"<EventType>Alarm<", b"<EventType>Equipment<"
    )

    assert "event-type-not-mapped" in b2mml.read(foreign).report.problem_codes()


def test_the_originator_is_acknowledged_in_the_document() -> None:
    assert ACKNOWLEDGEMENT.encode() in batchml_out.write(RECORD)


@pytest.mark.shared
@pytest.mark.requirement("P11-b1")
def test_a_record_is_valid_against_the_published_schema(shared: Path) -> None:
    folder = shared / "data/exchange/b2mml/schema_v0700"
    schema = etree.XMLSchema(etree.parse(folder / "BatchML-BatchProductionRecord.xsd"))
    hostile = replace(RECORD.events[0], text="\x01\ufffe\r\n <&> ]]>", value="\x0b")
    empty = BatchRecord(**{
        **vars(RECORD),
        **dict.fromkeys(("phases", "parameters", "materials", "charges", "events", "entries",
                         "samples", "people"), ()),
    })  # fmt: skip

    for record in (RECORD, replace(RECORD, events=(hostile,)), empty):
        schema.assertValid(etree.fromstring(batchml_out.write(record)))
