"""People make a batch in the admin: buttons where they may, and every entry on the page."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.execution.models import BatchPhase, Charge, PhaseState
from compliance.access import record_admin
from compliance.access.duties import Role
from tests import factories
from tests.batches.execution.test_completeness import CHECKED
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase() -> BatchPhase:
    at = timezone.now() - timedelta(minutes=2)
    batch = factories.running_batch(factories.recipe(CHECKED, at=at), at=at)
    return BatchPhase.objects.select_related("batch").get(batch=batch)


def _do(client: Client, record: Any, act: str, **values: Any) -> Any:
    address = record_admin.url(record).removesuffix("change/")
    return client.post(f"{address}acts/{act}/", values)


def test_a_phase_is_run_charged_and_verified_by_its_buttons(
    client: Client, phase: BatchPhase
) -> None:
    operator, supervisor = factories.person(Role.OPERATOR), factories.person(Role.SUPERVISOR)
    line = phase.batch.materials.get(line=1)
    lot = factories.lot_for(line, at=timezone.now() - timedelta(minutes=1))
    client.force_login(operator)

    assert _do(client, phase, "start").status_code == 302
    assert (
        _do(client, phase, "enter-result", tag="ph", value="7.30", unit="[pH]").status_code == 302
    )
    charged = _do(
        client, phase, "charge", line="1", lot=lot.number, net="10.0", unit="mL",
        verifier=supervisor.username, verifier_password=PASSWORD,
    )  # fmt: skip
    assert charged.status_code == 302, charged.content
    account = _do(
        client, phase, "reconcile-material", charged=f"1 {lot.number}", issued="10.5", unit="mL",
        returned="0.4", wasted="0.1",
    )  # fmt: skip
    assert account.status_code == 302, account.content
    assert _do(client, phase, "record-yield", value="96.4", unit="g").status_code == 302
    assert _do(client, phase, "remark", text="a quiet culture").status_code == 302
    assert _do(client, phase, "end").status_code == 302
    client.force_login(supervisor)
    assert _do(client, phase, "verify", password=PASSWORD).status_code == 302

    phase.refresh_from_db()
    assert (phase.state, phase.verified_by) == (PhaseState.DONE, supervisor)
    assert Charge.objects.get(phase=phase).verified_by == supervisor
    page = client.get(record_admin.url(phase.batch)).content.decode()
    for said in ("7.30", "96.40", "100.00 %", lot.number, "a quiet culture", "outside its limits"):
        assert said in page


def test_a_refusal_is_said_on_the_form(client: Client, phase: BatchPhase) -> None:
    client.force_login(factories.person(Role.OPERATOR))

    answer = _do(client, phase, "end")

    assert answer.status_code == 409
    assert "is waiting" in answer.content.decode()


def test_a_batch_is_issued_and_its_copy_checked_in_the_admin(client: Client) -> None:
    recipe = factories.recipe(CHECKED)
    client.force_login(factories.person(Role.SUPERVISOR))

    answer = client.post(
        "/admin/execution/batch/acts/issue/",
        {"recipe": recipe.pk, "number": "B-ADMIN", "size": "200", "reason": "campaign of March"},
    )

    assert answer.status_code == 302, answer.content
    batch = recipe.batches.get(number="B-ADMIN")
    assert batch.scale == 2
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    assert _do(client, batch, "check-copy", password=PASSWORD).status_code == 302


def test_the_page_of_a_batch_costs_the_same_whatever_was_entered(
    client: Client, phase: BatchPhase
) -> None:
    client.force_login(factories.person(Role.OPERATOR))
    _do(client, phase, "start")
    counts = []
    for values in (["7.01", "7.30"], ["7.02", "7.03", "7.31", "7.32", "7.33"]):
        for value in values:
            _do(client, phase, "enter-result", tag="ph", value=value, unit="[pH]")
        pages = []
        for record in (phase.batch, phase):
            with CaptureQueriesContext(connection) as made:
                client.get(record_admin.url(record))
            pages.append(len(made))
        counts.append(pages)

    assert counts[0] == counts[1]
