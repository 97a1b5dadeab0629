"""The watch sees what a qualified version saw, once it is known what came of it."""

import pytest

from batches.execution import batches
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.quality.models import Severity
from tests import factories
from tests.factories import NOON
from tests.twins.hub.conftest import Walk
from tests.twins.predictions.conftest import alerted
from twins.hub.drift_watch import Watched
from twins.predictions import watched
from twins.predictions.models import AlertState


@pytest.mark.requirement("A22-10")
def test_a_batch_is_seen_with_the_mean_of_its_inputs(walk: Walk, seen: Batch) -> None:
    found = watched.by(walk.version, frozenset())

    assert found == [Watched(seen.pk, {"temperature_c": 36.8}, is_event=False, is_alarmed=False)]
    assert watched.by(walk.version, frozenset({seen.pk})) == []


def test_an_alert_that_was_rejected_is_a_false_alarm(walk: Walk, seen: Batch) -> None:
    alerted(seen, AlertState.REJECTED)

    (found,) = watched.by(walk.version, frozenset())
    assert (found.is_event, found.is_alarmed) == (False, True)


def test_a_batch_waits_until_its_alerts_are_answered(walk: Walk, seen: Batch) -> None:
    alerted(seen, AlertState.OPEN)

    assert watched.by(walk.version, frozenset()) == []


def test_a_batch_waits_until_its_deviations_are_settled(walk: Walk, seen: Batch) -> None:
    batches.open_deviation(
        seen, title="The feed pump had stopped", description="It stood for an hour in the night.",
        severity=Severity.MAJOR, occurred_at=NOON, actor=factories.person(Role.OPERATOR), at=NOON,
    )  # fmt: skip

    assert watched.by(walk.version, frozenset()) == []
