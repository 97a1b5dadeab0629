"""What is past is said as past: on the page, in the deviation and in the report."""

import pytest
from django.test import Client

from batches.execution.models import Batch
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON
from tests.twins.predictions.conftest import alerted
from twins.predictions import admin, alerts, outputs, report_section
from twins.predictions.models import AlertState

pytestmark = pytest.mark.django_db
PAGE = "/admin/predictions/alert/{}/change/"


def test_a_limit_that_was_crossed_already_is_not_foretold(seen: Batch, client: Client) -> None:
    alert = alerted(seen, AlertState.OPEN, lead_time_h="0.0")
    client.force_login(factories.person(Role.PROCESS_ENGINEER))

    page = client.get(PAGE.format(alert.pk)).content.decode()
    answered = alerts.answer(
        alert, accept=True, reason="the laboratory has it too", at=NOON,
        actor=factories.person(Role.PROCESS_ENGINEER),
    )  # fmt: skip

    assert "What the twin found" in page
    assert "none: crossed already" in page
    assert "ph already below 6.9 pH" in page
    assert "2026-03-02 12:00" in page  # as of when
    assert answered.deviation is not None
    assert answered.deviation.title == f"ph found below 6.9 pH in {seen.number}"
    assert "found for batch" in answered.deviation.description
    assert "ph below its limit of 6.9 pH already" in answered.deviation.description
    assert "Time to the limit" not in answered.deviation.description
    said = report_section._foretold(alert)
    assert said == "ph was below 6.9 pH already, probability 0.90"
    assert report_section._lead_time(alert) == []


def test_a_limit_still_ahead_is_foretold_as_of_its_moment(seen: Batch, client: Client) -> None:
    alert = alerted(seen, AlertState.OPEN, lead_time_h="1.0")
    client.force_login(factories.person(Role.PROCESS_ENGINEER))

    page = client.get(PAGE.format(alert.pk)).content.decode()

    assert "What was foreseen" in page
    assert "1.0 h (1.0 to 1.0 h)" in page
    assert "foresaw for batch" in outputs.description(alert)
    assert "within 48 h with probability 0.90" in outputs.description(alert)
    said = report_section._foretold(alert)
    assert said == "ph was foreseen to fall below 6.9 pH within 48 h, probability 0.90"


@pytest.mark.parametrize(
    ("lead_h", "said"), [("0.0", "none: crossed already"), ("12.84", "12.8 h"), (None, "")]
)
def test_a_prediction_says_of_a_limit_what_its_alert_says(lead_h: str | None, said: str) -> None:
    limit = {"tag": "ph", "side": "low", "bound": "6.9", "unit": "[pH]", "probability": "0.9"}

    [table] = admin._limits({"limits": [{**limit, "lead_h_median": lead_h}]}).parts

    assert table.rows == [["ph", "below 6.9 pH", "90 %", said]]  # type: ignore[union-attr]
