"""What the twin foresaw, what people made of it and what came is counted for the reviews."""

from datetime import timedelta

import pytest

from batches.execution import batches
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.quality import figures, trends
from compliance.quality.models import Severity
from tests import factories
from tests.factories import NOON
from tests.twins.hub.conftest import Walk
from tests.twins.predictions.conftest import alerted
from twins.predictions.models import AlertState

TODAY = NOON.date()


def _deviation(batch: Batch, *, after_min: int) -> None:
    at = NOON + timedelta(minutes=after_min)
    batches.open_deviation(
        batch, title="The pH fell", description="It fell below its limit for an hour.",
        severity=Severity.MAJOR, occurred_at=min(NOON, at), actor=factories.person(Role.OPERATOR), at=at,
    )  # fmt: skip


def counted() -> dict[str, object]:
    ended = TODAY + timedelta(days=40)
    return dict(figures.collect(starts_on=TODAY, ends_on=ended)["twins"])  # type: ignore[call-overload]


@pytest.mark.requirement("A22-3")
def test_an_alert_turned_down_before_its_deviation_was_turned_down_in_error(
    walk: Walk,
    seen: Batch,
) -> None:
    assert counted()["batches-watched"] == 1
    alerted(seen, AlertState.REJECTED, tag="ph")

    assert (counted()["alerts-rejected"], counted()["rejected-in-error"]) == (1, 0)
    _deviation(seen, after_min=60)

    found = counted()
    assert (found["foreseen"], found["not-foreseen"], found["rejected-in-error"]) == (1, 0, 1)
    assert found["median-minutes-to-answer"] == 20


@pytest.mark.requirement("A22-3")
def test_a_deviation_that_was_there_before_the_alert_was_not_foreseen(
    walk: Walk,
    seen: Batch,
) -> None:
    _deviation(seen, after_min=-60)
    alerted(seen, AlertState.ACCEPTED, tag="ph")
    alerted(seen, AlertState.REJECTED, tag="glucose_mmol_l")

    found = counted()
    assert (found["foreseen"], found["not-foreseen"], found["rejected-in-error"]) == (0, 1, 0)
    assert (found["alerts-raised"], found["alerts-accepted"], found["alerts-rejected"]) == (2, 1, 1)
    shares = {one.name: one.share for one in trends.pack(on=TODAY + timedelta(days=1)).others}
    assert (shares["rejected-alerts"].part, shares["rejected-alerts"].whole) == (1, 2)
