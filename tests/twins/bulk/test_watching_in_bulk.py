"""A trained batch twin says in bulk, to the byte, what it says live and what its file replayed says."""

import csv
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.twins.models.batch_monitoring import campaign
from tests.twins.predictions.conftest import LATER, make_culture, make_recipe, moment
from tests.twins.predictions.test_watching import course, draft, record
from twins.bulk import asking, running
from twins.bulk.models import BulkRun, BulkState, PartState
from twins.hub import batch_models, versions
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.predictions import moments, outputs, replays, runs
from twins.predictions.models import Alert, Prediction

pytestmark = pytest.mark.django_db
TWIN = "penicillin-batch@2"
UNTIL_H, EVERY_H = 50.0, 4.0
WHY = "what would the shipped twin have said"


@pytest.fixture
def engineer(db: None) -> User:
    return factories.person(Role.PROCESS_ENGINEER)


def penicillin(count: int) -> list[Batch]:
    """Return batches that went alike: the feed was halved at 40 h, recorded until 50 h."""
    recipe = factories.recipe(draft(twin=TWIN, twin_settings={"every_h": str(EVERY_H)}))
    time_h, found = course(campaign.feed_halved)
    made = [factories.running_batch(recipe) for _ in range(count)]
    for one in made:
        record(one, found, time_h, until_h=UNTIL_H)
    return made


def in_bulk(batches: list[Batch], engineer: User) -> BulkRun:
    run = asking.predictions(batches, actor=engineer, at=timezone.now(), reason=WHY)
    while running.go_on(run):
        pass
    return BulkRun.objects.get(pk=run.pk)


def made_of(batch: Batch) -> list[Prediction]:
    return list(Prediction.objects.filter(batch=batch).order_by("as_of"))


def replayed(folder: Path) -> dict[float, dict[str, str]]:
    """Return what `manage.py twins predict` says of the same course as a file, by hour."""
    time_h, found = course(campaign.feed_halved)
    names = (*ONLINE_NAMES, *LABORATORY_NAMES)
    data, out = folder / "batch.csv", folder / "said.csv"
    with data.open("w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(("batch", "time_h", *names))
        for step, hour in enumerate(time_h.tolist()):
            values = [found[name][step] for name in names]
            rows.writerow(
                ("B-1", repr(hour), *("" if np.isnan(v) else repr(float(v)) for v in values))
            )
    call_command("twins", "predict", data=data, model=TWIN, out=out)
    with out.open(newline="") as handle:
        return {round(float(one["time_h"]), 1): one for one in csv.DictReader(handle)}


@pytest.mark.requirement("A22-1")
def test_in_bulk_live_and_from_a_file_it_says_the_same_to_the_byte(
    engineer: User, tmp_path: Path
) -> None:
    live, bulk = penicillin(2)
    for as_of in moments.reached(live):
        assert runs.predict(live, as_of=as_of, at=LATER)

    done = in_bulk([bulk], engineer)
    from_file = replayed(tmp_path)

    assert done.state == BulkState.DONE
    one_by_one, together = made_of(live), made_of(bulk)
    hours = [(one.as_of - moment(0)) / timedelta(hours=1) for one in together]
    assert hours == [EVERY_H * count for count in range(1, int(UNTIL_H / EVERY_H) + 1)]
    assert [one.input for one in together] == [one.input for one in one_by_one]
    assert [one.output for one in together] == [one.output for one in one_by_one]
    print(
        [(o.status, outputs.document(o)["p"], outputs.document(o)["alarm"]) for o in together],
    )
    for hour, prediction in zip(hours, together, strict=True):
        document, row = outputs.document(prediction), from_file[hour]
        assert prediction.status == row["verdict"]
        assert document["alarm"] == (row["alarm"] == "1")
        ahead = {one["quantity"]: one for one in document["forecasts"]}
        pairs = {"p": "p", "p_impact": "p_impact", "score": "score"}
        assert {k: float(document[k]) for k in pairs} == {k: float(row[k]) for k in pairs}
        assert float(ahead["penicillin"]["middle"][0]) == float(row["penicillin_0h"])


def test_it_alerts_once_and_is_repeated_from_its_record(engineer: User) -> None:
    (batch,) = penicillin(1)

    done = in_bulk([batch], engineer)

    alert = Alert.objects.get(batch=batch)
    assert (alert.tag, alert.side, alert.is_trial) == ("batch", "odd", True)
    assert running.repeat(done).identical
    assert all(replays.replay(one).identical for one in made_of(batch))


def test_one_run_predicts_batches_of_both_kinds_of_twins(engineer: User) -> None:
    (watched,) = penicillin(1)
    simulated = make_culture(make_recipe(), until_h=13.0)

    done = in_bulk([watched, simulated], engineer)

    assert done.state == BulkState.DONE
    assert {one.model_version.name for one in made_of(watched)} == {TWIN}
    assert {one.model_version.name for one in made_of(simulated)} == {simulated.recipe.twin}
    assert running.repeat(done).identical


def test_a_twin_that_is_replaced_meanwhile_fails_the_rest_of_the_run(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch,) = penicillin(1)
    run = asking.predictions([batch], actor=engineer, at=timezone.now(), reason=WHY)
    assert running.go_on(run)
    code, parameters = versions.identity(TWIN)

    monkeypatch.setattr(batch_models, "identity", lambda _: ("0" * 64, parameters))
    assert running.go_on(run)

    first, second = run.parts.order_by("order")
    assert (first.state, second.state) == (PartState.DONE, PartState.FAILED)
    assert f"{TWIN} has been replaced since" in second.problem
    assert {one.model_version.code_digest for one in made_of(batch)} == {code}
    run.refresh_from_db()
    assert run.state == BulkState.INCOMPLETE


def test_a_watching_twin_offers_no_futures_and_says_so(engineer: User) -> None:
    (batch,) = penicillin(1)

    with pytest.raises(asking.BulkRequestInvalid, match=f"{TWIN} offers no ensemble of futures"):
        asking.of_futures(
            batch, as_of=moment(48.0), members=10, actor=engineer, at=timezone.now(), reason=WHY
        )
