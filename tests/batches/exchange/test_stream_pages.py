"""On the pages an administrator registers sources, and quality explains what never came."""

from typing import Any

import pytest
from django.test import Client

from batches.exchange.models import Gap, Source, SourceRecord
from compliance.access.duties import Role
from tests import factories
from tests.batches.exchange.sending import Line, lines

pytestmark = pytest.mark.django_db
THRESHOLDS = {"late_after_s": 600, "backfilled_after_s": 7200, "clock_skew_s": 30}


def _client(role: Role) -> Client:
    client = Client()
    client.force_login(factories.person(role))
    return client


def _done(client: Client, path: str, form: dict[str, Any]) -> str:
    answer = client.post(f"/admin/exchange/{path}/", form, follow=True)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def test_an_administrator_registers_a_source_and_changes_its_thresholds() -> None:
    administrator, device = _client(Role.SYSTEM_ADMINISTRATOR), factories.device()
    form = {
        "code": "mes-1", "device": device.pk, "description": "MES of line 1", **THRESHOLDS,
        "reason": "line 1 is connected to the MES",
    }  # fmt: skip

    page = _done(administrator, "source/acts/register", form)

    source = Source.objects.get(code="mes-1")
    assert "MES of line 1" in page
    assert source.backfilled_after_s == 7200
    later = {**THRESHOLDS, "late_after_s": 60, "reason": "line 1 is watched more closely"}
    _done(administrator, f"source/{source.pk}/acts/thresholds", later)
    source.refresh_from_db()
    assert source.late_after_s == 60


def test_the_pages_show_what_came_and_what_did_not_and_quality_explains_it() -> None:
    line = Line()
    lines(line.send(line.said(1), line.said(5)))
    quality = _client(Role.QUALITY_ASSURANCE)
    gap, record = Gap.objects.get(), SourceRecord.objects.get(sequence=5)

    shown = quality.get(f"/admin/exchange/source/{line.source.pk}/change/").content.decode()
    of_record = quality.get(f"/admin/exchange/sourcerecord/{record.pk}/change/").content.decode()
    explained = _done(
        quality, f"gap/{gap.pk}/acts/explain", {"reason": "the buffer of the gateway was lost"}
    )

    assert "hist-7 2 to 4" in shown
    assert record.content_digest in of_record
    assert record.observed_text in of_record
    assert "the buffer of the gateway was lost" in explained
    gap.refresh_from_db()
    assert gap.state == "explained"
