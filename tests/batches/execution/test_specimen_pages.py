"""Labels with their specimen, samplings and files are entered on the page of a phase."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from batches.execution import completeness
from batches.execution.models import BatchPhase
from compliance.access import record_admin
from compliance.access.duties import Role
from compliance.trail import attachments
from tests import factories
from tests.batches.execution.test_completeness import CHECKED

pytestmark = pytest.mark.django_db
SPECIMEN = b"a picture of the label"


@pytest.fixture
def phase(client: Client) -> BatchPhase:
    """A phase that runs, with its operator at the terminal."""
    at = timezone.now() - timedelta(minutes=2)
    batch = factories.running_batch(factories.recipe(CHECKED, at=at), at=at)
    made = BatchPhase.objects.select_related("batch").get(batch=batch)
    client.force_login(factories.person(Role.OPERATOR))
    assert _do(client, made, "start").status_code == 302
    return made


def _do(client: Client, record: Any, act: str, **values: Any) -> Any:
    address = record_admin.url(record).removesuffix("change/")
    form = client.get(f"{address}acts/{act}/").content.decode()
    if any(isinstance(one, SimpleUploadedFile) for one in values.values()):
        assert 'enctype="multipart/form-data"' in form
    return client.post(f"{address}acts/{act}/", values)


def _specimen() -> SimpleUploadedFile:
    return SimpleUploadedFile("label.png", SPECIMEN, "image/png")


def test_labels_are_accounted_for_with_the_file_of_a_specimen(
    client: Client, phase: BatchPhase
) -> None:
    said = {"issued": 10, "used": 8, "returned": 1, "destroyed": 1, "sampled": 0}

    answer = _do(client, phase, "account-labels", code="LABEL-1", specimen=_specimen(), **said)

    assert answer.status_code == 302, answer.content.decode()
    made = phase.label_uses.get()
    assert attachments.open_(made.specimen).read() == SPECIMEN
    assert made.reconciliation.result == "100.00"
    assert "LABEL-1" in client.get(record_admin.url(phase)).content.decode()


def test_labels_without_a_specimen_are_not_taken(client: Client, phase: BatchPhase) -> None:
    answer = _do(client, phase, "account-labels", code="LABEL-1", issued=1, used=1,
                 returned=0, destroyed=0, sampled=0)  # fmt: skip

    assert answer.status_code == 422
    assert not phase.label_uses.exists()


def test_a_sampling_is_what_the_record_lacked(client: Client, phase: BatchPhase) -> None:
    point = phase.batch.sampling.get()
    assert "(b)(10)" in {one.clause for one in completeness.of(phase.batch)}

    assert _do(client, phase, "draw-sample", point=point.name).status_code == 302

    assert "(b)(10)" not in {one.clause for one in completeness.of(phase.batch)}


def test_a_file_is_attached_and_the_phase_shows_it(client: Client, phase: BatchPhase) -> None:
    content = SimpleUploadedFile("trace.csv", b"1,2", "text/csv")

    assert (
        _do(client, phase, "attach-file", title="trace of the pump", file=content).status_code
        == 302
    )

    assert phase.files.get().attachment.filename == "trace.csv"
    assert "trace.csv" in client.get(record_admin.url(phase)).content.decode()
