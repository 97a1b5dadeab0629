"""The batch record as a PDF: it can always be drawn, and says of each value what is on record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from batches.disposition import batch_report
from batches.execution import batches
from batches.execution.models import Batch, EventKind
from batches.laboratory.models import Result
from batches.recipes.drafts import ParameterDraft
from batches.recipes.models import Criticality
from compliance.access.duties import Role
from compliance.inspection import inspections
from compliance.inspection.models import CheckResult, Inspection, Profile
from compliance.quality.models import Severity
from compliance.reports import kinds, layout, spelling
from compliance.reports.document import (
    Block,
    Document,
    Facts,
    Finding,
    Paragraph,
    Table,
    Tile,
    Tone,
)
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _written(batch: Batch) -> Document:
    facts = kinds.Facts("RPT-1", 1, "q.one", "Site", timezone.now())
    return kinds.by_name(batch_report.KIND).write(batch.number, facts)


def _blocks(document: Document, heading: str) -> tuple[Block, ...]:
    (section,) = [one for one in document.sections if one.heading == heading]
    return section.blocks


def _tile(document: Document) -> Tile:
    (found,) = [one for one in document.verdicts if one.label == "Parameters"]
    return found


def _rows(document: Document, heading: str) -> dict[str, tuple[object, ...]]:
    (table,) = [one for one in _blocks(document, heading) if isinstance(one, Table)]
    return {str(row[0]): row for row in table.rows}


@pytest.mark.requirement("211-188")
def test_a_control_character_in_an_append_only_record_is_printed_by_its_number() -> None:
    batch = factories.running_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="bell\x07rang")
    batches.open_deviation(
        batch, severity=Severity.MAJOR, occurred_at=NOON, at=NOON,
        actor=factories.person(Role.OPERATOR), title="Foam in the exhaust",
        description="Foam rose.\x0bIt reached the filter.",
    )  # fmt: skip

    document = spelling.spelled(_written(batch))

    assert layout.draw(document).startswith(b"%PDF")
    (said,) = [one for one in _blocks(document, "Deviations") if isinstance(one, Facts)]
    assert "Foam rose.⟦U+000B⟧It reached the filter." in [fact.value for fact in said.facts]


@pytest.mark.requirement("211-188")
def test_what_was_not_measured_is_not_within_limits() -> None:
    batch = factories.running_batch()
    nothing = _tile(_written(batch))
    factories.stored(batch, factories.temperatures("36.80"))
    some = _tile(_written(batch))
    factories.stored(
        batch, [one._replace(tag="ph", unit="[pH]") for one in factories.temperatures("7.00")]
    )
    sample = factories.sample(batch)
    factories.result(sample)
    factories.result(sample, tag="lactate_mmol_l", value="40", unit="mmol/L")
    every = _tile(_written(batch))
    factories.happened(
        batch, EventKind.MEASUREMENT, tag="temperature_c", value="98.2", unit="[degF]"
    )
    doubted = _written(batch)
    later = factories.sample(batch)
    factories.result(later, tag="lactate_mmol_l", value="71", unit="mmol/L")
    outside = _tile(_written(batch))

    assert (nothing.verdict, nothing.tone) == ("not measured", Tone.NEUTRAL)
    assert (some.verdict, some.tone) == ("incomplete", Tone.NEUTRAL)
    assert some.note == "not measured: Antibody, Lactate, pH"
    assert (every.verdict, every.tone) == ("within limits", Tone.GOOD)
    assert _tile(doubted).verdict == "not proven"
    assert _tile(doubted).note == "open exceptions of values: 1"
    [(_, kind, text, assessed)] = _rows(doubted, "Exceptions").values()
    assert (kind, assessed) == ("Value that could not be judged", "open")
    assert "98.2 [degF]" in str(text)
    assert (outside.verdict, outside.tone) == ("outside limits", Tone.BAD)


def test_units_are_written_as_people_read_them_and_their_codes_are_there() -> None:
    batch = factories.running_batch()
    factories.stored(batch, factories.temperatures("36.80"))

    document = _written(batch)

    assert "°C" in str(_rows(document, "Process parameters")["Temperature"])
    assert _rows(document, "Units")["°C"] == ("°C", "Cel")
    assert _rows(document, "Units")["pH"] == ("pH", "[pH]")


def test_a_recipe_without_limits_has_nothing_within_them() -> None:
    bare = [
        replace(one, low=None, high=None, is_required=False, criticality=Criticality.OTHER)
        for one in factories.RECIPE.parameters
        if isinstance(one, ParameterDraft)
    ]
    batch = factories.running_batch(factories.recipe(replace(factories.RECIPE, parameters=bare)))

    tile = _tile(_written(batch))

    assert (tile.verdict, tile.tone) == ("no limits", Tone.NEUTRAL)


def test_a_measurement_that_is_no_number_stops_no_report() -> None:
    batch = factories.running_batch()
    for value, unit in (("n/a", "Cel"), ("NaN", "Cel"), ("309.9", "K")):
        factories.happened(
            batch, EventKind.MEASUREMENT, tag="temperature_c", value=value, unit=unit
        )

    document = _written(batch)

    assert _rows(document, "Process parameters")["Temperature"][3:] == ("", "", "not measured")
    assert _tile(document).verdict == "not measured"


@pytest.mark.parametrize(
    ("value", "verdict"), [("7.00", "within limits"), ("7.40", "outside limits")]
)
def test_what_a_person_entered_is_measured_and_judged(value: str, verdict: str) -> None:
    phase = factories.ready_phase()
    factories.in_process(phase, value=value)

    document = _written(phase.batch)

    assert _rows(document, "Process parameters")["pH"][3:] == (value, value, verdict)
    assert _tile(document).verdict == ("incomplete" if verdict == "within limits" else verdict)


def test_a_finding_names_its_clauses_in_words() -> None:
    batch = factories.running_batch()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    asked = inspections.request(profile=Profile.FDA, scope=[batch.number], actor=quality, at=NOON)
    assert inspections.claim(asked, at=NOON)
    with factories.acting():
        Inspection.objects.filter(pk=asked.pk).update(
            state="finished", finished_at=NOON, tree_size=1, last_entry=1, grade="A1",
            snapshot_digest="0" * 64, rule_pack="fda 1", summary="one finding",
        )  # fmt: skip
        CheckResult.objects.create(
            inspection=asked, check_id="DI-08", order=1, verdict="finding", failing=1,
            finding_class="critical", title="Delay", text="An event was recorded late.",
            clauses=[
                {"reference": "21 CFR 211.100(b)", "source_status": "secondary"},
                {"reference": "21 CFR 211.188", "source_status": "primary"},
            ],
        )  # fmt: skip

    said = _blocks(_written(batch), "Simulated inspection")

    (finding,) = [one for one in said if isinstance(one, Finding)]
    assert finding.clause == "21 CFR 211.100(b) (secondary); 21 CFR 211.188 (primary)"


@pytest.mark.requirement("211-188")
def test_the_last_of_several_results_is_judged_and_both_places_say_so() -> None:
    batch = factories.running_batch()
    for hour, value in enumerate(("0.80", "1.9", "2.1")):
        at = NOON + timedelta(hours=hour)
        factories.result(factories.sample(batch, at=at), value=value, at=at)
    corrected = Result.objects.get(value_text="2.1")
    factories.result(
        corrected.sample,
        value="2.30",
        at=at,
        version=2,
        reason="a digit was mistyped",
        by=corrected.source,
    )

    document = _written(batch)

    (said,) = [one for one in _blocks(document, "Process parameters") if isinstance(one, Paragraph)]
    assert said.text == (
        f"mab_g_l: the last of 3 results is outside at least 2.5 g/L, 2.30 at {at.isoformat()}"
    )
    (table,) = _blocks(document, "Samples and results")
    assert isinstance(table, Table)
    assert [(row[3], row[4]) for row in table.rows] == [
        ("0.80 g/L", "not judged: earlier sample"),
        ("1.9 g/L", "not judged: earlier sample"),
        ("2.1 g/L", "not judged: replaced"),
        ("2.30 g/L", "outside limits"),
    ]


def test_every_result_of_what_is_no_quality_attribute_counts_with_the_digits_recorded() -> None:
    batch = factories.running_batch()
    for hour, value in enumerate(("70.10", "60", "78.1")):
        at = NOON + timedelta(hours=hour)
        factories.result(
            factories.sample(batch, at=at), tag="lactate_mmol_l", value=value, unit="mmol/L", at=at
        )
    factories.stored(batch, factories.temperatures("36.80", "37.00"))

    document = _written(batch)

    (said,) = [one for one in _blocks(document, "Process parameters") if isinstance(one, Paragraph)]
    first = f"first 70.10 at {NOON.isoformat()}"
    assert said.text == f"lactate_mmol_l: 2 results outside at most 70 mmol/L, {first}"
    (table,) = _blocks(document, "Samples and results")
    assert isinstance(table, Table)
    verdicts = ["outside limits", "within limits", "outside limits"]
    assert [row[4] for row in table.rows] == verdicts
    temperature = _rows(document, "Process parameters")["Temperature"]
    assert temperature[3:] == ("36.80", "37.00", "within limits")
