"""How a version does in use is counted beside what it promised, with exact intervals."""

import pytest
from django.test import Client

from batches.execution.models import Batch
from compliance.access import record_admin
from compliance.access.duties import Role
from tests import factories
from tests.twins.hub.conftest import Walk
from tests.twins.predictions.conftest import alerted
from twins.models.qualification.proportions import clopper_pearson
from twins.predictions import achieved
from twins.predictions.achieved import Rate
from twins.predictions.models import AlertState


@pytest.mark.requirement("A22-10")
def test_a_normal_batch_with_an_alarm_counts_against_the_contract(walk: Walk, seen: Batch) -> None:
    (quiet,) = achieved.of(walk.version)
    assert (quiet.false_alarms, quiet.detected) == (Rate(0, 1), Rate(0, 0))
    assert (quiet.contract, quiet.chance, quiet.is_trial) == (0.05, 1.0, False)

    alerted(seen, AlertState.REJECTED)

    (found,) = achieved.of(walk.version)
    assert found.false_alarms == Rate(1, 1)
    assert found.false_alarms.interval == clopper_pearson(1, 1)
    assert found.chance == pytest.approx(0.05)


def test_a_deviation_is_detected_when_an_alert_came_before_it(walk: Walk, seen: Batch) -> None:
    factories.closed_deviation(seen)
    (missed,) = achieved.of(walk.version)
    assert (missed.false_alarms, missed.detected) == (Rate(0, 0), Rate(0, 1))

    alerted(seen, AlertState.ACCEPTED)

    (found,) = achieved.of(walk.version)
    assert found.detected == Rate(1, 1)


def test_what_waits_for_an_answer_is_not_counted(walk: Walk, seen: Batch) -> None:
    alerted(seen, AlertState.OPEN)

    assert achieved.of(walk.version) == []


def test_the_page_and_the_api_say_it(walk: Walk, seen: Batch) -> None:
    alerted(seen, AlertState.REJECTED)
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    page = client.get(record_admin.url(walk.version)).content.decode()
    (said,) = client.get(f"/api/v1/model-versions/{walk.version.pk}/achieved").json()

    assert "1 of 1 (2.5% to 100.0%)" in page
    assert "5% of normal batches" in page
    assert said["false_alarms"]["count"] == 1
    assert said["false_alarms"]["low"] == pytest.approx(0.025)
    assert said["detected"] == {"count": 0, "of": 0, "low": None, "high": None}
