"""What is judged is a mean of enough samples, and nothing that a hole hides."""

import numpy as np

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring import training
from twins.models.batch_monitoring.channels import CHANNEL, CHANNELS


def test_a_calm_start_is_not_taken_for_a_stuck_probe() -> None:
    grids = [campaign.grid(seed) for seed in range(8)]
    fitted, _ = training.fit_channels(grids)
    time_h, found = campaign.columns(20)
    found["DO2"][:3] = found["DO2"][0]

    signed = training.channels_of(campaign.on_grid(time_h, found), fitted)

    noise = signed[:, [place for place, one in enumerate(CHANNELS) if one.kind == "noise"]]
    assert not np.isfinite(noise[:21]).any()
    assert np.isfinite(noise[40]).any()


def test_in_a_hole_means_stand_still_and_sums_over_it_are_not_judged() -> None:
    fitted, _ = training.fit_channels([campaign.grid(seed) for seed in range(8)])
    time_h, found = campaign.columns(21)
    found["Fs"][199] *= 1.05
    kept = np.array([*range(200), *range(230, len(time_h))])
    seen = campaign.on_grid(time_h[kept], {name: one[kept] for name, one in found.items()})

    signed = training.channels_of(seen, fitted)

    recipe = signed[:, CHANNEL["recipe-slow Fs"]]
    assert (recipe[200:230] == recipe[199]).all()
    past = signed[:, CHANNEL["past12 Wt"]]
    assert np.abs(past[260]) < np.abs(past[205])
