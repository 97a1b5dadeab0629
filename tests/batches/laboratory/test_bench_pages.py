"""Specifications are written, and analysts work, on the pages of the laboratory."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from batches.execution.models import Batch
from batches.laboratory.models import Reagent, Result, Run, Sample, Specification
from compliance.access import record_admin
from compliance.access.duties import Role
from tests import factories

pytestmark = pytest.mark.django_db
LINE = "mab_g_l | Antibody | HPLC-12 v3 | g/L | 2.50 to 3.50 | at least 2.60 | 2 | 2"


def _do(client: Client, where: Any, act: str, **values: Any) -> Any:
    base = (
        record_admin.list_url(where)
        if isinstance(where, type)
        else record_admin.url(where).removesuffix("change/")
    )
    return client.post(f"{base}acts/{act}/", values)


def _must(answer: Any) -> None:
    assert answer.status_code == 302, answer.content.decode()


def _begun(client: Client) -> Specification:
    product = factories.product()
    client.force_login(factories.person(Role.QC_SUPERVISOR))
    _must(_do(client, Specification, "create", code="SPEC-9", title="Drug product", use="release",
              product=product.code))  # fmt: skip
    return Specification.objects.get(code="SPEC-9", product=product)


def test_a_version_is_written_a_line_a_test(client: Client) -> None:
    begun = _begun(client)
    text = "appearance | Appearance | VIS-01 v1 | | text: clear, colourless"

    _must(_do(client, begun, "draft", tests=f"{LINE}\n{text}", reason="the first version",
              plan="End of culture | 2 | 10 mL | 2 to 8 Cel"))  # fmt: skip

    version = begun.versions.get()
    first, second = version.tests.order_by("-tag")
    assert (first.method_code, first.method_version, first.limits_text) == (
        "HPLC-12", "3", "2.50 to 3.50 g/L",
    )  # fmt: skip
    assert (str(first.alert_low), first.alert_high) == ("2.600000", None)
    assert (first.decimals, first.replicates) == (2, 2)
    assert second.conforming_text == "clear, colourless"
    assert [(one.point, one.samples) for one in version.plan.all()] == [("End of culture", 2)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("mab_g_l | Antibody", "determinations"),
        (LINE.replace("2.50 to 3.50", "about 3"), "no range"),
        (LINE.replace("HPLC-12 v3", "HPLC-12"), "name the method"),
        (LINE.replace("| 2 | 2", "| two | 2"), "no whole number"),
    ],
)
def test_a_line_that_says_something_else_is_refused_in_words(
    client: Client, line: str, why: str
) -> None:
    begun = _begun(client)

    answer = _do(client, begun, "draft", tests=line, reason="the first version")

    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not begun.versions.exists()


def test_an_analyst_runs_injects_and_reports(client: Client) -> None:
    batch = factories.running_batch(at=timezone.now())
    client.force_login(factories.person(Role.QC_ANALYST, at=timezone.now()))
    now = timezone.now().strftime("%Y-%m-%dT%H:%M")
    Batch.objects.get(pk=batch.pk)
    _must(_do(client, batch, "register-sample", number="S-1", taken_at=now))
    _must(_do(client, Reagent, "register", code="STD", lot="7", name="Standard",
              kind="standard", expires_on="2099-01-01"))  # fmt: skip
    _must(_do(client, Run, "start", instrument="HPLC-01", method_code="HPLC-12",
              method_version="3", planned_injections=2, started_at=now,
              reagents=[Reagent.objects.get().pk]))  # fmt: skip
    run, sample = Run.objects.get(), Sample.objects.get()

    raw = SimpleUploadedFile("1.raw", b"signal")
    _must(_do(client, run, "inject", number=1, kind="suitability", outcome="completed",
              injected_at=now, raw_data=raw))  # fmt: skip
    _must(_do(client, run, "judge", has_passed="on", text="RSD 0.4 % of at most 1.0 %"))
    _must(_do(client, run, "inject", number=2, kind="sample", sample=sample.pk,
              outcome="completed", injected_at=now))  # fmt: skip
    refused = _do(client, run, "report", sample=sample.pk, tag="mab_g_l", unit="g/L",
                  reported_at=now, replicates="3.04 injection 9")  # fmt: skip

    assert "no injection 9" in refused.content.decode()
    assert len(run.injections.get(number=1).raw_data_digest) == 64
    assert [str(one.reagent) for one in run.reagents.all()] == ["STD 7"]
    assert not Result.objects.exists()
