"""Alerts on a running penicillin batch whose sugar feed fails, raised by the shipped twin itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from batches.execution.models import Batch
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from config import celery_app
from tests import factories
from tests.twins.models.penicillin_fed_batch import median_batch
from tests.twins.predictions.watched_batches import Columns, at, draft, record
from twins.explanations import questions, requests, runs
from twins.explanations.models import Explanation
from twins.models.batch_monitoring.signals import LABORATORY
from twins.predictions import request_bytes
from twins.predictions import runs as predictions
from twins.predictions.explainable import DETECTOR
from twins.predictions.models import Alert, Prediction

# The feed delivers two fifths from 60.2 h on.
ALARMED_H, LATER_H = 62.0, 62.6
AT = at(ALARMED_H) + timedelta(minutes=1)
LATER = at(LATER_H) + timedelta(minutes=1)


@cache
def course() -> tuple[np.ndarray, Columns]:
    """Return the hours and the signals of the batch; a laboratory reports no more than six decimals."""
    found = median_batch.less_sugar(median_batch.batch(340), 0.4)
    time_h = np.round(np.arange(1, 341) * 0.2, 1)
    return time_h, found | {one.name: np.round(found[one.name], 6) for one in LABORATORY}


def goes_on(batch: Batch, *, after_h: float, until_h: float) -> None:
    """Record what the plant reads between two hours."""
    time_h, found = course()
    record(batch, found, time_h, until_h=until_h, after_h=after_h)


def predicted(batch: Batch, hour: float) -> Prediction:
    """Return what the twin says as of an hour."""
    found = predictions.predict(batch, as_of=at(hour), at=at(hour) + timedelta(minutes=1))
    assert found is not None
    return found


def made_alert(batch: Batch) -> Alert:
    """Return the alert that the twin raises on a batch whose sugar feed has failed."""
    found: Alert = predicted(batch, ALARMED_H).alerts.get()
    return found


def made_starved(recipe: MasterRecipe) -> Batch:
    """Return a running batch whose sugar feed has failed, recorded until its alarm."""
    batch = factories.running_batch(recipe)
    goes_on(batch, after_h=0.0, until_h=ALARMED_H)
    return batch


def made_recipe() -> MasterRecipe:
    """Return a recipe that the shipped twin watches."""
    return factories.recipe(draft(DETECTOR))


@pytest.fixture
def recipe(db: None) -> MasterRecipe:
    return made_recipe()


@pytest.fixture
def starved(recipe: MasterRecipe) -> Batch:
    return made_starved(recipe)


@pytest.fixture
def alert(starved: Batch) -> Alert:
    return made_alert(starved)


@pytest.fixture
def at_once() -> Iterator[None]:
    """Run every task where it is queued, as a worker would."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


_answer = cache(runs.answer)


def _answered(given: bytes, *, rows: bytes) -> tuple[dict[str, Any], bytes]:
    """Answer as the real run does; of another batch with the same rows only the name differs."""
    question = questions.read(given)
    said, _ = _answer(questions.write(replace(question, batch="B")), rows=rows)
    of_batch = said | {"batch": question.batch}
    return of_batch, request_bytes.write(of_batch)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work out the answer about the same rows once for all tests: it is the same to the byte."""
    monkeypatch.setattr(runs, "answer", _answered)


@pytest.fixture
def explanation(alert: Alert, once: None) -> Explanation:
    """Return the first explanation of the alert."""
    made = runs.explain(requests.for_alert(alert, at=AT), at=AT)
    assert made is not None
    return made


@pytest.fixture
def newer(explanation: Explanation, once: None) -> Explanation:
    """Return an explanation that a person asked for two hours later."""
    alert = explanation.alert
    goes_on(alert.batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(alert.batch, LATER_H)
    asked = requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=LATER)
    made = runs.explain(asked, at=LATER)
    assert made is not None
    return made
