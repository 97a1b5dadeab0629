"""A qualification, passed or failed, comes out as a sealed PDF with its proof inside."""

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from compliance.reports import building, kinds, requests
from compliance.reports.models import Report, ReportState
from compliance.trail import evidence_check, keys
from tests import factories, trail_log
from tests.factories import NOON
from tests.twins.hub.conftest import Walk, made_walk
from twins.hub import custody, life, qualification_report
from twins.hub.models import CustodyLook, Qualification
from twins.models.qualification.scoring import Answer

LATER = NOON + timedelta(days=1)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is needed here")
        pytest.skip(f"{name} is not on this machine")
    return found


def _built(number: str, walk: Walk) -> Report:
    report = requests.request(
        kind=qualification_report.KIND, subject=number, actor=walk.quality, at=LATER
    )
    trail_log.seal_and_sign()
    return building.build(report, at=timezone.now())


def test_a_file_of_a_worker_that_died_before_recording_it_is_put_aside(
    fresh_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = made_walk()
    walk.prepare()
    report = requests.request(
        kind=qualification_report.KIND, subject=walk.draft(walk.seal()).number, actor=walk.quality,
        at=LATER,
    )  # fmt: skip
    trail_log.seal_and_sign()
    with monkeypatch.context() as dying:
        dying.setattr(Report, "save", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            building.build(report, at=timezone.now())
    [left] = Path(settings.REPORTS_DIR).glob(f"{report.number}-*")

    report = building.build(report, at=timezone.now() + timedelta(minutes=3))

    [kept] = Path(settings.REPORTS_DIR).glob(f"{report.number}-*")
    assert kept == building.path_of(report)
    assert kept != left
    assert (left.parent / "unrecorded" / left.name).is_file()
    assert building.content(report)


def _text(path: Path) -> str:
    done = subprocess.run(
        [_tool("pdftotext"), "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.requirement("A22-4", "A22-6", "A22-7")
def test_a_second_look_that_passed_is_sealed_with_both_looks_in_its_evidence(
    fresh_log: Any, tmp_path: Path, client: Client
) -> None:
    walk = made_walk()
    walk.prepare()
    test_set = walk.seal()
    failed = walk.draft(test_set)
    with pytest.raises(custody.CriteriaNotSigned):
        walk.run(failed)
    walk.approve(failed)
    with pytest.raises(custody.TrainerMayNotLook):
        walk.run(failed, by=walk.trainer)
    walk.run(failed, {batch: Answer(5.0) for batch in walk.answers})
    passed = walk.approve(walk.draft(test_set))
    walk.run(passed)
    life.qualify(
        walk.version,
        confirmed=factories.confirmed(walk.quality, at=walk.now()),
        reason="its second test has passed",
    )

    report = _built(passed.number, walk)

    path = building.path_of(report)
    assert report.state == ReportState.SEALED
    judged = subprocess.run(
        [_tool("pdfsig"), str(path)], capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in judged.stdout
    assert "Total document signed" in judged.stdout
    subprocess.run([_tool("qpdf"), "--check", str(path)], capture_output=True, check=True)
    text = _text(path)
    for shown in (
        "second look", "criteria-not-signed", "trainer-may-not-look", failed.number,
        "the probe was being repaired", "Kornecki", walk.keeper.full_name,
        "Every look into", walk.version.code_digest[:40],
    ):  # fmt: skip
        assert shown in text
    detached = tmp_path / "evidence.json"
    subprocess.run([_tool("pdfdetach"), "-save", "1", "-o", str(detached), str(path)], check=True)
    attached = detached.read_bytes()
    checked = evidence_check.check(attached, keys.verifier(size=1).vkey)
    looks = [one for one in checked.entries if one["record"] == "hub_custodylook"]
    assert {one["record_id"] for one in looks} == {
        str(pk) for pk in CustodyLook.objects.values_list("pk", flat=True)
    }
    told = {one["record"] for one in checked.entries}
    for name in ("qualification", "criterion", "sealedbatch", "trainingbatch", "testrun"):
        assert f"hub_{name}" in told
    assert "signatures_signature" in told
    assert b"onset_h" not in attached
    assert len([one for one in checked.entries if one["record"] == "trail_refusal"]) == 2
    client.force_login(walk.quality)
    page = client.get(f"/admin/hub/sealedtestset/{test_set.pk}/change/").content.decode()
    for shown in ("criteria-not-signed", "trainer-may-not-look", failed.number):
        assert shown in page


@pytest.mark.django_db
def test_a_draft_and_a_refused_version_have_their_report_too(walk: Walk) -> None:
    walk.prepare()
    qualification = walk.draft(walk.seal())
    kind = kinds.by_name(qualification_report.KIND)
    facts = kinds.Facts("RPT-1", 1, "q.one", "Site", NOON)

    drafted = kind.write(qualification.number, facts)

    assert drafted.watermark == "UNSIGNED"
    assert [one.verdict for one in drafted.verdicts] == [
        "not run", "not judged", "not judged", "not opened for it",
    ]  # fmt: skip
    walk.run(walk.approve(qualification), {batch: Answer(5.0) for batch in walk.answers})
    refused = kind.write(qualification.number, facts)
    assert refused.watermark is None
    assert refused.verdicts[0].verdict == "without skill"
    assert refused.digest != drafted.digest
    assert "Deviations" in [one.heading for one in refused.sections]


@pytest.mark.django_db
def test_the_report_is_asked_for_on_the_page_and_over_the_api(walk: Walk, client: Client) -> None:
    walk.prepare()
    qualification = walk.draft(walk.seal())
    client.force_login(walk.quality)

    page = client.post(
        f"/admin/hub/qualification/{qualification.pk}/acts/report/", {"confirm": "on"}, follow=True
    )
    asked = client.post(
        "/api/v1/reports",
        {"kind": "model-qualification", "subject": qualification.number},
        content_type="application/json",
    )
    unknown = client.post(
        "/api/v1/reports",
        {"kind": "model-qualification", "subject": "QUA-1999-0001"},
        content_type="application/json",
    )

    assert page.status_code == 200
    assert (asked.status_code, unknown.status_code) == (202, 404)
    subjects = Report.objects.values_list("kind", "subject")
    assert set(subjects) == {(qualification_report.KIND, qualification.number)}
    assert Report.objects.count() == 2
    assert Qualification.objects.count() == 1
