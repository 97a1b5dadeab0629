"""The mechanistic penicillin twin runs beside a batch: warned in time, repeatable, refused by name."""

from dataclasses import replace
from typing import Any

import pytest

from batches.execution.models import Batch
from batches.laboratory import results
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.reports import charts as drawings
from tests import factories
from tests.twins.hub.conftest import made_walk
from tests.twins.models.penicillin_fed_batch import made_batch
from tests.twins.predictions import penicillin_batches
from tests.twins.predictions.conftest import LATER
from tests.twins.predictions.penicillin_batches import SETTINGS, at, course, draft, record
from twins.advice import terms
from twins.advice.terms import AdviceNotOffered
from twins.bulk import asking as bulk
from twins.hub import life, versions
from twins.hub.models import VersionState
from twins.models import documents
from twins.models.penicillin_fed_batch import deviation_forecast, estimating
from twins.models.registry import MODELS
from twins.predictions import (
    admin,
    alerts,
    charts,
    claims,
    fermentations,
    forecasting,
    moments,
    outputs,
    replays,
    report_section,
    runs,
)
from twins.predictions.models import Alert, Prediction
from twins.predictions.twin_settings import TwinSettingsInvalid

pytestmark = pytest.mark.django_db
TWIN = penicillin_batches.TWIN


@pytest.fixture
def recipe() -> MasterRecipe:
    return factories.recipe(draft())


def running(recipe: MasterRecipe, *, until_h: float, share: float = 1.0) -> Batch:
    """Return a running batch, recorded until an hour; a share of its sugar flows from 36 h on."""
    batch = factories.running_batch(recipe)
    record(batch, course(share), until_h=until_h)
    return batch


def predicted(batch: Batch, hour: float) -> Prediction:
    found = runs.predict(batch, as_of=at(hour), at=LATER)
    assert found is not None
    return found


def test_it_is_asked_with_what_was_visible_and_says_what_the_pure_twin_says(
    recipe: MasterRecipe,
) -> None:
    batch = running(recipe, until_h=36.0)
    told = fermentations.settings(recipe)

    asked = fermentations.assemble(batch, as_of=at(34.0), horizon_h=12, seed=1)

    expected = made_batch.asked(
        course(), made_batch.plan(), as_of_h=34.0, horizon_h=12.0, limits=told.limits
    )
    assert asked.online == expected.online
    assert set(asked.laboratory) == set(expected.laboratory)
    assert (asked.slots, asked.plan, asked.limits) == (expected.slots, expected.plan, told.limits)
    prediction = predicted(batch, 34.0)
    twin = MODELS.get(TWIN)
    same = fermentations.assemble(batch, as_of=at(34.0), horizon_h=12, seed=prediction.seed)
    assert outputs.document(prediction) == documents.of(twin.run(same))
    assert prediction.input_digest == documents.digest(same)


@pytest.mark.requirement("A22-1")
def test_half_of_the_sugar_is_warned_of_before_the_limit_is_crossed_and_repeated_to_the_byte(
    recipe: MasterRecipe,
) -> None:
    batch = running(recipe, until_h=44.0, share=0.5)
    assert not predicted(batch, 36.0).alerts.exists()

    prediction = predicted(batch, 44.0)

    (alert,) = prediction.alerts.all()
    assert prediction.status == "forecast"
    assert (alert.tag, alert.side, alert.unit, alert.is_trial) == ("X", "low", "g/L", True)
    assert float(alert.probability) > 0.8
    assert float(alert.lead_time_h) > 9.0  # the limit holds from 54 h on
    assert alert.contributions[0][0] == "sugar feed"
    assert "X below its limit of 15.5 g/L within 12 h" in outputs.description(alert)
    assert alerts.open_of(batch)
    assert charts.tags(prediction)[0] == "X"
    for tag in charts.tags(prediction):
        assert drawings.to_svg(charts.forecast(prediction, tag=tag)).startswith(b"<svg")
    estimating.forget()
    assert replays.replay(prediction).identical
    engineer = factories.person(Role.PROCESS_ENGINEER)
    answered = alerts.answer(
        alert, accept=True, reason="the sugar pump runs at half its speed", actor=engineer,
        severity=Severity.MAJOR, at=LATER,
    )  # fmt: skip
    assert answered.deviation is not None
    assert prediction.output_digest in answered.deviation.description
    with pytest.raises(AdviceNotOffered):
        terms.of(recipe)


def test_what_cannot_be_explained_is_warned_of_and_says_so_on_its_page_and_in_the_report(
    recipe: MasterRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's batch, the end of all contributions, is not integrated well enough."""
    monkeypatch.setattr(deviation_forecast, "TOLERANCE", 1e-15)
    batch = running(recipe, until_h=44.0, share=0.5)

    prediction = predicted(batch, 44.0)

    (alert,) = prediction.alerts.all()
    assert alert.contributions == []
    assert "Largest contributions" not in outputs.description(alert)
    page = " ".join(str(one) for one in admin._foretold(prediction))
    assert "What is missing" in page
    assert "no contributions: the integration error" in page
    assert len(report_section.write(batch)) >= 4


def test_a_corrected_result_is_replayed_from_its_sampling(recipe: MasterRecipe) -> None:
    right, wrong = course(), course()
    reported = round(28.0 * 5) - 1
    wrong["lab_X"] = wrong["lab_X"].copy()
    wrong["lab_X"][reported] += 4.0
    batch, other = factories.running_batch(recipe), factories.running_batch(recipe)
    record(batch, wrong, until_h=32.0)
    record(other, right, until_h=32.0)
    before = fermentations.assemble(batch, as_of=at(30.0), horizon_h=12, seed=1)
    results.report(
        batch.samples.get(number=f"S{reported}"), tag="lab_X",
        value_text=repr(float(right["lab_X"][reported])), unit="g/l", reported_at=at(30.4),
        message_id="correction", actor=factories.device(), at=LATER, version=2,
        reason="the dilution was not counted",
    )  # fmt: skip

    corrected = fermentations.assemble(batch, as_of=at(32.0), horizon_h=12, seed=1)

    twin = MODELS.get(TWIN)
    assert fermentations.assemble(batch, as_of=at(30.0), horizon_h=12, seed=1) == before
    mistaken, found = twin.run(before), twin.run(corrected)
    expected = twin.run(fermentations.assemble(other, as_of=at(32.0), horizon_h=12, seed=1))
    assert found.trajectories == expected.trajectories
    assert found.parameters == expected.parameters
    assert mistaken.trajectories != expected.trajectories


@pytest.mark.requirement("A22-1")
def test_what_came_later_and_the_order_of_arrival_do_not_count(recipe: MasterRecipe) -> None:
    whole, parts = factories.running_batch(recipe), factories.running_batch(recipe)
    device = factories.device()
    record(whole, course(), until_h=24.0)
    record(parts, course(), after_h=12.0, until_h=20.0, by=device)
    record(parts, course(), until_h=12.0, by=device)

    one = fermentations.assemble(whole, as_of=at(20.0), horizon_h=12, seed=1)
    other = fermentations.assemble(parts, as_of=at(20.0), horizon_h=12, seed=1)

    assert documents.digest(one) == documents.digest(other)


def test_it_is_due_every_two_hours_and_undecided_at_first(recipe: MasterRecipe) -> None:
    batch = running(recipe, until_h=6.0)

    assert moments.reached(batch) == [at(2.0), at(4.0), at(6.0)]
    found = predicted(batch, 6.0)
    assert found.status == "undecided"
    assert "12 h are needed" in outputs.document(found)["reasons"][0]
    assert not Alert.objects.exists()


@pytest.mark.requirement("A22-2")
def test_it_is_registered_as_a_draft_with_what_it_declares(recipe: MasterRecipe) -> None:
    claimed = claims.claim(running(recipe, until_h=2.0), as_of=at(2.0), at=LATER)

    assert claimed is not None
    version = claimed.model_version
    assert (version.name, version.state) == (TWIN, VersionState.DRAFT)
    assert version == versions.current(TWIN, at=LATER)
    assert "penicillin" in version.intended_use
    assert "sugar feed 0 to 250 L/h" in version.valid_range
    assert len(version.declarations["states"]) == 33
    assert claimed.is_trial


def test_qualified_it_speaks_for_gmp(recipe: MasterRecipe) -> None:
    walk = made_walk(TWIN)
    walk.prepare()
    walk.run(walk.approve(walk.draft(walk.seal())))
    confirmed = factories.confirmed(walk.quality, at=walk.now())
    life.qualify(walk.version, confirmed=confirmed, reason="its test has passed")

    claimed = claims.claim(running(recipe, until_h=2.0), as_of=at(2.0), at=LATER)

    assert claimed is not None
    assert (claimed.model_version, claimed.is_trial) == (walk.version, False)


def test_signals_have_the_tags_that_the_recipe_gives_them(recipe: MasterRecipe) -> None:
    told = {**SETTINGS, "tags": {"T": "broth_temperature", "lab_X": "lab_biomass"}}
    told["limit_windows"] = {"broth_temperature": ["0.0", None], "lab_biomass": ["54.0", None]}
    named = penicillin_batches.parameters(T="broth_temperature", lab_X="lab_biomass")

    found = fermentations.settings(factories.recipe(draft(parameters=named, twin_settings=told)))

    assert found.tags.online["T"] == "broth_temperature"
    assert {one.tag for one in found.limits} == {"broth_temperature", "biomass"}
    assert (found.names["X"], found.names["P"]) == ("biomass", "P")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"profil": {}}, "profil"),
        ({"tags": {"colour": "x"}}, "colour"),
        ({"tags": {"T": "broth"}}, "broth is no on-line reading of the recipe"),
        ({"profile": {"Fs": [["0.0", "8"]]}}, "the plan has no Fg"),
        ({"profile": {**SETTINGS["profile"], "Fs": [["1.0", "8"]]}}, "does not begin at 0 h"),
        ({"profile": {**SETTINGS["profile"], "Fs": [["0.0", 8]]}}, "8"),
        ({"profile": {**SETTINGS["profile"], "Fc": [["0.0", "8"]]}}, "nobody plans Fc"),
        ({"limit_windows": {"Fs": ["0.0", None]}}, "does not foretell Fs"),
        ({"limit_windows": {"colour": ["0.0", None]}}, "colour"),
        ({"every_h": 0}, "every_h"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_by_name(
    recipe: MasterRecipe, change: dict[str, Any], named: str
) -> None:
    recipe.twin_settings = {**SETTINGS, **change}

    with pytest.raises(TwinSettingsInvalid, match=named):
        fermentations.settings(recipe)


@pytest.mark.parametrize("missing", ["profile", "limit_windows"])
def test_settings_that_lack_something_are_refused_by_name(
    recipe: MasterRecipe, missing: str
) -> None:
    recipe.twin_settings = {name: one for name, one in SETTINGS.items() if name != missing}

    with pytest.raises(TwinSettingsInvalid, match=missing):
        fermentations.settings(recipe)


def test_another_unit_or_a_missing_signal_is_refused_and_nothing_is_claimed() -> None:
    celsius = [
        replace(one, unit="Cel") if one.tag == "T" else one
        for one in penicillin_batches.parameters()
    ]
    without = [one for one in penicillin_batches.parameters() if one.tag != "lab_P"]
    told = {**SETTINGS, "limit_windows": {}}

    for parameters, named in (
        (celsius, "T is in Cel, the twin reads K"),
        (without, "lab_P is no laboratory result of the recipe"),
    ):
        batch = factories.running_batch(
            factories.recipe(draft(parameters=parameters, twin_settings=told))
        )
        with pytest.raises(TwinSettingsInvalid, match=named):
            runs.predict(batch, as_of=at(2.0), at=LATER)
    assert not Prediction.objects.exists()


def test_every_registered_twin_can_be_asked_beside_a_batch() -> None:
    for name in MODELS.names():
        assert forecasting.asking(name)


def test_it_offers_no_bulk_ensemble(recipe: MasterRecipe) -> None:
    with pytest.raises(bulk.BulkRequestInvalid, match="no ensemble of futures"):
        bulk.of_futures(
            running(recipe, until_h=2.0), as_of=at(2.0), members=10,
            actor=factories.person(Role.PROCESS_ENGINEER), at=LATER, reason="how wide is it",
        )  # fmt: skip
