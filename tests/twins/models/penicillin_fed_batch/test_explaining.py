"""A batch is explained and forked from what was known, with the same bits each time."""

from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import median_batch
from tests.twins.models.penicillin_fed_batch.median_batch import ONSET
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import (
    counterfactual,
    explaining,
    hypotheses,
    signatures,
)
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.counterfactual import Fate, NoCounterfactual
from twins.models.penicillin_fed_batch.explaining import Explanation
from twins.models.penicillin_fed_batch.signatures import MomentInvalid

COUNT, END = 350, 380


def _explained(batch: dict[str, np.ndarray], *, onset: int = ONSET, end: int = END) -> Explanation:
    return explaining.explain(batch, median_batch.recipe(), onset=onset, end=end)


@pytest.fixture(scope="module")
def starved() -> Explanation:
    return _explained(median_batch.less_sugar(median_batch.batch(COUNT), 0.7))


@pytest.fixture(scope="module")
def quiet() -> Iterator[Fate]:
    batch, recipe = median_batch.batch(COUNT), median_batch.recipe()
    found, ensembles = explaining.followed(batch)
    rows = signatures.traces(batch, recipe, found)
    yield Fate(batch, recipe, ensembles, rows, ONSET, COUNT - 1, END)


def test_a_sugar_feed_that_delivers_less_is_named(starved: Explanation) -> None:
    assert starved.weighed.likeliest == "sugar-less"
    assert starved.weighed.of_kind["process"] > 0.8
    ended, going_on = starved.costed[0].impacts
    assert (ended.goes_on, going_on.goes_on) == (False, True)
    for cost in (ended, going_on):
        assert cost.lost_kg[0] <= cost.lost_kg[1] <= cost.lost_kg[2]
        assert cost.horizon_h == pytest.approx((END + 1) * 0.2)


def test_less_sugar_for_longer_costs_more_product(quiet: Fate) -> None:
    starving = median_batch.less_sugar(dict(quiet.batch), 0.7)
    fate = replace(quiet, batch=starving, now=ONSET + 9)

    ended = counterfactual.impact("sugar-less", fate)
    going_on = counterfactual.impact("sugar-less", fate, goes_on=True)

    assert going_on.lost_kg[0] > 0.0
    assert going_on.lost_kg[1] > ended.lost_kg[1]
    assert going_on.without_kg[1] > going_on.with_kg[1]


def test_what_the_estimate_corrected_may_be_the_deviation_or_not_and_the_interval_has_both(
    quiet: Fate,
) -> None:
    starving = replace(quiet, batch=median_batch.less_sugar(dict(quiet.batch), 0.7), end=COUNT - 1)
    corrected = quiet.ensembles.copy()
    corrected[ONSET + 25 :, :, at.P] *= 0.7

    plain = counterfactual.impact("sugar-less", starving)
    said = counterfactual.impact("sugar-less", replace(starving, ensembles=corrected))

    assert said.lost_share[1] == pytest.approx(plain.lost_share[1], abs=0.02)
    assert plain.lost_share[2] < 0.1
    assert said.lost_share[2] > 0.2
    assert said.proposed == "undecided"
    assert said.path[-1].without_kg == said.without_kg


def test_a_batch_that_the_equations_do_not_describe_has_no_impact() -> None:
    batch = median_batch.less_sugar(median_batch.batch(COUNT), 0.7)
    strange = {tag: batch[tag] * 3.0 for tag in ("lab_P", "lab_X", "lab_PAA", "lab_NH3")}

    said = _explained(batch | strange)

    assert said.costed
    for one in said.costed:
        assert one.impacts == ()
        assert one.refused is not None
        assert one.refused[0] == "counterfactual-none"


def test_a_class_is_proposed_when_both_futures_propose_it(starved: Explanation) -> None:
    cost = starved.costed[0]
    minor = replace(cost.impacts[0], proposed="minor")
    major = replace(cost.impacts[1], proposed="major")

    assert replace(cost, impacts=(minor, minor)).proposed == "minor"
    assert replace(cost, impacts=(major, major)).proposed == "major"
    assert replace(cost, impacts=(minor, major)).proposed == "undecided"
    assert replace(cost, impacts=()).proposed is None


def test_a_drifting_temperature_probe_is_a_probe() -> None:
    said = _explained(median_batch.drifting_probe(median_batch.batch(COUNT), 0.3))

    assert said.weighed.likeliest == "temperature-probe"
    assert said.weighed.verdict == "probe"
    heat = said.shown.departure[signatures.NAMES.index("heat")]
    assert heat == pytest.approx(0.3 * (COUNT - ONSET) / 50.0, abs=0.1)


def test_an_ordinary_batch_is_no_fault(quiet: Fate) -> None:
    shown = signatures.shown(quiet.traces, onset=ONSET, now=COUNT - 1)

    said = hypotheses.weigh(shown.size)

    assert said.likeliest == "normal"
    assert said.verdict == "undecided"


def test_the_same_batch_gives_the_same_bits(starved: Explanation) -> None:
    again = _explained(median_batch.less_sugar(median_batch.batch(COUNT), 0.7))

    assert again.weighed.weights.tobytes() == starved.weighed.weights.tobytes()
    assert again.shown.departure.tobytes() == starved.shown.departure.tobytes()
    assert [asdict(one) for one in again.costed] == [asdict(one) for one in starved.costed]


def test_signs_do_not_depend_on_what_came_later(quiet: Fate) -> None:
    batch = {tag: column[: COUNT - 40] for tag, column in quiet.batch.items()}
    found, _ = explaining.followed(batch)

    short = signatures.traces(batch, quiet.recipe, found)
    later = quiet.traces.copy()
    later[330:] = 1e6

    np.testing.assert_array_equal(short, quiet.traces[: COUNT - 40])
    one = signatures.shown(quiet.traces, onset=ONSET, now=329)
    other = signatures.shown(later, onset=ONSET, now=329)
    assert one.size.tobytes() == other.size.tobytes()


@pytest.mark.parametrize("accused", ["sugar-less", "aeration-less", "pressure-more"])
def test_what_did_not_depart_cost_nothing(quiet: Fate, accused: str) -> None:
    said = counterfactual.impact(accused, quiet)

    assert max(abs(one) for one in said.lost_share) < 1e-4
    assert said.proposed == "minor"


@pytest.mark.parametrize("accused", ["normal", "none", "ph-probe", "oxygen-probe"])
def test_what_cannot_be_taken_away_has_no_impact(quiet: Fate, accused: str) -> None:
    with pytest.raises(NoCounterfactual, match="no impact is stated"):
        counterfactual.impact(accused, quiet)


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("one", hypotheses.BANK, ids=lambda one: one.name)
def test_every_hypothesis_has_forks_or_a_reason(
    quiet: Fate, one: hypotheses.Hypothesis, goes_on: bool
) -> None:
    try:
        recorded, restored = counterfactual.forks(one.name, quiet, goes_on=goes_on)
    except NoCounterfactual as refusal:
        assert "no impact is stated:" in str(refusal)
        return
    assert recorded.inputs.shape == restored.inputs.shape
    assert np.all(np.isfinite(recorded.inputs))
    assert np.all(np.isfinite(restored.inputs))
    assert len(recorded.ph) == len(restored.temperature_k) == len(recorded.inputs)


def test_a_deviation_goes_on_in_one_future_and_ends_in_the_other(quiet: Fate) -> None:
    starving = replace(quiet, batch=median_batch.less_sugar(dict(quiet.batch), 0.7))

    ends, restored = counterfactual.forks("sugar-less", starving)
    goes_on, _ = counterfactual.forks("sugar-less", starving, goes_on=True)

    ahead = slice(COUNT - END - 1, None)
    np.testing.assert_array_equal(ends.inputs[ahead], restored.inputs[ahead])
    sugar = at.FS
    ratio = goes_on.inputs[ahead, sugar] / ends.inputs[ahead, sugar]
    np.testing.assert_allclose(ratio, 0.7, rtol=0.03)
    since = slice(10, COUNT - ONSET)
    np.testing.assert_allclose(
        ends.inputs[since, sugar] / restored.inputs[since, sugar], 0.7, rtol=0.1
    )


def test_a_run_above_its_tolerance_is_refused_and_said(
    quiet: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counterfactual, "TOLERANCE", 0.0)

    with pytest.raises(IntegrationInaccurate):
        counterfactual.impact("base-less", quiet)
    said = _explained(median_batch.less_sugar(dict(quiet.batch), 0.7))

    assert said.costed[0].impacts == ()
    assert said.costed[0].proposed is None
    assert said.costed[0].refused is not None
    assert said.costed[0].refused[0] == "integration-inaccurate"


def test_a_hole_in_the_batch_is_no_fault(quiet: Fate) -> None:
    batch = {tag: column.copy() for tag, column in quiet.batch.items()}
    for column in batch.values():
        column[310:325] = np.nan

    said = _explained(batch)

    assert said.weighed.likeliest == "normal"
    assert np.all(np.isfinite(said.weighed.weights))


@pytest.mark.parametrize(
    ("onset", "end"), [(3, END), (COUNT, END), (ONSET, COUNT - 2), (ONSET, 5000)]
)
def test_a_moment_that_leaves_nothing_to_compare_is_refused(onset: int, end: int) -> None:
    with pytest.raises(MomentInvalid):
        _explained(median_batch.batch(COUNT), onset=onset, end=end)


@pytest.mark.parametrize(
    ("share", "proposed"),
    [
        ((0.06, 0.1, 0.2), "major"),
        ((0.05, 0.1, 0.2), "major"),
        ((-0.1, 0.0, 0.0499), "minor"),
        ((0.01, 0.06, 0.2), "undecided"),
        ((0.01, 0.02, 0.05), "undecided"),
    ],
)
def test_a_class_is_proposed_when_the_whole_interval_is_on_one_side(
    share: tuple[float, float, float], proposed: str
) -> None:
    assert counterfactual.proposed_of(share) == proposed
