"""Two unrelated solvers agree on the CHO fed-batch, and a disagreement is refused."""

from dataclasses import replace

import pytest

from twins.models import cross_checks
from twins.models.cho_fed_batch import cross_check
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.cho_fed_batch.equations import Coefficients
from twins.models.cross_checks import CrossCheck


@pytest.fixture(scope="module")
def reference() -> CrossCheck:
    return cross_check.reference()


def test_every_state_of_twelve_days_agrees_with_the_second_solver(reference: CrossCheck) -> None:
    cross_checks.require(reference)

    assert [one.state for one in reference.differences] == [one.name for one in DECLARATION.states]
    assert 0.0 < reference.worst < 1e-5
    assert 0.0 < reference.error < 1e-5
    assert reference.hours == 288.0


def test_solvers_that_disagree_are_refused_with_the_state_and_the_hour(
    reference: CrossCheck,
) -> None:
    apart = replace(reference.differences[2], relative=2e-3, at_h=99.0)

    with pytest.raises(cross_checks.SolversDisagree, match=r"glucose_mmol_l at 99 h"):
        cross_checks.require(replace(reference, differences=(apart,)))


def test_other_equations_do_not_agree() -> None:
    hours = cross_check.REFERENCE_ENDS_H[:48]
    given = {
        "ends_h": hours,
        "rates_l_per_h": [0.0] * len(hours),
        "feed_glucose_mmol_l": 600.0,
        "feed_glutamine_mmol_l": 60.0,
    }

    one = cross_check.states(cross_check.REFERENCE_INITIAL, **given)
    other = cross_check.states(
        cross_check.REFERENCE_INITIAL, **given, coefficients=Coefficients(mu_max=0.0391)
    )

    assert abs(one[0, -1] / other[0, -1] - 1.0) > 1e-3
