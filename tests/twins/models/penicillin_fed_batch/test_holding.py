"""What loops hold comes back to its usual level; a discharge lifts the pH of a batch on little base."""

import numpy as np
import pytest

from twins.models.penicillin_fed_batch import holding
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLES_AN_HOUR

TEMPERATURE, PH = holding.LOOPS
HOURS = 40
ALIKE = np.ones((MEMBERS, at.INPUTS))


def held(tag: str, usual: float, *, off: float) -> dict[str, np.ndarray]:
    """Return two days of a signal that left its usual level an hour ago."""
    column = np.full(48 * SAMPLES_AN_HOUR, usual)
    column[-SAMPLES_AN_HOUR:] += off
    return {tag: column}


def plan(base: float) -> np.ndarray:
    found = np.zeros((HOURS * SAMPLES_AN_HOUR, at.INPUTS))
    found[:, at.FB] = base
    return found


def discharging(base: float, *, in_it: float) -> np.ndarray:
    """Return a plan with a discharge from hour 9 to 11, and the base that flows during it."""
    found = plan(base)
    during = slice(9 * SAMPLES_AN_HOUR, 11 * SAMPLES_AN_HOUR)
    found[during, at.DISCHARGE] = -4000.0
    found[during, at.FB] = in_it
    return found


@pytest.mark.parametrize(
    ("loop", "usual", "off", "mean_h"),
    [(PH, 6.5, -0.3, PH.below_h), (PH, 6.5, 0.3, PH.above_h), (TEMPERATURE, 298.0, 2.0, 8.0)],
)
def test_an_excursion_ends_sooner_or_later_from_member_to_member(
    loop: holding.Loop, usual: float, off: float, mean_h: float
) -> None:
    found = holding.paths(held(loop.tag, usual, off=off), loop, plan(60.0), ALIKE, seed=1)

    left = (found["estimated"] - found["nominal"]) / off
    assert np.all(np.isclose(left, 0.0) | np.isclose(left, 1.0))
    assert np.all(np.diff(left, axis=1) < 1e-9)
    assert np.all(left[:, 0] == pytest.approx(1.0))
    for hour in (2, 6, 24):
        assert left[:, hour].mean() == pytest.approx(np.exp(-hour / mean_h), abs=0.06)


def test_a_loop_without_an_excursion_is_held_as_tightly_as_normal_batches() -> None:
    found = holding.paths(held("pH", 6.5, off=0.0), PH, plan(60.0), ALIKE, seed=1)

    low, high = np.quantile(found["estimated"], [0.05, 0.95], axis=0)
    assert 0.04 < float(np.mean(high - low)) < 0.07


@pytest.mark.parametrize(("before", "in_it", "lifted"), [(12.0, 12.0, True), (60.0, 5.0, False)])
def test_a_discharge_lifts_the_ph_where_there_is_no_base_to_take_away(
    before: float, in_it: float, lifted: bool
) -> None:
    """The loop itself takes the base away in a discharge: what flowed before it decides."""
    found = holding.paths(
        held("pH", 6.5, off=0.0), PH, discharging(before, in_it=in_it), ALIKE, seed=1
    )["estimated"]

    rise = np.median(found, axis=0) - 6.5
    assert rise[[10, 11]] == pytest.approx([holding.LIFT * lifted] * 2, abs=0.02)
    assert rise[[8, 9, 12, 20]] == pytest.approx([0.0] * 4, abs=0.02)
    assert (found[:, 10].std() > 1.3 * found[:, 8].std()) is not lifted


def test_members_on_more_base_are_not_lifted() -> None:
    shares = ALIKE.copy()
    shares[::2, at.FB] = 4.0

    found = holding.paths(
        held("pH", 6.5, off=0.0), PH, discharging(12.0, in_it=2.0), shares, seed=1
    )["estimated"]

    assert np.mean(found[:, 10] > 6.5 + 0.5 * holding.LIFT) == pytest.approx(0.5, abs=0.05)


def test_five_hours_are_too_few() -> None:
    with pytest.raises(LookupError, match="too little is known of pH"):
        holding.paths({"pH": np.full(25, 6.5)}, PH, plan(60.0), ALIKE, seed=1)
