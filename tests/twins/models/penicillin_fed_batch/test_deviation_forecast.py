"""A penicillin batch is foretold causally, to the bit, with its reasons, or not at all."""

import hashlib
import itertools
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import foretold, made_batch
from twins.models import crossing, documents
from twins.models.declarations import Limit
from twins.models.forecasts import Forecast, LimitForecast
from twins.models.penicillin_fed_batch import asking, deviation_forecast, estimating, projecting
from twins.models.penicillin_fed_batch.asking import FermentationRequest, PlanStep
from twins.models.registry import MODELS
from twins.models.requests import Observation, RequestInvalid

ROOT = Path(__file__).parents[4]
TWIN = MODELS.get("penicillin-fed-batch")
LIMITS = (
    Limit("X", 15.5, None, "g/L", "CPP", 54.0, None),
    Limit("DO2", 5.0, None, "mg/L", "CPP", 0.0, None),
    Limit("T", 280.0, 300.0, "K", "CPP", 0.0, None),
)


def asked(*, as_of_h: float, share: float = 1.0, **changed: Any) -> FermentationRequest:
    """Return what is asked of the made batch; with a share of its sugar from 36 h on."""
    request = made_batch.asked(
        made_batch.measured(share),
        made_batch.plan(),
        as_of_h=as_of_h,
        horizon_h=12.0,
        limits=LIMITS,
    )
    return replace(request, **changed)


def of(forecast: Forecast, tag: str, side: str = "low") -> LimitForecast:
    (found,) = [one for one in forecast.limits if (one.tag, one.side) == (tag, side)]
    return found


def written(forecast: Forecast) -> bytes:
    return json.dumps(documents.of(forecast), sort_keys=True).encode()


@pytest.fixture(scope="module")
def failing() -> FermentationRequest:
    return asked(as_of_h=44.0, share=0.5)


@pytest.fixture(scope="module")
def forecast(failing: FermentationRequest) -> Forecast:
    return TWIN.run(failing)


def test_half_of_the_sugar_is_told_as_biomass_that_will_be_too_low(forecast: Forecast) -> None:
    biomass = of(forecast, "X")

    assert forecast.status == "forecast"
    assert biomass.probability is not None
    assert biomass.probability > 0.8
    assert biomass.lead_h_median is not None
    assert biomass.lead_h_median >= 9.0
    assert biomass.contributions[0].variable == "sugar feed"
    assert of(TWIN.run(asked(as_of_h=44.0)), "X").probability < 0.2  # type: ignore[operator]
    assert of(forecast, "DO2").probability < 0.2  # type: ignore[operator]


def test_the_intervals_hold_what_the_batch_will_be(forecast: Forecast) -> None:
    states = made_batch.run(0.5).states

    for tag, value in (("P", projecting.VALUES["P"]), ("X", projecting.VALUES["X"])):
        (path,) = [one for one in forecast.trajectories if one.tag == tag]
        for ahead in (4, 8, 12):
            true = float(value(states[(44 + ahead) * 5]))
            assert path.q05[ahead] < true < path.q95[ahead]


@pytest.mark.requirement("A22-8")
def test_contributions_sum_to_the_change_of_the_log_odds(forecast: Forecast) -> None:
    explained = [one for one in forecast.limits if one.contributions]

    assert {one.tag for one in explained} == {"X", "T"}
    for one in explained:
        assert one.log_odds is not None
        assert one.nominal_log_odds is not None
        assert one.probability is not None
        total = math.fsum(part.log_odds for part in one.contributions)
        assert abs(total - (one.log_odds - one.nominal_log_odds)) < 1e-9
        assert one.log_odds == pytest.approx(math.log(one.probability / (1.0 - one.probability)))


@pytest.mark.requirement("A22-1")
def test_another_process_writes_the_same_bytes(
    failing: FermentationRequest, forecast: Forecast
) -> None:
    program = """
import hashlib, json, sys
from twins.models import crossing, documents
from twins.models.registry import MODELS
twin = MODELS.get("penicillin-fed-batch")
found = documents.of(twin.run(twin.read(json.load(sys.stdin))))
sys.stdout.write(hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest())
"""

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, input=json.dumps(documents.of(failing)),
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert told == hashlib.sha256(written(forecast)).hexdigest()


def test_a_request_is_read_back_to_the_last_bit(failing: FermentationRequest) -> None:
    assert asking.read(documents.of(failing)) == failing  # type: ignore[arg-type]


def test_going_on_from_the_last_estimate_gives_the_bits_of_starting_again() -> None:
    wrong = asked(as_of_h=34.0)
    first = wrong.laboratory[0]
    mistaken = replace(
        wrong, laboratory=(replace(first, value=first.value * 1.3), *wrong.laboratory[1:])
    )
    later = asked(as_of_h=38.0)
    corrected = (
        *mistaken.laboratory,
        *(one for one in later.laboratory if one not in wrong.laboratory),
    )
    correction = replace(first, reported_h=37.0)

    estimating.forget()
    TWIN.run(mistaken)
    going_on = TWIN.run(replace(later, laboratory=(*corrected, correction)))
    estimating.forget()
    afresh = TWIN.run(replace(later, laboratory=(correction, *reversed(corrected))))
    estimating.forget()
    right = TWIN.run(later)

    assert written(replace(going_on, input_digest="")) == written(replace(afresh, input_digest=""))
    assert written(replace(going_on, input_digest="")) == written(replace(right, input_digest=""))


def test_only_what_was_reported_by_then_counts() -> None:
    plain = asked(as_of_h=34.0)
    late = Observation("lab_X", 33.0, 40.0, 34.2)

    found = TWIN.run(replace(plain, laboratory=(*plain.laboratory, late)))

    assert replace(found, input_digest="") == replace(TWIN.run(plain), input_digest="")


TOO_MUCH = {"Fs": (PlanStep(0.0, 30.0), PlanStep(40.0, 900.0))}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"horizon_h": 200.0}, "horizon"),
        (
            {"plan": {**made_batch.plan(), "Fs": (PlanStep(0.0, 30.0), PlanStep(40.0, 900.0))}},
            "plan at 40",
        ),
        ({"laboratory": (Observation("lab_P", 12.0, 640.0, 16.0),)}, "lab_P"),
    ],
)
def test_outside_of_its_input_space_it_says_so(changed: dict[str, Any], named: str) -> None:
    found = TWIN.run(asked(as_of_h=34.0, **changed))

    assert found.status == "out-of-domain"
    assert named in "; ".join(found.reasons)
    assert all(one.probability is None for one in found.limits)


def test_a_vessel_that_is_too_warm_is_out_of_domain() -> None:
    request = asked(as_of_h=34.0)
    warm = (*request.online["T"][:-10], *[310.0] * 10)

    found = TWIN.run(replace(request, online={**request.online, "T": warm}))

    assert found.status == "out-of-domain"
    assert "temperature" in found.reasons[0]


@pytest.mark.parametrize("tag", ["Fs", "DO2", "CO2outgas"])
@pytest.mark.parametrize(
    ("hole", "named"),
    [
        (slice(0, 20), "needs the start"),
        (slice(-15, None), "nothing since"),
        (slice(None), "nothing was"),
    ],
)
def test_without_enough_samples_it_is_undecided(tag: str, hole: slice, named: str) -> None:
    request = asked(as_of_h=34.0)
    column: list[float | None] = list(request.online[tag])
    column[hole] = [None] * len(column[hole])

    found = TWIN.run(replace(request, online={**request.online, tag: tuple(column)}))

    assert found.status == "undecided"
    assert named in found.reasons[0]
    assert found.trajectories == ()


def test_before_twelve_hours_it_is_undecided() -> None:
    empty = replace(
        asked(as_of_h=0.2), as_of_h=0.0, slots=(), online=dict.fromkeys(asking.ONLINE_TAGS, ())
    )

    for request in (asked(as_of_h=11.0), empty):
        found = TWIN.run(request)
        assert (found.status, found.integration_error) == ("undecided", None)


def test_a_future_that_is_not_integrated_well_enough_is_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tolerance is made finer than eight times the steps can reach."""
    monkeypatch.setattr(projecting, "TOLERANCE", 1e-12)

    found = TWIN.run(asked(as_of_h=34.0))

    assert found.status == "undecided"
    assert "integration error" in found.reasons[0]
    assert found.integration_error is not None
    assert all(one.probability is None for one in found.limits)


def test_what_cannot_be_explained_is_warned_of_all_the_same(
    failing: FermentationRequest, forecast: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's batch, the end of all contributions, is not integrated well enough."""
    monkeypatch.setattr(deviation_forecast, "TOLERANCE", 1e-15)

    found = TWIN.run(failing)

    assert found.status == "forecast"
    assert of(found, "X").probability == of(forecast, "X").probability
    assert of(found, "X").contributions == ()
    assert found.reasons[0].startswith("no contributions: the integration error")
    assert forecast.reasons == ("Fs is at 50 % of the plan: foretold as if it goes on",)


def test_what_the_recipe_calls_a_signal_is_what_the_answer_calls_it() -> None:
    named = asked(
        as_of_h=34.0, names={"X": "biomass", "T": "broth"},
        limits=(Limit("biomass", 12.5, None, "g/L", "CPP", 44.0, None),),
    )  # fmt: skip

    found = TWIN.run(named)

    assert found.limits[0].probability is not None
    assert {"biomass", "broth", "P"} <= {one.tag for one in found.trajectories}
    assert named.measured("broth").online[0][1] == named.online["T"][0]


@pytest.mark.parametrize(
    "changed",
    [
        {"limits": (Limit("S", 0.0, 1.0, "g/L", "CPP"),)},
        {"limits": (Limit("X", 0.0, 1.0, "mg/L", "CPP"),)},
        {"seed": -1},
        {"horizon_h": math.nan},
        {"online": {}},
        {"slots": (1,)},
        {"plan": {}},
        {"plan": {**made_batch.plan(), "Fs": (PlanStep(1.0, 30.0),)}},
        {"plan": {**made_batch.plan(), "Fc": (PlanStep(0.0, 30.0),)}},
        {"laboratory": (Observation("lab_P", 12.0, 1.0, 11.0),)},
    ],
)
def test_what_cannot_be_read_as_a_batch_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RequestInvalid):
        TWIN.run(asked(as_of_h=34.0, **changed))


def test_widening_keeps_the_median_and_the_side_of_a_member() -> None:
    paths = np.linspace(9.0, 11.0, 40)[:, np.newaxis] * np.ones((40, 3))

    wider = projecting.widened("NH3", paths, 0, seed=1)

    assert np.std(wider) > 1.1 * np.std(paths)
    assert np.median(wider[:, 0]) == pytest.approx(10.0, abs=0.1)


def test_sugar_is_wrong_by_a_factor_where_it_is_scarce_and_where_it_is_in_surplus() -> None:
    paths = np.repeat([[0.001], [10.0]], 20, axis=0) * np.ones((40, 3))

    wider = projecting.widened("sugar_g_l", paths, 0, seed=1)
    widest = projecting.widened("sugar_g_l", paths, 0, seed=1, widening=2.0)

    assert np.all(wider / paths > 0.6)
    assert np.all(wider / paths < 1.7)
    for members in (slice(0, 20), slice(20, 40)):
        assert np.std(np.log(wider[members] / paths[members])) > 0.1
    assert np.log(widest / paths) == pytest.approx(2.0 * np.log(wider / paths))


def test_widening_once_more_doubles_the_distance_from_the_median() -> None:
    paths = np.linspace(9.0, 11.0, 40)[:, np.newaxis] * np.ones((40, 3))

    once, twice = (projecting.widened("P", paths, 0, seed=1, widening=k) for k in (1.0, 2.0))

    assert twice - 10.0 == pytest.approx(2.0 * (once - 10.0))


def test_odds_are_stated_as_normal_batches_ask_but_for_what_loops_hold() -> None:
    request = asked(as_of_h=44.0, share=0.5, limits=(
        Limit("X", 15.0, None, "g/L", "CPP"), Limit("T", 297.95, None, "K", "CPP"),
    ))  # fmt: skip
    begun = deviation_forecast.foretell(request, deviation_forecast.estimate(request), ())

    said = TWIN.run(request).limits

    for side, one in zip(crossing.sides(request.limits), said, strict=True):
        assert one.probability is not None
        assert one.log_odds is not None
        share = crossing.probability(
            crossing.first_crossings(side, begun.paths[one.tag], begun.ends_h)
        )
        shift = 0.0 if one.tag == "T" else deviation_forecast.SHIFT
        assert crossing.log_odds(one.probability) == pytest.approx(crossing.log_odds(share) + shift)
        assert one.log_odds == pytest.approx(crossing.log_odds(one.probability))


@pytest.mark.shared
def test_intervals_hold_what_came_in_batches_of_a_campaign(shared: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    batches = itertools.islice(foretold.tables(shared / "data" / "indpensim", "check"), 3)

    rows = [row for batch in batches for row in foretold.judged(batch) if row[0] == "forecast"]

    for tag in ("P", "X", "Viscosity", "DO2"):
        held = [row[4] <= row[3] <= row[6] for row in rows if row[1] == tag]
        assert len(held) >= 40
        assert sum(held) / len(held) > 0.75
