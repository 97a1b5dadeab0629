"""A prediction that fails says so in words and with a code; the technical text is in the log."""

import pytest
from django.test import Client

from compliance.access.duties import Role
from tests import factories
from tests.twins.predictions.conftest import LATER, Culture, moment
from twins.predictions import runs
from twins.predictions.models import Prediction, PredictionState

pytestmark = pytest.mark.django_db
TECHNICAL = 'generic_matrix.hpp:5539: Assertion "!x.is_empty()" failed in /opt/solver/lib.so'


@pytest.fixture
def broken(culture: Culture, monkeypatch: pytest.MonkeyPatch) -> Prediction:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(TECHNICAL)

    monkeypatch.setattr(runs, "answer", fails)
    batch = culture(until_h=24.0)

    made = runs.predict(batch, as_of=moment(24.0), at=LATER)

    assert made is not None
    return made


def test_an_error_of_a_twin_is_told_in_words_with_a_code_and_its_text_is_logged(
    broken: Prediction, caplog: pytest.LogCaptureFixture
) -> None:
    assert (broken.state, broken.refusal) == (PredictionState.FAILED, "prediction-broken")
    assert "ended with an error that it has no words for" in broken.problem
    name = f"cho-fed-batch about batch {broken.batch.number} as of {broken.as_of.isoformat()}"
    assert name in broken.problem
    assert TECHNICAL not in broken.problem
    [logged] = [one for one in caplog.get_records("setup") if one.levelname == "ERROR"]
    assert logged.getMessage() == f"{name} failed"
    assert logged.exc_info and str(logged.exc_info[1]) == TECHNICAL


def test_page_and_api_show_the_code_and_nothing_technical(
    broken: Prediction, client: Client
) -> None:
    client.force_login(factories.person(Role.PROCESS_ENGINEER))

    page = client.get(f"/admin/predictions/prediction/{broken.pk}/change/").content.decode()
    said = client.get(f"/api/v1/predictions/{broken.pk}").json()

    assert "(prediction-broken)" in page
    assert said["refusal"] == "prediction-broken"
    assert said["problem"] == broken.problem
    assert "generic_matrix" not in page


def test_a_moment_before_the_batch_is_refused_with_its_code(culture: Culture) -> None:
    batch = culture(until_h=24.0)

    made = runs.predict(batch, as_of=moment(-24.0), at=LATER)

    assert made is not None
    assert (made.state, made.refusal) == (PredictionState.FAILED, "batch-not-predictable")
    assert "had not started" in made.problem
