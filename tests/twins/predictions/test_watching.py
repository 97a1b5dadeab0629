"""A trained batch twin watches a running batch: it says live what a replay of its file says."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batches.execution.models import Batch
from batches.recipes.drafts import ParameterDraft
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.reports import charts as drawings
from tests import factories
from tests.twins.models.batch_monitoring import campaign
from tests.twins.predictions.conftest import LATER
from tests.twins.predictions.watched_batches import at, draft, record
from twins.hub import batch_models, versions
from twins.hub.batch_models import BatchModelAltered
from twins.models.batch_monitoring import artefacts, model
from twins.models.batch_monitoring.model import Options
from twins.models.batch_monitoring.signals import LABORATORY
from twins.predictions import alerts, charts, outputs, replays, runs
from twins.predictions.models import Alert, Prediction
from twins.predictions.twin_settings import TwinSettingsInvalid

pytestmark = pytest.mark.django_db
LABEL = "made-up@1"
SEED = 101


@cache
def artefact() -> str:
    """Return a twin of made-up batches with its dossier."""
    dossier = {
        "label": LABEL,
        "intended_use": "watch made-up batches",
        "valid_range": "0 to 72 h",
        "code_digest": artefacts.code_digest(),
    }
    return artefacts.to_text(model.train(campaign.batches(), Options(folds=2)), dossier)


@pytest.fixture
def twin(tmp_path: Path, settings: Any) -> Path:
    """Keep the twin as `twins train` does, in a folder of this test."""
    settings.VAR_DIR = tmp_path
    return batch_models.keep(LABEL, artefact())


@pytest.fixture
def recipe(twin: Path) -> MasterRecipe:
    return factories.recipe(draft(LABEL))


def course(wrong: campaign.Wrong | None = None) -> tuple[np.ndarray, campaign.Columns]:
    """Return a made-up batch; a laboratory reports no more than nine decimals."""
    time_h, found = campaign.columns(SEED, wrong)
    return time_h, found | {one.name: np.round(found[one.name], 6) for one in LABORATORY}


def predicted(batch: Batch, hour: float) -> Prediction:
    found = runs.predict(batch, as_of=at(hour), at=LATER)
    assert found is not None
    return found


@pytest.fixture
def deviating(recipe: MasterRecipe) -> Batch:
    """Return a running batch whose feed was halved at 40 h, recorded until 50 h."""
    batch = factories.running_batch(recipe)
    time_h, found = course(campaign.feed_halved)
    record(batch, found, time_h, until_h=50.0)
    return batch


@pytest.mark.requirement("A22-1")
def test_it_says_beside_a_batch_what_a_replay_of_its_file_says(deviating: Batch) -> None:
    time_h, found = course(campaign.feed_halved)
    said = model.answer(batch_models.open_(LABEL).model, campaign.on_grid(time_h, found))

    for hour in (0.2, 2.0, 36.0, 41.0, 46.0):
        document = outputs.document(predicted(deviating, hour))
        step = round(hour * 5) - 1

        assert float(document["p"]) == said.p[step], hour
        assert float(document["p_impact"]) == said.p_costing[step]
        assert float(document["score"]) == said.steady[step]
        assert document["alarm"] == bool(said.alarm[step])
        assert float(document["forecasts"][0]["middle"][0]) == said.forecasts["penicillin_0h"][step]


def test_a_halved_feed_is_a_trial_alert_with_its_signal_first(deviating: Batch) -> None:
    assert predicted(deviating, 36.0).status in {"normal", "undecided"}
    assert not Alert.objects.exists()

    later = predicted(deviating, 46.0)

    # So far outside of all normal batches that its forecasts were never tried: alarmed all the same.
    assert later.status == "out-of-domain"
    (alert,) = later.alerts.all()
    assert (alert.tag, alert.side, alert.is_trial) == ("batch", "odd", True)
    assert float(alert.probability) > 0.5
    assert alert.impact_probability
    assert alert.contributions[0][0].startswith("Fs ")
    assert not predicted(deviating, 48.0).alerts.exists()  # one is open
    assert alerts.open_of(deviating)


@pytest.mark.requirement("A22-8")
def test_the_shares_and_the_rest_add_up_to_the_score_of_the_sample(deviating: Batch) -> None:
    document = outputs.document(predicted(deviating, 46.0))

    named = sum(float(one["share"]) for one in document["shares"])
    assert named + float(document["rest"]) == pytest.approx(float(document["sample_score"]))
    assert float(document["sample_score"]) >= float(document["score"]) > 1.0


def test_accepted_it_is_a_deviation_that_tells_what_was_seen(deviating: Batch) -> None:
    prediction = predicted(deviating, 46.0)
    engineer = factories.person(Role.PROCESS_ENGINEER)

    answered = alerts.answer(
        prediction.alerts.get(), accept=True, reason="the feed pump runs at half its speed",
        severity=Severity.MAJOR, actor=engineer, at=LATER,
    )  # fmt: skip

    assert answered.deviation is not None
    assert "Unlike normal batches: Fs off the recipe" in answered.deviation.title
    assert prediction.output_digest in answered.deviation.description
    assert deviating.deviations.get() == answered.deviation
    predicted(deviating, 48.0)
    assert Alert.objects.count() == 1  # it is under investigation


def test_it_is_repeated_from_its_record_and_every_picture_can_be_drawn(deviating: Batch) -> None:
    prediction = predicted(deviating, 46.0)

    assert replays.replay(prediction).identical
    drawn = charts.tags(prediction)
    assert drawn[:3] == ["score", "penicillin", "product"]
    assert "Fs" in drawn
    for one in drawn:
        assert drawings.to_svg(charts.forecast(prediction, tag=one)).startswith(b"<svg")


def test_what_came_after_the_moment_is_not_asked_and_the_order_of_arrival_does_not_count(
    recipe: MasterRecipe,
) -> None:
    time_h, found = course()
    whole, part = factories.running_batch(recipe), factories.running_batch(recipe)
    record(whole, found, time_h, until_h=20.0)
    record(part, found, time_h, until_h=12.0)

    one, other = predicted(whole, 12.0), predicted(part, 12.0)

    assert one.input_digest == other.input_digest
    assert one.output_digest == other.output_digest


def test_before_the_first_sample_it_is_undecided(recipe: MasterRecipe) -> None:
    found = predicted(factories.running_batch(recipe), 0.2)

    assert found.status == "undecided"
    assert outputs.document(found)["reasons"] == ["there is no sample yet"]
    assert charts.tags(found) == []


def test_a_tag_of_another_name_is_told_and_another_unit_is_refused(twin: Path) -> None:
    named = [
        ParameterDraft(
            "broth_temperature" if one.tag == "T" else one.tag, one.name, one.kind, one.unit,
            one.criticality,
        )
        for one in draft(LABEL).parameters
    ]  # fmt: skip
    told = {"tags": {"T": "broth_temperature"}}
    batch = factories.running_batch(
        factories.recipe(draft(LABEL, parameters=named, twin_settings=told))
    )
    assert predicted(batch, 0.2).status == "undecided"

    untold = factories.running_batch(factories.recipe(draft(LABEL, parameters=named)))
    with pytest.raises(TwinSettingsInvalid, match="T is no on-line reading of the recipe"):
        runs.predict(untold, as_of=at(0.2), at=LATER)

    celsius = [
        ParameterDraft(
            one.tag, one.name, one.kind, "Cel" if one.tag == "T" else one.unit, one.criticality
        )
        for one in draft(LABEL).parameters
    ]
    batch = factories.running_batch(factories.recipe(draft(LABEL, parameters=celsius)))
    with pytest.raises(TwinSettingsInvalid, match="T is in Cel, the twin reads K"):
        runs.predict(batch, as_of=at(0.2), at=LATER)
    assert Prediction.objects.count() == 1


def test_a_file_that_was_changed_answers_no_more(recipe: MasterRecipe, twin: Path) -> None:
    batch = factories.running_batch(recipe)
    version = predicted(batch, 0.2).model_version
    assert versions.is_installed(version)
    text = twin.read_text()
    limit = json.loads(text)["arrays"]["limit"]

    twin.write_text(text.replace(f'"limit": {json.dumps(limit)}', '"limit": [99]'))

    with pytest.raises(BatchModelAltered):
        runs.predict(batch, as_of=at(0.4), at=LATER)
    assert not versions.is_installed(version)
