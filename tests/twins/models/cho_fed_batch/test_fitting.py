"""Constants come back from cultures, those that only count together are named, bounds hold."""

from dataclasses import replace

import numpy as np
import pytest

from twins.models.cho_fed_batch import cross_check, culture_runs, fitting, parameters, simulation
from twins.models.cho_fed_batch.culture_runs import Culture
from twins.models.cho_fed_batch.measuring import PROCESS_VALUES
from twins.models.requests import FeedStep

FEED = (FeedStep(0.0, 0.0), FeedStep(72.0, 0.3), FeedStep(168.0, 0.5))
TIMES = np.arange(24.0, 265.0, 24.0)
TRUE = {"mu_max": 0.034, "m_glc": 0.08}
GLUCOSE, GLUTAMINE = cross_check.REFERENCE_FEED


def culture(
    seed: int, tags: tuple[str, ...] = culture_runs.OBSERVED, **constants: float
) -> Culture:
    empty = Culture(
        f"C-{seed}", cross_check.REFERENCE_INITIAL, FEED, GLUCOSE, GLUTAMINE, TIMES,
        dict.fromkeys(tags, np.full(len(TIMES), np.nan)),
    )  # fmt: skip
    computed = culture_runs.predict([empty], constants)[0][0]
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal((len(tags), len(TIMES)))
    measured = {tag: computed[tag] * (1.0 + 0.02 * noise[place]) for place, tag in enumerate(tags)}
    return replace(empty, measured=measured)


@pytest.fixture(scope="module")
def cultures() -> list[Culture]:
    return [culture(seed, **TRUE) for seed in (1, 2)]


def test_wrong_constants_are_found_again_from_what_is_measured(cultures: list[Culture]) -> None:
    found = fitting.fit(cultures, list(TRUE))

    for one in found.constants:
        assert abs(one.value - TRUE[one.name]) < 3.0 * one.sd
        assert one.value == pytest.approx(TRUE[one.name], rel=0.05)
        assert one.is_known
    assert found.rms_after < 0.5 * found.rms_before
    assert found.error < 1e-4


def test_constants_that_only_count_together_are_named_with_their_partner(
    cultures: list[Culture],
) -> None:
    told = fitting.identifiable(cultures, ("kd_lac", "kd_amm", "k_d", "mu_max"))

    assert told.index <= fitting.COLLINEAR
    assert told.chosen == ("mu_max", "k_d", "kd_lac")
    assert [(one[0], one[2]) for one in told.collinear] == [("kd_amm", "k_d")]
    assert told.collinear[0][1] > fitting.COLLINEAR


def test_a_constant_of_what_is_not_measured_is_not_seen() -> None:
    cells_only = [culture(1, ("viable_cells_1e6_per_ml", "viability_pct"))]

    assert fitting.identifiable(cells_only, ("q_mab", "mu_max")).unseen == ("q_mab",)


def test_a_profile_is_lowest_at_the_true_value(cultures: list[Culture]) -> None:
    curve = fitting.profile(cultures, "mu_max", [], shares=(0.9, 1.0, 1.1), at=TRUE)

    assert min(curve, key=lambda point: point[1])[0] == TRUE["mu_max"]


def test_an_estimate_stays_in_its_declared_range_and_says_that_it_is_at_its_end() -> None:
    fast = [culture(1, mu_max=0.075)]

    one = fitting.fit(fast, ["mu_max"]).constants[0]

    assert one.value <= fitting.FITTABLE["mu_max"].high
    assert one.is_at_bound
    assert not one.is_known


def test_the_spread_of_a_prediction_covers_what_is_measured(cultures: list[Culture]) -> None:
    found = fitting.fit(cultures, list(TRUE))

    middle, _ = culture_runs.predict(cultures, found.values)
    spread = fitting.spread(cultures, found)

    for tag in culture_runs.OBSERVED:
        inside = [
            np.abs(one.measured[tag] - middle[at][tag]) <= 1.645 * spread[at][tag]
            for at, one in enumerate(cultures)
        ]
        assert np.mean(inside) >= 0.8


def test_a_prediction_is_the_run_of_the_twin_itself() -> None:
    one = culture(1)
    ends = [float(hour) for hour in range(1, 265)]
    run = simulation.simulate(
        one.initial,
        ends_h=ends,
        rates_l_per_h=[0.0 if end <= 72 else 0.3 if end <= 168 else 0.5 for end in ends],
        feed_glucose_mmol_l=GLUCOSE,
        feed_glutamine_mmol_l=GLUTAMINE,
    )

    computed = culture_runs.predict([one], {})[0][0]

    for tag, values in computed.items():
        expected = PROCESS_VALUES[tag](run.states)[[round(hour) for hour in TIMES]]
        np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize("names", [[], ["mu_z"], ["k_removal"]])
def test_what_cannot_be_fitted_is_refused(cultures: list[Culture], names: list[str]) -> None:
    with pytest.raises(fitting.NothingToFit):
        fitting.fit(cultures, names)
    with pytest.raises(fitting.NothingToFit):
        fitting.fit([], ["mu_max"])


def test_every_fittable_constant_has_room_on_both_sides() -> None:
    for one in fitting.FITTABLE.values():
        assert one.low <= one.value <= one.high
    assert len(fitting.FITTABLE) == len(parameters.PARAMETERS) - 1
