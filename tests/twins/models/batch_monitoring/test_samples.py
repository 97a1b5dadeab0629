"""Samples come late, twice, with holes: the grid takes them as they arrive."""

import numpy as np

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring import samples
from twins.models.batch_monitoring.signals import ONLINE_NAMES

DO2 = ONLINE_NAMES.index("DO2")


def test_a_late_and_a_repeated_sample_change_nothing() -> None:
    time_h, found = campaign.columns(1, steps=20)
    order = np.array([*range(10), 4, 9, *range(10, 20)])
    again = {name: values[order].copy() for name, values in found.items()}
    again["DO2"][10] = 1.0

    plain = campaign.on_grid(time_h, found)
    odd = campaign.on_grid(time_h[order], again)

    assert np.array_equal(plain.values, odd.values)
    assert odd.row_note.tolist()[9:13] == [0, samples.LATE, samples.REPEATED, 0]
    assert odd.row_slot.tolist()[9:13] == [9, 9, 9, 10]


def test_a_gap_holds_the_last_values_and_says_that_they_are_old() -> None:
    time_h, found = campaign.columns(1, steps=40)
    kept = np.array([*range(10), *range(30, 40)])

    seen = campaign.on_grid(time_h[kept], {name: found[name][kept] for name in found})

    assert len(seen.time_h) == 40
    assert seen.values[20, DO2] == found["DO2"][9]
    assert not seen.fresh[20, DO2]
    assert seen.known[12, DO2]
    assert not seen.known[20, DO2]


def test_a_value_that_no_probe_can_give_counts_as_missing() -> None:
    time_h, found = campaign.columns(1, steps=10)
    found["T"][5] = 25.0
    found["pH"][6] = np.nan

    seen = campaign.on_grid(time_h, found)

    assert seen.values[5, ONLINE_NAMES.index("T")] == found["T"][4]
    assert seen.values[6, ONLINE_NAMES.index("pH")] == found["pH"][5]


def test_a_sample_without_a_usable_time_is_noted() -> None:
    time_h, found = campaign.columns(1, steps=10)
    time_h[3] = np.nan
    time_h[5] = -1.0

    seen = campaign.on_grid(time_h, found)

    assert seen.row_note[[3, 5]].tolist() == [samples.UNTIMED, samples.UNTIMED]
    assert seen.row_slot[3] == seen.row_slot[2]
