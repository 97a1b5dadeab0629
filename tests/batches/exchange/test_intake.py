"""Messages are kept byte for byte, and land whole or wait in quarantine."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import Error, connection

from batches.exchange import intake
from batches.exchange.actions import Action
from batches.exchange.formats import detecting, gates
from batches.exchange.models.messages import Message, MessageState
from batches.execution import belongings
from batches.execution.models import Batch, BatchEvent, EventKind, ReadingSegment
from batches.laboratory import samples
from batches.laboratory.models import Result, Sample
from batches.quantities import units
from batches.recipes.drafts import ParameterDraft
from batches.recipes.models import Criticality, ParameterKind
from compliance.access.authority import NotPermitted
from compliance.access.models import DeviceKind
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.models import Attachment, Entry
from tests import factories
from tests.batches.exchange import posting
from tests.batches.exchange.posting import CSV, JSON, NDJSON, XML
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db


AMMONIUM = replace(
    RECIPE,
    parameters=[
        *RECIPE.parameters,
        ParameterDraft(
            tag="ammonium_mmol_l", name="Ammonium", kind=ParameterKind.RESULT, unit="mmol/L",
            criticality=Criticality.CPP, high=Decimal("10"),
        ),
    ],
)  # fmt: skip


def _sample(number: str = "SMPL_1234") -> Sample:
    batch = factories.running_batch(factories.recipe(AMMONIUM))
    made = factories.sample(batch)
    return samples.take(
        batch, number=number, taken_at=NOON.replace(year=2022), actor=made.source, at=NOON
    )


def _files(folder: Path, *ends: str) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix in ends)


@pytest.mark.shared
@pytest.mark.requirement("A11-5")
def test_every_b2mml_file_comes_in_with_a_report_and_all_of_its_bytes(shared: Path) -> None:
    sender = factories.device(DeviceKind.MES)
    files = _files(shared / "data/exchange/b2mml", ".xml", ".xsd")
    assert len(files) > 40

    for file in files:
        message = posting.received(file.read_bytes(), XML, by=sender)

        assert message.state in (MessageState.MAPPED, MessageState.QUARANTINED), file
        assert message.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert intake.original(message) == file.read_bytes()
        counts = message.report["counts"]
        assert counts["mapped"] + counts["unmapped"] > 0, file
        assert bool(counts["problems"]) == (message.state == MessageState.QUARANTINED)


@pytest.mark.shared
@pytest.mark.requirement("A11-5")
def test_every_asm_file_comes_in_with_a_report_and_all_of_its_bytes(shared: Path) -> None:
    sender = factories.device(DeviceKind.LIMS)
    folder = shared / "data/exchange"
    files = _files(folder / "allotropy", ".json") + _files(folder / "asm_schemas", ".json")
    assert len(files) > 30
    posting.mapping({"kind": "asm", "zone": "offset"})
    kinds = set()

    for file in files:
        message = posting.received(file.read_bytes(), JSON, by=sender, mapping="declared")

        assert message.state == MessageState.QUARANTINED, file  # no property was declared
        assert intake.original(message) == file.read_bytes()
        kinds.add(message.format)
    assert {"asm-cell-counting", "asm-plate-reader", "asm-liquid-chromatography"} <= kinds


@pytest.mark.shared
def test_results_of_an_asm_file_land_with_declared_tags_units_and_zone(shared: Path) -> None:
    file = shared / "data/exchange/allotropy/novabio_flex2/SampleResults2022-06-28_142558.json"
    sample = _sample()
    posting.mapping(posting.ASM)

    message = posting.received(
        file.read_bytes(), JSON, mapping="declared", batch=sample.batch.number
    )

    assert message.state == MessageState.MAPPED, message.report["problems"]
    result = Result.objects.get(sample=sample)
    assert (result.tag, result.value_text, result.unit) == ("ammonium_mmol_l", "0.48", "mmol/L")
    # 14:34:52 on the instrument, which gave no zone: in Paris that is 12:34:52 UTC.
    assert result.reported_at.isoformat() == "2022-06-24T12:34:52+00:00"
    assert message.batch == sample.batch
    assert any("clock of zone Europe/Paris" in one["note"] for one in message.report["changed"])
    assert message.report["landed"] == [
        {"kind": "result", "count": 1, "first": result.pk, "last": result.pk}
    ]


@pytest.mark.shared
def test_a_mapping_that_leaves_everything_is_no_success(shared: Path) -> None:
    file = shared / "data/exchange/allotropy/novabio_flex2/SampleResults2022-06-28_142558.json"
    posting.mapping({"kind": "asm", "zone": "Europe/Paris", "leave_unlisted": True})

    message = posting.received(file.read_bytes(), JSON, mapping="declared")

    assert posting.codes(message) == {"nothing-mapped"}


def test_rows_of_a_declared_table_land_as_results() -> None:
    sample = _sample()
    posting.mapping(posting.FLEX)
    table = b"Date & Time,Sample ID,Lac,Operator\n6-24-2022  14:34:52,SMPL_1234,0.180,ANALYST1\n"

    message = posting.received(table, CSV, mapping="declared")

    assert message.state == MessageState.MAPPED, message.report["problems"]
    result = Result.objects.get(sample=sample)
    assert (result.value_text, result.analyst) == ("0.180", "")
    assert result.reported_at.isoformat() == "2022-06-24T12:34:52+00:00"


def test_ndjson_lands_as_readings_of_the_batch_that_is_named() -> None:
    batch = factories.running_batch()
    posting.mapping(
        {
            "kind": "ndjson", "makes": "readings", "encoding": "utf-8", "newline": "lf",
            "time_format": "iso", "zone": "offset",
            "columns": [
                {"name": "t", "field": "at"}, {"name": "tag", "field": "tag"},
                {"name": "v", "field": "value"}, {"name": "u", "field": "unit"},
            ],
        }
    )  # fmt: skip
    lines = b"".join(
        b'{"t":"2026-03-02T11:5%d:00+00:00","tag":"temperature_c","v":36.80,"u":"degC"}\n' % number
        for number in range(5)
    )

    message = posting.received(lines, NDJSON, mapping="declared", batch=batch.number)

    assert message.state == MessageState.MAPPED, message.report["problems"]
    segment = ReadingSegment.objects.get(batch=batch)
    assert (segment.count, segment.content_digest) == (5, message.sha256)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT value, unit FROM execution_reading WHERE segment_id = %s", [segment.pk]
        )
        assert cursor.fetchall() == [(Decimal("36.80"), "Cel")]


def test_a_performance_lands_as_events_of_its_batch() -> None:
    batch = factories.running_batch()
    phase = batch.phases.first()
    assert phase is not None
    data = f"""<ProductionPerformance xmlns="http://www.wbf.org/xml/B2MML-V0401"><ID>7</ID>
      <ProductionResponse><ProductionRequestID>{batch.number}</ProductionRequestID>
      <SegmentResponse><ProcessSegmentID>{phase.name}</ProcessSegmentID>
      <ActualEndTime>2026-03-02T11:58:00Z</ActualEndTime>
      <ProductionData><ID>ph</ID><Value><ValueString>7.05</ValueString>
        <UnitOfMeasure>pH</UnitOfMeasure></Value></ProductionData>
      <MaterialConsumedActual><MaterialDefinitionID>M-1</MaterialDefinitionID>
        <MaterialLotID>L-1</MaterialLotID><Quantity><QuantityString>2.50</QuantityString>
        <UnitOfMeasure>KG</UnitOfMeasure></Quantity></MaterialConsumedActual>
      </SegmentResponse></ProductionResponse></ProductionPerformance>""".encode()

    message = posting.received(data, XML)

    assert message.state == MessageState.MAPPED, message.report["problems"]
    found = {one.kind: one for one in BatchEvent.objects.filter(batch=batch, phase=phase.name)}
    assert message.batch == batch
    assert ("exchange_message", str(message.pk)) in belongings.keys(batch)
    measured = found[EventKind.MEASUREMENT]
    assert (measured.tag, measured.value, measured.unit) == ("ph", "7.05", "[pH]")
    assert found[EventKind.ADDITION].details == {
        "material": "M-1", "lot": "L-1", "quantity": "2.50", "unit": "KG",
    }  # fmt: skip


def test_an_order_issues_a_batch_of_its_product() -> None:
    recipe = factories.recipe()
    data = f"""<SyncProductionSchedule xmlns="http://www.wbf.org/xml/B2MML-V0401" releaseID="">
      <ApplicationArea><BODID>order-1</BODID></ApplicationArea><DataArea><Sync/>
      <ProductionSchedule><ProductionRequest><ID>PO-77</ID><SegmentRequirement><ID>1</ID>
      <MaterialRequirement><MaterialDefinitionID>{recipe.product.code}</MaterialDefinitionID>
      <MaterialUse>Produced</MaterialUse><Quantity><QuantityString>200</QuantityString>
      <UnitOfMeasure>g</UnitOfMeasure></Quantity></MaterialRequirement></SegmentRequirement>
      </ProductionRequest></ProductionSchedule></DataArea></SyncProductionSchedule>""".encode()
    sender = factories.device(DeviceKind.MES)

    message = posting.received(data, XML, by=sender)

    assert message.state == MessageState.MAPPED, message.report["problems"]
    batch = Batch.objects.get(number="PO-77")
    assert (batch.recipe_id, batch.planned_size, batch.scale) == (recipe.pk, 200, 2)
    with pytest.raises(intake.MessageIdReused):
        posting.received(data.replace(b"PO-77", b"PO-78"), XML, by=sender)
    assert not Batch.objects.filter(number="PO-78").exists()


def test_the_same_bytes_of_the_same_sender_are_one_message_and_land_once() -> None:
    _sample()
    posting.mapping(posting.FLEX)
    sender = factories.device(DeviceKind.LIMS)
    table = b"Date & Time,Sample ID,Lac,Operator\n6-24-2022  14:34:52,SMPL_1234,0.180,ANALYST1\n"

    first = posting.received(table, CSV, by=sender, mapping="declared")
    again = posting.received(table, CSV, by=sender, mapping="declared")

    assert first.pk == again.pk
    assert Result.objects.count() == 1


def test_a_message_lands_whole_or_not_at_all() -> None:
    """The second row breaks a rule of the laboratory: nothing of the first one is stored either."""
    _sample()
    posting.mapping(posting.FLEX)
    table = (
        b"Date & Time,Sample ID,Lac,Operator\n"
        b"6-24-2022  14:34:52,SMPL_1234,0.180,A\n"
        b"6-24-2022  14:35:52,SMPL_1234,0.190,A\n"
    )

    message = posting.received(table, CSV, mapping="declared")

    assert message.state == MessageState.QUARANTINED
    assert posting.codes(message) == {"result-reported"}
    assert message.report["problems"][0]["pointer"] == "/3/Lac"
    assert not Result.objects.exists()


@pytest.mark.requirement("211-68b")
def test_a_unit_that_nobody_approved_waits_in_quarantine_with_its_raw_text() -> None:
    document = {
        "$asm.manifest": "http://purl.allotrope.org/manifests/solution-analyzer/REC/2024/09/"
        "solution-analyzer.manifest",
        "solution analyzer aggregate document": {
            "solution analyzer document": [
                {
                    "measurement aggregate document": {
                        "measurement document": [
                            {
                                "measurement identifier": "1",
                                "measurement time": "2022-06-24T14:34:52+02:00",
                                "sample document": {"sample identifier": "SMPL_1234"},
                                "analyte aggregate document": {
                                    "analyte document": [
                                        {
                                            "analyte name": "lactate",
                                            "molar concentration": {"value": 0.18, "unit": "UNIT"},
                                        }
                                    ]
                                },
                            }
                        ]
                    }
                }
            ]
        },
    }
    _sample()
    declared = {**posting.ASM, "zone": "offset"}
    declared["results"] = [{"name": "lactate/molar concentration", "tag": "lactate_mmol_l"}]
    posting.mapping(declared)
    asked = {}

    for unit in ("mmol/l ", "pH", "m{AU}", "umol/L", "mmol/L"):
        data = json.dumps(document).replace("UNIT", unit).encode()
        message = posting.received(data, JSON, mapping="declared")
        asked[unit] = (posting.codes(message), [one["raw"] for one in message.report["problems"]])

    assert asked == {
        "mmol/l ": ({"unit-unknown"}, ["mmol/l "]),
        "pH": ({"dimension-differs"}, ["pH"]),  # never picohenry
        "m{AU}": ({"dimension-differs"}, ["m{AU}"]),  # never metre
        "umol/L": ({units.UnitMismatch.code}, ["umol/L"]),  # never converted silently
        "mmol/L": (set(), []),
    }


@pytest.mark.parametrize(
    ("data", "media_type", "refusal"),
    [
        (b"<a", XML, gates.MessageMalformed),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", XML, gates.MessageForbidden),
        (b"{", JSON, gates.MessageMalformed),
        (b'{"a":1}', XML, detecting.TypeDiffers),
        (b"<a/>", JSON, detecting.TypeDiffers),
        (b"a,b\n", "application/pdf", detecting.TypeUnknown),
        (b"", CSV, gates.MessageMalformed),
    ],
)
def test_what_is_no_message_is_refused_and_nothing_is_kept(
    data: bytes, media_type: str, refusal: type[Refused]
) -> None:
    sender = factories.device()
    files = Attachment.objects.count()

    with pytest.raises(refusal):
        posting.received(data, media_type, by=sender)

    assert not Message.objects.exists()
    assert Attachment.objects.count() == files


def test_a_device_that_is_not_qualified_sends_nothing() -> None:
    sender, _ = factories.device_and_token(is_qualified=False)

    with pytest.raises(NotPermitted):
        posting.received(b"<a/>", XML, by=sender)


@pytest.mark.requirement("P11-c1")
def test_a_message_keeps_its_bytes_and_its_end_in_the_database_too() -> None:
    message = posting.received(b"<a/>", XML)
    assert message.state == MessageState.QUARANTINED
    assert Entry.objects.filter(record="exchange_message", record_id=str(message.pk)).count() == 2

    for change in ({"sha256": "0" * 64}, {"state": "mapped"}, {"size": 1}):
        with pytest.raises(Error):
            with recording.recording(
                Action.MESSAGE_RESOLVED, actor=factories.TEST, at=NOON, reason="an attack of a test"
            ):
                Message.objects.filter(pk=message.pk).update(**change)
