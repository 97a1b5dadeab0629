"""The watch sees what a qualified version saw, once it is known what came of it."""

import pytest

from batches.execution import batches
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST
from tests.twins.hub.conftest import Walk, made_walk
from twins.hub import life
from twins.hub.drift_watch import Watched
from twins.predictions import watched
from twins.predictions.actions import Action
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState


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


def _alert(batch: Batch, state: AlertState) -> None:
    with recording.recording(
        Action.ALERT_RAISED, actor=TEST, at=NOON, reason="an alert for a test"
    ):
        Alert.objects.create(
            prediction=batch.predictions.get(), batch=batch, tag="ph", side="low", limit="6.9",
            unit="[pH]", probability="0.9", lead_time_h="1.0", lead_time_low_h="1.0",
            lead_time_high_h="1.0", contributions=[], raised_at=NOON, is_trial=False, state=state,
            answered_by="somebody", answer_reason="the probe was being cleaned",
        )  # fmt: skip


@pytest.mark.requirement("A22-10")
def test_a_batch_is_seen_with_the_mean_of_its_inputs(walk: Walk, seen: Batch) -> None:
    found = watched.by(walk.version, frozenset())

    assert found == [Watched(seen.pk, {"temperature_c": 36.8}, is_event=False, is_alarmed=False)]
    assert watched.by(walk.version, frozenset({seen.pk})) == []


def test_an_alert_that_was_rejected_is_a_false_alarm(walk: Walk, seen: Batch) -> None:
    _alert(seen, AlertState.REJECTED)

    (found,) = watched.by(walk.version, frozenset())
    assert (found.is_event, found.is_alarmed) == (False, True)


def test_a_batch_waits_until_its_alerts_are_answered(walk: Walk, seen: Batch) -> None:
    _alert(seen, AlertState.OPEN)

    assert watched.by(walk.version, frozenset()) == []


def test_a_batch_waits_until_its_deviations_are_settled(walk: Walk, seen: Batch) -> None:
    batches.open_deviation(
        seen, title="The feed pump had stopped", description="It stood for an hour in the night.",
        severity=Severity.MAJOR, occurred_at=NOON, actor=factories.person(Role.OPERATOR), at=NOON,
    )  # fmt: skip

    assert watched.by(walk.version, frozenset()) == []
