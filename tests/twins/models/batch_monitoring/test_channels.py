"""A probe's roughness is judged only when it is a mean of enough samples."""

import numpy as np

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring import training
from twins.models.batch_monitoring.channels import CHANNELS


def test_a_calm_start_is_not_taken_for_a_stuck_probe() -> None:
    grids = [campaign.grid(seed) for seed in range(8)]
    fitted, _ = training.fit_channels(grids)
    time_h, found = campaign.columns(20)
    found["DO2"][:3] = found["DO2"][0]

    signed = training.channels_of(campaign.on_grid(time_h, found), fitted)

    noise = signed[:, [place for place, one in enumerate(CHANNELS) if one.kind == "noise"]]
    assert not np.isfinite(noise[:21]).any()
    assert np.isfinite(noise[40]).any()
