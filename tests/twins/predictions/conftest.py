"""Batches of the simulated plant, recorded through the domain functions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from batches.execution.models import Batch, EventKind
from batches.execution.sample_bytes import Reading as Row
from batches.laboratory import results, samples
from batches.recipes.models import MasterRecipe
from compliance.access.models import Device
from compliance.trail import recording
from config import celery_app
from tests import factories
from tests.factories import NOON, TEST
from tests.twins.hub.conftest import Walk, made_walk
from twins.hub import life
from twins.models.forecasts import Contribution, Forecast, LimitForecast
from twins.plant import process, recipe_draft
from twins.plant.messages import LaboratoryResult, Message, Reading, SampleTaken
from twins.predictions.actions import Action
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState
from twins.predictions.said import Said

LATER = NOON + timedelta(days=20)
Culture = Callable[..., Batch]


@cache
def said(seed: int, fault: str) -> tuple[Message, ...]:
    """Return what the plant says of one batch."""
    return tuple(process.simulate(seed, process.FAULTS[fault] if fault else None))


def moment(at_h: float) -> datetime:
    """Return the moment of an hour of a batch."""
    return NOON + timedelta(hours=at_h)


def record(
    batch: Batch, *, after_h: float, until_h: float, by: Device, seed: int = 300, fault: str = ""
) -> None:
    """Record what is known in (after_h, until_h], or from the start; readings as one segment."""
    rows: list[Row] = []
    for one in said(seed, fault):
        known_h = one.reported_h if isinstance(one, LaboratoryResult) else one.at_h
        if not (after_h < known_h <= until_h or after_h == known_h == 0.0):
            continue
        if isinstance(one, Reading):
            rows.append(Row(one.tag, moment(one.at_h), Decimal(repr(one.value)), one.unit))
        elif isinstance(one, SampleTaken):
            samples.take(batch, number=one.sample, taken_at=moment(one.at_h), actor=by, at=LATER)
        elif isinstance(one, LaboratoryResult):
            results.report(
                batch.samples.get(number=one.sample),
                tag=one.tag,
                value_text=one.value,
                unit=one.unit,
                reported_at=moment(one.reported_h),
                message_id=f"{batch.number}/{one.sample}/{one.tag}",
                actor=by,
                at=LATER,
            )
    factories.stored(batch, rows, by=by, at=LATER)


def make_culture(
    recipe: MasterRecipe, *, until_h: float, seed: int = 300, fault: str = "", every_h: float = 0.0
) -> Batch:
    """Return a running batch, recorded until an hour: one segment, or one each `every_h`."""
    batch = factories.running_batch(recipe)
    device = factories.device()
    first_h = 0.0
    while first_h < until_h:
        last_h = min(first_h + (every_h or until_h), until_h)
        record(batch, after_h=first_h, until_h=last_h, by=device, seed=seed, fault=fault)
        first_h = last_h
    return batch


def make_recipe() -> MasterRecipe:
    """Return the demonstration's recipe, effective."""
    for line in recipe_draft.draft().materials:
        factories.material(code=line.material, unit=line.unit)
    return factories.recipe(recipe_draft.draft())


@pytest.fixture
def recipe(db: None) -> MasterRecipe:
    return make_recipe()


@pytest.fixture
def culture(recipe: MasterRecipe) -> Culture:
    """Return what makes a running batch of the demonstration's recipe."""

    def make(*, until_h: float, seed: int = 300, fault: str = "", every_h: float = 0.0) -> Batch:
        return make_culture(recipe, until_h=until_h, seed=seed, fault=fault, every_h=every_h)

    return make


@pytest.fixture
def started(recipe: MasterRecipe) -> Batch:
    """Return a batch that has just started."""
    batch = factories.batch(recipe)
    factories.happened(batch, EventKind.BATCH_STARTED)
    batch.refresh_from_db()
    return batch


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every task where it is queued, as a worker would."""
    monkeypatch.setattr(celery_app.conf, "task_always_eager", True)
    monkeypatch.setattr(celery_app.conf, "task_eager_propagates", True)


def foretold(*, probability: float, tag: str = "glucose_mmol_l", status: str = "forecast") -> Said:
    """Return what a twin says that gives one side of one limit this probability."""
    limit = LimitForecast(
        tag=tag, side="low", bound=11.0, unit="mmol/L", criticality="CPP",
        probability=probability, lead_h_median=20.5, lead_h_10=12.25, lead_h_90=30.0,
        log_odds=2.5, nominal_log_odds=-4.0,
        contributions=(
            Contribution("feed_pump_efficiency", 6.0), Contribution("glucose so far", 0.5),
        ),
    )  # fmt: skip
    forecast = Forecast(
        status=status,  # type: ignore[arg-type]
        reasons=(), as_of_h=24.0, horizon_h=48.0, seed=1, members=64, integration_error=1e-9,
        limits=(limit,), trajectories=(), parameters=(), residuals=(),
        code_digest="", parameters_digest="", input_digest="",
    )  # fmt: skip
    return Said(b"", status, forecast)


@pytest.fixture
def walk(db: None) -> Walk:
    made = made_walk()
    made.prepare()
    made.run(made.approve(made.draft(made.seal())))
    confirmed = factories.confirmed(made.quality, at=made.now())
    life.qualify(made.version, confirmed=confirmed, reason="its test has passed")
    return made


@pytest.fixture
def seen(walk: Walk) -> Batch:
    """Return a batch that has ended and that the qualified version predicted."""
    batch = factories.completed_batch()
    with recording.recording(
        Action.PREDICTION_FINISHED, actor=TEST, at=NOON, reason="a prediction for a test"
    ):
        Prediction.objects.create(
            batch=batch, model_version=walk.version, is_trial=False, state=PredictionState.DONE,
            as_of=NOON, horizon_h=48, seed=1, input="{}", output="{}", status="forecast",
            claimed_at=NOON, finished_at=NOON,
        )  # fmt: skip
    return batch


def alerted(batch: Batch, state: AlertState, *, tag: str = "ph", lead_time_h: str = "1.0") -> Alert:
    """Raise an alert on a batch at noon, answered twenty minutes later unless it is open."""
    answered_at = None if state == AlertState.OPEN else NOON + timedelta(minutes=20)
    with recording.recording(
        Action.ALERT_RAISED, actor=TEST, at=NOON, reason="an alert for a test"
    ):
        return Alert.objects.create(
            prediction=batch.predictions.get(), batch=batch, tag=tag, side="low", limit="6.9",
            unit="[pH]", probability="0.9", lead_time_h=lead_time_h, lead_time_low_h=lead_time_h,
            lead_time_high_h=lead_time_h, contributions=[], raised_at=NOON, is_trial=False,
            state=state, answered_at=answered_at, answered_by="somebody",
            answer_reason="the probe was being cleaned",
        )  # fmt: skip
