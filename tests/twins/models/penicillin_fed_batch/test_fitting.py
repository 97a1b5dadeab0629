"""Constants come back from what is measured, and those that cannot are said so."""

import numpy as np
import pytest

from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import fitting, parameters
from twins.models.penicillin_fed_batch.replaying import TOLERANCE


def test_a_wrong_constant_is_found_again_from_what_is_measured(
    measured: dict[str, np.ndarray],
) -> None:
    start = parameters.nominal()
    start[parameters.MU_P] *= 1.15
    start[parameters.ALPHA_KLA] *= 0.9

    found = fitting.fit([measured], ["mu_p", "alpha_kla"], start=start, turns=6)

    by_name = {one.name: one for one in found.constants}
    assert by_name["mu_p"].value == pytest.approx(0.041, rel=0.05)
    assert by_name["alpha_kla"].value == pytest.approx(85.0, rel=0.05)
    assert all(one.is_identifiable for one in found.constants)
    assert found.rms_after < found.rms_before
    assert 0.0 < found.error < TOLERANCE


def test_constants_that_only_count_together_are_called_unidentifiable(
    measured: dict[str, np.ndarray],
) -> None:
    # Power counts by the product of both.
    found = fitting.fit([measured], ["impellers", "power_number"], turns=2)

    assert not any(one.is_identifiable for one in found.constants)
    assert found.condition > fitting.COLLINEAR


def test_a_profile_is_lowest_at_the_true_value(measured: dict[str, np.ndarray]) -> None:
    curve = fitting.profile([measured], "mu_p", [], shares=(0.85, 1.0, 1.15))

    assert min(curve, key=lambda point: point[1])[0] == pytest.approx(0.041)


def test_a_constant_that_the_model_does_not_have_is_refused(
    measured: dict[str, np.ndarray],
) -> None:
    with pytest.raises(fitting.NothingToFit, match="mu_z"):
        fitting.fit([measured], ["mu_z"])


@pytest.mark.parametrize("name", ["kla_viscosity", "m_paa"])
def test_a_constant_whose_range_reaches_zero_or_is_negative_is_fitted_all_the_same(
    measured: dict[str, np.ndarray], name: str
) -> None:
    (found,) = fitting.fit([measured], [name], turns=2).constants

    assert np.isfinite([found.value, found.sd]).all()
    assert np.sign(found.value) == np.sign(found.start)


@pytest.mark.parametrize("name", ["gravity", "mu_h"])
def test_what_is_the_same_everywhere_or_has_no_effect_is_not_fitted(
    measured: dict[str, np.ndarray], name: str
) -> None:
    with pytest.raises(fitting.NothingToFit, match=name):
        fitting.fit([measured], ["mu_p", name], turns=1)


def test_a_fit_whose_runs_are_inaccurate_is_refused(
    measured: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "TOLERANCE", 0.0)

    with pytest.raises(IntegrationInaccurate):
        fitting.fit([measured], ["mu_p"], turns=1)


def test_a_run_that_ends_in_no_number_counts_as_far_off_everywhere(
    measured: dict[str, np.ndarray],
) -> None:
    broken = parameters.nominal()
    broken[parameters.MU_X] = np.nan

    usual, lost = (fitting.residuals(measured, one) for one in (parameters.nominal(), broken))

    assert len(lost) == len(usual)
    assert np.isfinite(lost).all()
    assert lost @ lost > 1e3 * (usual @ usual)
