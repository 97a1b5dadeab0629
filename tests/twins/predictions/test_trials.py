"""Only a qualified version speaks for GMP; what any other says is marked as a trial."""

import pytest
from django.db import DatabaseError, transaction

from batches.execution.models import Batch
from compliance.trail import recording
from tests import factories
from tests.factories import TEST
from tests.twins.hub.conftest import Walk, made_walk
from tests.twins.predictions.conftest import LATER, foretold, moment
from twins.hub import life, versions
from twins.predictions import alerts, claims, outputs
from twins.predictions.actions import Action
from twins.predictions.models import Alert, Prediction


@pytest.fixture
def walk(db: None) -> Walk:
    return made_walk()


def _qualified(walk: Walk) -> None:
    walk.prepare()
    walk.run(walk.approve(walk.draft(walk.seal())))
    confirmed = factories.confirmed(walk.quality, at=walk.now())
    life.qualify(walk.version, confirmed=confirmed, reason="its test has passed")


def _claimed(batch: Batch) -> Prediction:
    made = claims.claim(batch, as_of=moment(0.0), at=LATER)
    assert made is not None
    return made


def _alert(prediction: Prediction) -> Alert:
    with recording.recording(Action.ALERT_RAISED, actor=TEST, at=LATER, reason="for a test"):
        (alert,) = alerts.raise_for(
            prediction, said=foretold(probability=0.9), actor=TEST, at=LATER
        )
    return alert


@pytest.mark.requirement("A22-2")
def test_what_a_draft_says_is_a_trial_and_is_told_so(started: Batch) -> None:
    prediction = _claimed(started)
    alert = _alert(prediction)

    assert prediction.is_trial
    assert alert.is_trial
    assert "trial" in outputs.description(alert)
    assert alerts.open_of(started) == [f"trial alert {alert.pk} on {alert.tag} is not answered"]


def test_what_a_qualified_version_says_is_no_trial(started: Batch, walk: Walk) -> None:
    _qualified(walk)

    alert = _alert(_claimed(started))

    assert not alert.is_trial
    assert "trial" not in outputs.description(alert)


def test_a_retired_version_predicts_no_more(started: Batch, walk: Walk) -> None:
    _qualified(walk)
    confirmed = factories.confirmed(walk.quality, at=walk.now())
    life.retire(walk.version, confirmed=confirmed, reason="its successor is qualified")

    with pytest.raises(versions.VersionRetired):
        claims.claim(started, as_of=moment(0.0), at=LATER)


def test_the_database_lets_no_trial_pass_for_more(started: Batch) -> None:
    prediction = _claimed(started)

    with (
        pytest.raises(DatabaseError, match="what was a trial"),
        transaction.atomic(),
        recording.recording(Action.PREDICTION_FAILED, actor=TEST, at=LATER, reason="by hand"),
    ):
        Prediction.objects.filter(pk=prediction.pk).update(is_trial=False)
