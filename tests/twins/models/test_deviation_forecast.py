"""A forecast is causal, repeatable to the byte, explains itself and knows when to be silent."""

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from twins.models import deviation_forecast, documents, estimation, requests
from twins.models.declarations import Limit
from twins.models.forecasts import Forecast, LimitForecast
from twins.models.requests import FeedStep, ForecastRequest, Observation

Observed = Callable[..., tuple[Observation, ...]]
Asked = Callable[..., ForecastRequest]

ROOT = Path(__file__).parents[3]


def of(forecast: Forecast, tag: str, side: str) -> LimitForecast:
    (found,) = [one for one in forecast.limits if (one.tag, one.side) == (tag, side)]
    return found


def written(forecast: Forecast) -> bytes:
    return json.dumps(documents.of(forecast), sort_keys=True).encode()


@pytest.fixture(scope="module")
def failing(asked: Asked, observed: Observed) -> ForecastRequest:
    return asked(observed(1, "feed-pump-degraded"), as_of_h=140.0)


@pytest.fixture(scope="module")
def forecast(failing: ForecastRequest) -> Forecast:
    return deviation_forecast.run(failing)


def test_a_failing_pump_is_told_as_glucose_that_will_be_too_low(forecast: Forecast) -> None:
    glucose = of(forecast, "glucose_mmol_l", "low")

    assert forecast.status == "forecast"
    assert glucose.probability is not None
    assert glucose.probability > 0.8
    assert glucose.lead_h_10 is not None
    assert glucose.lead_h_median is not None
    assert glucose.lead_h_90 is not None
    assert 0.0 < glucose.lead_h_10 < glucose.lead_h_median < glucose.lead_h_90 < 48.0
    assert glucose.contributions[0].variable == "feed_pump_efficiency"


@pytest.mark.requirement("A22-8")
def test_contributions_sum_to_the_change_of_the_log_odds(forecast: Forecast) -> None:
    explained = [one for one in forecast.limits if one.probability is not None]

    assert len(explained) > 8
    for one in explained:
        assert one.log_odds is not None
        assert one.nominal_log_odds is not None
        assert one.probability is not None
        total = math.fsum(part.log_odds for part in one.contributions)
        assert abs(total - (one.log_odds - one.nominal_log_odds)) < 1e-9
        assert one.log_odds == pytest.approx(math.log(one.probability / (1.0 - one.probability)))


def test_a_variable_that_glucose_does_not_depend_on_contributes_nothing(
    forecast: Forecast,
) -> None:
    parts = {
        one.variable: one.log_odds for one in of(forecast, "glucose_mmol_l", "low").contributions
    }

    assert parts["q_mab_factor"] == 0.0
    assert parts["k_d_factor"] == pytest.approx(0.0, abs=0.2)


def test_nothing_that_comes_later_changes_a_forecast(
    failing: ForecastRequest, forecast: Forecast
) -> None:
    seen = tuple(
        one for one in failing.observations if one.at_h <= 140.0 and one.reported_h <= 140.0
    )
    nonsense = (
        Observation("glucose_mmol_l", 140.001, 0.0, 140.001),
        Observation("lab_glucose_mmol_l", 139.0, 0.0, 140.5),
    )

    blind = deviation_forecast.run(replace(failing, observations=seen))
    misled = deviation_forecast.run(replace(failing, observations=(*seen, *nonsense)))

    assert len(seen) < len(failing.observations)
    for other in (blind, misled):
        assert written(replace(other, input_digest=forecast.input_digest)) == written(forecast)


def test_the_order_in_which_values_arrive_changes_nothing(
    failing: ForecastRequest, forecast: Forecast
) -> None:
    turned = replace(failing, observations=tuple(reversed(failing.observations)))

    other = deviation_forecast.run(turned)

    assert written(replace(other, input_digest=forecast.input_digest)) == written(forecast)


@pytest.mark.requirement("A22-1")
def test_another_process_writes_the_same_bytes(forecast: Forecast) -> None:
    program = """
import hashlib, json, sys
from twins.models import deviation_forecast, documents
from twins.models.requests import ForecastRequest, Observation
from twins.plant import demo_recipe, process
from twins.plant.messages import LaboratoryResult, Reading
found = []
for said in process.simulate(1, process.FAULTS["feed-pump-degraded"]):
    if isinstance(said, Reading):
        found.append(Observation(said.tag, said.at_h, said.value, said.at_h))
    elif isinstance(said, LaboratoryResult):
        found.append(Observation(said.tag, said.sampled_h, float(said.value), said.reported_h))
request = ForecastRequest(140.0, 48.0, 7, demo_recipe.RECIPE_INITIAL, demo_recipe.RECIPE_FEED,
    demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L, demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L,
    tuple(found), demo_recipe.RECIPE_LIMITS)
document = documents.of(deviation_forecast.run(request))
sys.stdout.write(hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest())
"""

    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert told == hashlib.sha256(written(forecast)).hexdigest()


def test_a_document_holds_no_float(forecast: Forecast) -> None:
    def floats(value: Any) -> int:
        if isinstance(value, dict):
            return sum(floats(one) for one in value.values())
        if isinstance(value, list):
            return sum(floats(one) for one in value)
        return isinstance(value, float)

    document = documents.of(forecast)

    assert isinstance(document, dict)
    assert floats(document) == 0
    assert document["as_of_h"] == "140.0"
    assert json.loads(json.dumps(document)) == document


def test_trajectories_start_at_the_estimate_and_keep_their_order(forecast: Forecast) -> None:
    tags = {one.tag for one in forecast.trajectories}

    assert {"glucose_mmol_l", "viability_pct", "mab_g_l", "temperature_c"} <= tags
    for one in forecast.trajectories:
        assert one.at_h[0] == 140.0
        assert one.at_h[-1] == 188.0
        assert all(
            low <= middle <= high
            for low, middle, high in zip(one.q05, one.q50, one.q95, strict=True)
        )


def test_a_titre_limit_is_silent_until_harvest_is_within_the_horizon(
    forecast: Forecast, asked: Asked, observed: Observed
) -> None:
    late = deviation_forecast.run(asked(observed(1), as_of_h=264.0, horizon_h=24.0))

    assert of(forecast, "mab_g_l", "low").probability is None
    share = of(late, "mab_g_l", "low").probability
    assert share is not None
    assert share < 0.1


@pytest.mark.requirement("A22-9")
@pytest.mark.requirement("A22-2")
@pytest.mark.parametrize(
    "change",
    [
        {"feed_glucose_mmol_l": 50.0},
        {"horizon_h": 200.0},
        {"as_of_h": 340.0},
        {"initial": {"glucose_mmol_l": 36.0}},
        {"feed": (FeedStep(0.0, 5.0),)},
    ],
)
def test_outside_its_input_space_the_twin_gives_no_probability(
    failing: ForecastRequest, change: dict[str, Any]
) -> None:
    forecast = deviation_forecast.run(replace(failing, **change))

    assert forecast.status == "out-of-domain"
    assert forecast.reasons
    assert len(forecast.limits) == 11
    assert all(one.probability is None for one in forecast.limits)


def test_a_culture_too_warm_is_outside_until_a_day_has_passed(
    asked: Asked, observed: Observed
) -> None:
    batch = observed(1, "temperature-excursion")

    warm = deviation_forecast.run(asked(batch, as_of_h=146.0))
    later = deviation_forecast.run(asked(batch, as_of_h=180.0))

    assert warm.status == "out-of-domain"
    assert "temperature" in warm.reasons[0]
    assert later.status == "forecast"


@pytest.mark.requirement("A22-9")
def test_with_too_little_data_the_twin_is_undecided(asked: Asked, observed: Observed) -> None:
    early = deviation_forecast.run(asked(observed(1), as_of_h=6.0))
    silent = tuple(one for one in observed(1) if one.at_h < 40.0)
    stale = deviation_forecast.run(asked(silent, as_of_h=60.0))

    for forecast in (early, stale):
        assert forecast.status == "undecided"
        assert all(one.probability is None for one in forecast.limits)
    assert "hourly means" in early.reasons[0]
    assert "nothing since" in stale.reasons[0]


def test_an_integration_above_its_tolerance_is_undecided_and_not_a_result(
    failing: ForecastRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimation, "TOLERANCE", 1e-15)

    forecast = deviation_forecast.run(failing)

    assert forecast.status == "undecided"
    assert "integration error" in forecast.reasons[0]


@pytest.mark.parametrize(("as_of_h", "horizon_h"), [(30.25, 7.5), (30.0000001, 1.0)])
def test_any_moment_and_horizon_can_be_asked_for(
    asked: Asked, observed: Observed, as_of_h: float, horizon_h: float
) -> None:
    forecast = deviation_forecast.run(asked(observed(1), as_of_h=as_of_h, horizon_h=horizon_h))

    assert forecast.status == "forecast"
    assert forecast.trajectories[0].at_h[0] == as_of_h
    assert forecast.trajectories[0].at_h[-1] == as_of_h + horizon_h


def test_residuals_and_parameters_tell_what_the_batch_taught(forecast: Forecast) -> None:
    pump = next(one for one in forecast.parameters if one.name == "feed_pump_efficiency")

    assert pump.shift < -5.0
    assert {one.tag for one in forecast.residuals} >= {"volume_l", "lab_glucose_mmol_l"}
    assert all(one.count <= 24 for one in forecast.residuals)


@pytest.mark.parametrize(
    "change",
    [
        {"as_of_h": float("nan")},
        {"seed": -1},
        {"feed": (FeedStep(2.0, 0.1), FeedStep(1.0, 0.1))},
        {"feed": (FeedStep(0.0, -0.1),)},
        {"observations": (Observation("ph", 3.0, 7.0, 2.0),)},
        {"observations": (Observation("ph", 3.0, float("inf"), 3.0),)},
        {"limits": (Limit("colour", 1.0, None, "1", "CPP"),)},
        {"limits": (Limit("glucose_mmol_l", 1.0, None, "g/L", "CPP"),)},
    ],
)
def test_a_request_that_is_no_batch_is_refused(
    failing: ForecastRequest, change: dict[str, Any]
) -> None:
    with pytest.raises(requests.RequestInvalid):
        deviation_forecast.run(replace(failing, **change))


@pytest.mark.requirement("A22-1")
def test_digests_name_code_parameters_and_input(forecast: Forecast) -> None:
    assert forecast.code_digest == documents.code_digest()
    assert forecast.parameters_digest == documents.digest(deviation_forecast.DECLARATION)
    assert len({forecast.code_digest, forecast.parameters_digest, forecast.input_digest}) == 3
    assert all(
        len(one) == 64
        for one in (forecast.code_digest, forecast.parameters_digest, forecast.input_digest)
    )


def test_what_has_no_form_in_a_document_is_refused() -> None:
    with pytest.raises(documents.NotADocument):
        documents.of({1.5, 2.5})
    assert documents.of({"b": (1.5, True, None, 3), "a": 0.1}) == {
        "a": "0.1",
        "b": ["1.5", True, None, 3],
    }
