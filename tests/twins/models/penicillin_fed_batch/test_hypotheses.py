"""Explanations are weighed by what they say of each sign, and what looks alike is never told apart."""

import numpy as np
import pytest

from twins.models.penicillin_fed_batch import hypotheses, signatures
from twins.models.penicillin_fed_batch.hypotheses import BANK

NAMES = [one.name for one in BANK]


def _sizes(**moved: float) -> np.ndarray:
    found = np.full(len(signatures.SIGNS), 0.3)
    for name, size in moved.items():
        found[signatures.NAMES.index(name.replace("_", "-"))] = size
    return found


@pytest.mark.parametrize("seed", range(30))
def test_weights_add_up_to_one_however_odd_the_signs(seed: int) -> None:
    generator = np.random.Generator(np.random.PCG64(seed))
    size = 10.0 ** generator.uniform(-3, 4) * generator.standard_normal(len(signatures.SIGNS))

    said = hypotheses.weigh(size)

    assert np.all(said.weights >= 0.0)
    assert abs(said.weights.sum() - 1.0) < 1e-12
    assert abs(sum(said.of_kind.values()) - 1.0) < 1e-12
    assert said.likeliest == NAMES[int(np.argmax(said.weights))]


def test_priors_are_those_that_are_stated() -> None:
    priors = hypotheses.priors()

    for kind, share in hypotheses.PRIOR_OF_KIND.items():
        assert priors[[one.kind == kind for one in BANK]].sum() == pytest.approx(share)


@pytest.mark.parametrize(
    ("moved", "named", "verdict"),
    [
        ({"sugar": -9.0}, "sugar-less", "process"),
        ({"sugar": 9.0}, "sugar-more", "process"),
        ({"aeration": -9.0}, "aeration-less", "process"),
        ({"aeration": 9.0}, "aeration-more", "process"),
        ({"pressure": -9.0}, "pressure-less", "process"),
        ({"pressure": 9.0}, "pressure-more", "process"),
        ({"base_loop": -9.0, "ph": -3.0}, "base-less", "process"),
        ({"base_loop": 9.0, "ph": 3.0}, "base-more", "process"),
        ({"coolant_loop": -6.0, "temperature": 4.0}, "coolant-less", "process"),
        ({"coolant_loop": 6.0}, "coolant-more", "process"),
        ({"heat": 9.0}, "temperature-probe", "probe"),
        ({"heat": -9.0}, "temperature-probe", "probe"),
        ({"strength": -6.0, "carbon": -5.0}, "strength", "process"),
    ],
)
def test_a_fault_is_named_by_its_signature(
    moved: dict[str, float], named: str, verdict: str
) -> None:
    said = hypotheses.weigh(_sizes(**moved))

    assert (said.likeliest, said.verdict, said.undecided) == (named, verdict, ())


def test_a_fault_with_its_consequences_is_still_named() -> None:
    said = hypotheses.weigh(_sizes(sugar=-12.0, ph=2.0, carbon=-2.5, transfer=1.5))

    assert said.likeliest == "sugar-less"


def test_two_set_points_at_once_are_none_of_these() -> None:
    said = hypotheses.weigh(_sizes(sugar=-8.0, pressure=8.0))

    assert said.likeliest == "none"
    assert said.verdict == "none"


@pytest.mark.parametrize("transfer", [0.1, -3.0, 20.0])
def test_oxygen_transfer_and_its_probe_are_never_told_apart(transfer: float) -> None:
    said = hypotheses.weigh(_sizes(transfer=transfer))

    priors = hypotheses.priors()
    pair = [NAMES.index("transfer"), NAMES.index("oxygen-probe")]
    ratio = said.weights[pair[0]] / said.weights[pair[1]]
    assert ratio == pytest.approx(priors[pair[0]] / priors[pair[1]])
    if abs(transfer) > 1.0:
        assert {"transfer", "oxygen-probe"} <= set(said.undecided)
        assert said.verdict == "undecided"


def test_a_drifting_ph_probe_looks_like_nothing_at_all_and_this_is_said() -> None:
    said = hypotheses.weigh(_sizes())

    assert ("normal", "ph-probe") in said.alike
    assert {"normal", "ph-probe"} <= set(said.undecided)
    assert said.verdict == "undecided"


def test_the_more_a_sign_moves_the_surer_its_fault() -> None:
    place = NAMES.index("sugar-less")

    weights = [hypotheses.weigh(_sizes(sugar=-one)).weights[place] for one in (1, 2, 4, 8, 16)]

    assert weights == sorted(weights)
    assert weights[0] < 0.5
    assert weights[-1] > 0.9
