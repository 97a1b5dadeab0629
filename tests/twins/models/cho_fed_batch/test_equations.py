"""The CHO fed-batch is the published one, balances and looks like such cultures look."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twins.models import feeding
from twins.models.cho_fed_batch import equations, parameters, self_checks, simulation
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.cho_fed_batch.equations import (
    AMMONIUM,
    DEAD,
    GLUCOSE,
    GLUTAMINE,
    LACTATE,
    MAB,
    STATE_NAMES,
    VIABLE,
    VOLUME,
    Coefficients,
    Feed,
)
from twins.models.cho_fed_batch.simulation import Run
from twins.models.integrate import IntegrationInaccurate
from twins.plant import demo_recipe

ENDS_H = tuple(float(hour) for hour in range(1, 289))
RATES = tuple(
    feeding.mean_rate(demo_recipe.RECIPE_FEED, start_h=end - 1.0, end_h=end) for end in ENDS_H
)
GLUCOSE_FED = demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L
GLUTAMINE_FED = demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L


@pytest.fixture(scope="module")
def nominal() -> Run:
    return simulation.simulate(
        demo_recipe.RECIPE_INITIAL,
        ends_h=ENDS_H,
        rates_l_per_h=RATES,
        feed_glucose_mmol_l=GLUCOSE_FED,
        feed_glutamine_mmol_l=GLUTAMINE_FED,
    )


def check(run: Run, rates: tuple[float, ...] = RATES) -> None:
    self_checks.require(
        run,
        rates_l_per_h=rates,
        feed_glucose_mmol_l=GLUCOSE_FED,
        feed_glutamine_mmol_l=GLUTAMINE_FED,
    )


def test_every_constant_lies_in_its_range_and_names_its_source() -> None:
    for one in parameters.PARAMETERS:
        assert one.low <= one.value <= one.high
        assert "Kornecki" in one.source or "safeguard" in one.source
        assert one.unit
    assert len(parameters.VALUES) == len(parameters.PARAMETERS)
    assert tuple(one.name for one in DECLARATION.states) == STATE_NAMES


def test_the_rates_of_one_state_are_those_worked_out_by_hand() -> None:
    state = np.array([[10.0], [0.5], [20.0], [1.0], [30.0], [3.0], [1.0], [160.0]])
    mu = 0.039 * (20 / 21) * (1 / 1.047) * (43 / 73) * (6.51 / 9.51)
    mu_d = 0.004 * (30 / 75.8) * (3 / 9.51)
    uptake = (mu / 0.357 + 69.2e-3 * 20 / 20.5) * 10.0
    dilution = 0.3 / 160.0

    found = equations.derivative(Coefficients(), Feed(0.3, 600.0, 60.0))(state)[:, 0]

    expected = np.zeros(8)
    expected[VIABLE] = (mu - mu_d - dilution) * 10.0
    expected[DEAD] = mu_d * 10.0 - dilution * 0.5
    expected[GLUCOSE] = dilution * (600.0 - 20.0) - uptake
    expected[GLUTAMINE] = dilution * (60.0 - 1.0) - (mu / 0.974 + 3.2e-3 * 1 / 3.1) * 10.0
    expected[LACTATE] = 0.70 * uptake - dilution * 30.0
    expected[AMMONIUM] = (0.67 * mu / 0.974 - 6.3e-3 * 3 / 3.1) * 10.0 - dilution * 3.0
    expected[MAB] = 1.51e-3 * 10.0 - dilution * 1.0
    expected[VOLUME] = 0.3
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_recipe_gives_a_culture_as_it_is_known(nominal: Run) -> None:
    viable = nominal.states[VIABLE]
    viability = equations.viability_pct(nominal.states)

    assert 10.0 < float(np.max(viable)) < 25.0
    assert 1.0 < float(nominal.states[MAB, -1]) < 5.0
    assert 80.0 < float(viability[-1]) < float(viability[120])
    assert float(nominal.states[VOLUME, -1]) < 1.7 * float(nominal.states[VOLUME, 0])


def test_a_run_of_the_recipe_closes_its_balances(nominal: Run) -> None:
    check(nominal)

    assert nominal.error < 1e-5


@pytest.mark.parametrize(
    ("row", "factor", "message"),
    [
        (VOLUME, 1.01, "volume"),
        (LACTATE, 1.02, "lactate"),
        (GLUCOSE, -1.0, "negative"),
        (MAB, 30.0, "carbon"),
    ],
)
def test_a_run_that_contradicts_a_balance_is_refused(
    nominal: Run, row: int, factor: float, message: str
) -> None:
    states = nominal.states.copy()
    states[row, -1] *= factor

    with pytest.raises(self_checks.SelfCheckFailed, match=message):
        check(replace(nominal, states=states))


def test_a_starving_culture_never_goes_below_zero() -> None:
    run = simulation.simulate(
        demo_recipe.RECIPE_INITIAL,
        ends_h=ENDS_H,
        rates_l_per_h=[0.0] * len(ENDS_H),
        feed_glucose_mmol_l=GLUCOSE_FED,
        feed_glutamine_mmol_l=GLUTAMINE_FED,
    )

    check(run, rates=(0.0,) * len(ENDS_H))
    assert float(run.states[GLUCOSE, -1]) < 0.1
    assert float(np.min(run.states)) > -1e-9


def test_an_integration_with_steps_too_long_is_refused() -> None:
    dense = {**demo_recipe.RECIPE_INITIAL, "viable_cells_1e6_per_ml": 30.0}

    with pytest.raises(IntegrationInaccurate):
        simulation.simulate(
            dense,
            ends_h=(24.0, 48.0),
            rates_l_per_h=(0.0, 0.0),
            feed_glucose_mmol_l=GLUCOSE_FED,
            feed_glutamine_mmol_l=GLUTAMINE_FED,
            steps_an_interval=24,
        )


@pytest.mark.shared
def test_growth_and_viability_have_the_level_and_trend_of_real_cultures(
    shared: Path, nominal: Run
) -> None:
    """Compare with 18 real cultures (six feeds, three replicates) without fitting anything.

    Compared: growth per hour between day 0 and 4, viable cells at day 6 to 11 (their median within
    a factor of 1.6), and that viability falls from above 95 % and stays above 80 % in the median.
    Metabolites and product are not in the data.
    """
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(shared / "data" / "cho" / "vicell.parquet").to_pylist()

    def real(column: str, hour: float) -> float:
        return float(np.median([r[column] for r in rows if abs(r["Hours"] - hour) < 3.0]))

    def twin(hour: float) -> float:
        return float(nominal.states[VIABLE, round(hour)])

    real_growth = np.log(real("Total_VCD", 94.4) / real("Total_VCD", 0.0)) / 94.4
    twin_growth = np.log(twin(94.4) / twin(0.0)) / 94.4
    assert twin_growth == pytest.approx(real_growth, rel=0.25)
    for hour in (142.4, 166.4, 190.2, 214.5, 238.4, 262.5):
        assert 1.0 / 1.6 < twin(hour) / real("Total_VCD", hour) < 1.6
    viability = equations.viability_pct(nominal.states)
    for values in (
        [real("Viability", hour) for hour in (142.4, 214.5, 262.5)],
        [float(viability[round(hour)]) for hour in (142.4, 214.5, 262.5)],
    ):
        assert values[0] > 95.0
        assert values[0] > values[1] > values[2] > 80.0
