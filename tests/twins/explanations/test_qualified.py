"""An explanation says everywhere of which version it is: draft, qualified by signature, or retired."""

import shutil
import subprocess
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from batches.disposition import batch_report
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.reports import kinds, layout, spelling
from tests import factories
from tests.twins.explanations.conftest import (
    ALARMED_H,
    AT,
    LATER,
    LATER_H,
    goes_on,
    predicted,
)
from tests.twins.hub.conftest import CRITERIA, Rows, Walk, made_walk
from tests.twins.models.penicillin_fed_batch import median_batch
from twins.explanations import offers, requests, runs, tasks
from twins.explanations.models import Explanation
from twins.hub import life, versions
from twins.hub import runs as hub_runs
from twins.hub.models import AnsweredBy, RunOutcome
from twins.hub.sealed_sets import LabelledBatch
from twins.models.qualification.scoring import Label
from twins.predictions import alerts
from twins.predictions.explainable import DETECTOR
from twins.predictions.models import Alert

pytestmark = pytest.mark.django_db
TRIAL = "The version of the twin was not qualified: the explanation is a trial of it."
QUALIFIED = "The version of the twin was qualified for its alarms, not for explaining them."
RETIRED = f"It was retired on {LATER:%Y-%m-%d}."
ADVICE = "Weights and impact are advice of a twin that is not qualified for it."


@cache
def rows_of(seed: int, *, starves: bool = False) -> Rows:
    """Return the rows of a batch as the twin reads them; of some the sugar feed fails."""
    found = median_batch.batch(340, seed=seed)
    if starves:
        found = median_batch.less_sugar(found, 0.4)
    return [
        {"time_h": f"{(row + 1) * 0.2:.1f}"}
        | {
            name: round(float(values[row]), 6)
            for name, values in found.items()
            if not np.isnan(values[row])
        }
        for row in range(340)
    ]


@pytest.fixture
def walk(db: None) -> Walk:
    """Return the people who qualify the shipped twin, with eight batches that it has not seen."""
    made = made_walk(DETECTOR)
    made.batches = [
        LabelledBatch(
            f"B-{seed}",
            rows_of(seed, starves=seed % 2 == 1),
            Label("all", onset_h=60.2 if seed % 2 else None, harm_h=80.0 if seed % 2 else None),
        )
        for seed in range(100, 108)
    ]
    return made


@pytest.fixture
def qualified(walk: Walk) -> Walk:
    """Let the twin be tested and qualified by signature."""
    walk.prepare([rows_of(seed) for seed in range(10, 16)])
    qualification = walk.approve(walk.draft(walk.seal(), CRITERIA[0], CRITERIA[1], CRITERIA[2]))
    run = hub_runs.run(
        qualification,
        labels=walk.labels,
        batches=[one.rows_of_batch for one in walk.batches],
        why="the test of the protocol",
        confirmed=factories.confirmed(walk.keeper, at=walk.now()),
    )
    assert (run.outcome, run.answered_by) == (RunOutcome.PASSED, AnsweredBy.VERSION)
    confirmed = factories.confirmed(walk.quality, at=walk.now())
    walk.version = life.qualify(walk.version, confirmed=confirmed, reason="its test has passed")
    return walk


def _retire(walk: Walk) -> None:
    confirmed = factories.confirmed(walk.quality, at=LATER)
    life.retire(walk.version, confirmed=confirmed, reason="its successor is qualified")


def _pdf(batch: Batch, tmp_path: Path) -> str:
    """Return the text of the report of a batch as it is drawn, in one line."""
    facts = kinds.Facts("RPT-1", 1, "q.one", "Site", timezone.now())
    document = kinds.by_name(batch_report.KIND).write(batch.number, facts)
    path = tmp_path / "drawn.pdf"
    path.write_bytes(layout.draw(spelling.spelled(document)))
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def _said(explanation: Explanation, tmp_path: Path) -> dict[str, str]:
    """Return what its page, that of its alert, the deviation of it and the report of its batch say."""
    client = Client()
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    alert = Alert.objects.get(pk=explanation.alert_id)
    pages = {
        "page": f"/admin/explanations/explanation/{explanation.pk}/change/",
        "alert": f"/admin/predictions/alert/{alert.pk}/change/",
    }
    said = {name: client.get(path).content.decode() for name, path in pages.items()}
    answered = alerts.answer(
        alert, accept=True, reason="the feed pump runs at half its speed",
        severity=Severity.MAJOR, actor=factories.person(Role.PROCESS_ENGINEER), at=LATER,
    )  # fmt: skip
    assert answered.deviation is not None
    said["deviation"] = answered.deviation.description
    said["report"] = _pdf(alert.batch, tmp_path)
    return said


def test_of_a_draft_it_is_a_trial_everywhere(explanation: Explanation, tmp_path: Path) -> None:
    for where, text in _said(explanation, tmp_path).items():
        assert TRIAL in text, where
        assert ADVICE in text, where
        assert QUALIFIED not in text, where
        assert "It was retired" not in text, where
        assert "Version retired" not in text, where


def test_of_a_qualified_version_it_is_no_trial_and_still_not_qualified_itself(
    qualified: Walk, explanation: Explanation, tmp_path: Path
) -> None:
    assert explanation.prediction.model_version == qualified.version
    assert not explanation.alert.is_trial
    assert not explanation.is_trial

    said = _said(explanation, tmp_path)

    for where, text in said.items():
        assert QUALIFIED in text, where
        assert ADVICE in text, where
        assert "rial" not in text.replace("material", "").replace("Material", ""), where
        assert "It was retired" not in text, where
        assert "Version retired" not in text, where


def test_of_a_version_that_was_retired_since_it_says_both(
    qualified: Walk, explanation: Explanation, tmp_path: Path
) -> None:
    _retire(qualified)

    said = _said(explanation, tmp_path)

    for where, text in said.items():
        assert f"{QUALIFIED} {RETIRED}" in text, where
        assert TRIAL not in text, where
    assert "Version retired" in said["page"]
    assert f"/alert/{explanation.alert_id}/acts/explain/" not in said["alert"]


def test_a_retired_version_explains_no_more(
    qualified: Walk, alert: Alert, once: None, at_once: None, client: Client
) -> None:
    asked = requests.for_alert(alert, at=AT)
    _retire(qualified)
    alert = Alert.objects.get(pk=alert.pk)
    client.force_login(factories.person(Role.PROCESS_ENGINEER))

    answer = client.post(f"/api/v1/alerts/{alert.pk}/explanations", "", "application/json")
    ended = runs.explain(Explanation.objects.get(pk=asked.pk), at=LATER)

    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/explanation-not-offered")
    assert f"{DETECTOR} is retired" in answer.json()["detail"]
    assert ended is not None
    assert (ended.state, ended.refusal) == ("not-explained", "explanation-not-offered")
    with pytest.raises(offers.ExplanationNotOffered):
        requests.for_alert(alert, at=LATER)
    with pytest.raises(versions.VersionRetired):
        predicted(alert.batch, LATER_H)
    assert tasks.look_after_explanations() == 0


def test_the_sweep_and_the_page_know_that_a_retired_version_explains_no_more(
    qualified: Walk, alert: Alert, at_once: None, client: Client
) -> None:
    assert requests.without(at_most=8) == [alert]
    _retire(qualified)
    client.force_login(factories.person(Role.PROCESS_ENGINEER))

    page = client.get(f"/admin/predictions/alert/{alert.pk}/change/").content.decode()

    assert requests.without(at_most=8) == []
    assert f"It is not explained: {DETECTOR} is retired: it explains no more." in page


def test_a_trial_alert_asked_about_once_its_version_is_qualified(
    alert: Alert, walk: Walk, request: pytest.FixtureRequest, once: None
) -> None:
    first = requests.for_alert(alert, at=AT)
    request.getfixturevalue("qualified")
    goes_on(alert.batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(alert.batch, LATER_H)

    newer = requests.by_person(
        alert, actor=factories.person(Role.SUPERVISOR), at=LATER + timedelta(minutes=1)
    )

    assert (alert.is_trial, first.is_trial, newer.is_trial) == (True, True, False)
