"""Proposals for alerts on a batch of the simulated plant, made by the real run."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pytest

from batches.execution.models import Batch
from batches.recipes import products
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.trail import recording
from config import celery_app
from tests import factories
from tests.factories import NOON, REGISTERED, TEST
from tests.twins.hub.conftest import Walk, made_walk
from tests.twins.predictions.conftest import moment, said
from twins.advice import requests, runs
from twins.advice.models import Proposal
from twins.hub import life, versions
from twins.models.requests import ForecastRequest, Observation
from twins.plant import demo_recipe, recipe_draft
from twins.plant.messages import LaboratoryResult, Reading
from twins.predictions import alerts, request_bytes
from twins.predictions import runs as predictions
from twins.predictions.actions import Action
from twins.predictions.models import Alert, Prediction
from twins.predictions.said import Said

# The pump fails at 120 h.
AS_OF_H = 138.0
SEED = 201
FAULT = "feed-pump-degraded"
AT = moment(AS_OF_H) + timedelta(minutes=1)


@cache
def _foretold() -> tuple[bytes, Said]:
    """Return what the twin is asked and answers, once for all tests: it is the same to the byte."""
    seen = []
    for one in said(SEED, FAULT):
        if isinstance(one, Reading) and one.at_h <= AS_OF_H:
            seen.append(Observation(one.tag, one.at_h, one.value, one.at_h))
        elif isinstance(one, LaboratoryResult) and one.reported_h <= AS_OF_H:
            seen.append(Observation(one.tag, one.sampled_h, float(one.value), one.reported_h))
    given = request_bytes.write(
        ForecastRequest(
            as_of_h=AS_OF_H,
            horizon_h=48.0,
            seed=7,
            initial=demo_recipe.RECIPE_INITIAL,
            feed=demo_recipe.RECIPE_FEED,
            feed_glucose_mmol_l=demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L,
            feed_glutamine_mmol_l=demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L,
            observations=tuple(seen),
            limits=demo_recipe.RECIPE_LIMITS,
        )
    )
    return given, predictions.answer(recipe_draft.TWIN, given=given)


def predicted(batch: Batch, *, as_of_h: float = AS_OF_H) -> Prediction:
    """Record a finished prediction as of a moment; what it saw is that of the first one."""
    given, told = _foretold()
    output = told.output
    version = versions.current(recipe_draft.TWIN, at=NOON)
    with recording.recording(
        Action.PREDICTION_FINISHED, actor=TEST, at=NOON, reason="a prediction for a test"
    ):
        return Prediction.objects.create(
            batch=batch, model_version=version, is_trial=not versions.is_qualified(version),
            state="done", as_of=moment(as_of_h), horizon_h=48, seed=7, status="forecast",
            input=given.decode(), input_digest=predictions.digest(given),
            output=output.decode(), output_digest=predictions.digest(output),
            claimed_at=NOON, finished_at=NOON,
        )  # fmt: skip


def made_recipe() -> MasterRecipe:
    """Return the demonstration's recipe, effective, of the same product in every test."""
    content = recipe_draft.draft()
    for line in content.materials:
        factories.material(code=line.material, unit=line.unit)
    product = products.create(
        code="ADVISED", name="An antibody", registered=REGISTERED,
        actor=factories.person(Role.PROCESS_ENGINEER), at=NOON,
    )  # fmt: skip
    return factories.made_effective(factories.recipe_draft(content, of=product))


def made_alert(recipe: MasterRecipe) -> Alert:
    """Return the alert on glucose of a batch whose feed pump delivers less than half."""
    prediction = predicted(factories.running_batch(recipe))
    alerts.raise_for(prediction, said=_foretold()[1], actor=TEST, at=moment(AS_OF_H))
    return prediction.alerts.get(tag="glucose_mmol_l", side="low")


@pytest.fixture
def recipe(db: None) -> MasterRecipe:
    return made_recipe()


@pytest.fixture
def at_once() -> Iterator[None]:
    """Run every task where it is queued, as a worker would."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


@pytest.fixture
def alert(recipe: MasterRecipe) -> Alert:
    return made_alert(recipe)


@pytest.fixture
def qualified(db: None) -> Walk:
    """Qualify the installed version of the twin, and return how."""
    made = made_walk()
    made.prepare()
    made.run(made.approve(made.draft(made.seal())))
    confirmed = factories.confirmed(made.quality, at=made.now())
    life.qualify(made.version, confirmed=confirmed, reason="its test has passed")
    return made


_answer = cache(runs.answer)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work out the advice on the same question once for all tests: it is the same to the byte."""
    monkeypatch.setattr(runs, "answer", _answer)


@pytest.fixture
def proposal(alert: Alert, once: None) -> Proposal:
    """Return an open proposal for the alert."""
    made = runs.advise(requests.for_alert(alert, at=AT), at=AT)
    assert made is not None
    return made
