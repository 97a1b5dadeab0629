"""The simulated plant talks in order, keeps its recipe's limits, and fails as it is told to."""

from decimal import Decimal
from functools import cache

import pytest

from twins.plant import culture, demo_recipe, process
from twins.plant.culture import GLUCOSE, LACTATE, MAB, VIABLE, VOLUME
from twins.plant.messages import Event, LaboratoryResult, Message, Reading, SampleTaken
from twins.plant.process import FAULTS, Moment

TAGS = {
    "temperature_c",
    "ph",
    "dissolved_oxygen_pct",
    "viable_cells_1e6_per_ml",
    "glucose_mmol_l",
    "lactate_mmol_l",
    "volume_l",
    "feed_rate_l_per_h",
}


@cache
def moments(batch_seed: int, fault: str | None = None) -> tuple[Moment, ...]:
    return tuple(process.truth(batch_seed, FAULTS[fault] if fault else None))


def said(batch_seed: int, fault: str | None = None) -> list[Message]:
    return [message for moment in moments(batch_seed, fault) for message in moment.messages]


def readings(tag: str, batch_seed: int, fault: str | None = None) -> list[Reading]:
    return [one for one in said(batch_seed, fault) if isinstance(one, Reading) and one.tag == tag]


def known_from(message: Message) -> float:
    return message.reported_h if isinstance(message, LaboratoryResult) else message.at_h


def test_messages_come_in_the_order_in_which_they_become_known() -> None:
    times = [known_from(message) for message in said(1)]

    assert times == sorted(times)
    assert said(1) == list(process.simulate(1))


def test_a_seed_is_a_batch() -> None:
    assert list(process.simulate(1)) == list(process.simulate(1))
    assert readings("glucose_mmol_l", 1) != readings("glucose_mmol_l", 2)


def test_every_tag_reads_every_ten_minutes_until_harvest() -> None:
    for tag in TAGS:
        found = readings(tag, 1)
        assert len(found) == 288 * 6 + 1
        assert found[0].at_h == 0.0
        assert found[-1].at_h == 288.0
        assert {one.unit for one in found} != {""}
    assert {one.tag for one in said(1) if isinstance(one, Reading)} == TAGS


def test_samples_are_taken_twice_a_day_and_reported_four_hours_later() -> None:
    samples = [one for one in said(1) if isinstance(one, SampleTaken)]
    results = [one for one in said(1) if isinstance(one, LaboratoryResult)]

    assert [one.at_h for one in samples] == [12.0 * k for k in range(25)]
    assert len(results) == 6 * len(samples)
    for one in results:
        assert one.reported_h == one.sampled_h + 4.0
        assert -Decimal(one.value).as_tuple().exponent == one.scale  # type: ignore[operator]


def test_the_operator_does_what_the_recipe_asks() -> None:
    kinds = [one.kind for one in said(1) if isinstance(one, Event)]

    assert kinds[0] == "inoculation"
    assert kinds[-1] == "harvest"
    assert kinds.count("feed-start") == 1
    assert kinds.count("sampling") == 25
    assert 1 <= kinds.count("antifoam-addition") <= 4


@pytest.mark.parametrize("batch_seed", range(8))
def test_a_normal_batch_stays_inside_every_limit_and_makes_its_titre(batch_seed: int) -> None:
    limits = {limit.tag: limit for limit in demo_recipe.RECIPE_LIMITS}
    for moment in moments(batch_seed):
        for tag, value in (
            ("temperature_c", moment.temperature_c),
            ("glucose_mmol_l", moment.state[GLUCOSE]),
            ("lactate_mmol_l", moment.state[LACTATE]),
            ("viability_pct", culture.viability_pct(moment.state)),
        ):
            low, high = limits[tag].low, limits[tag].high
            assert (low is None or value >= low) and (high is None or value <= high), moment
    last = moments(batch_seed)[-1].state
    titre = limits["mab_g_l"].low
    assert titre is not None
    assert last[MAB] > titre
    assert 15.0 < last[VIABLE] < 25.0
    for tag in ("ph", "dissolved_oxygen_pct"):
        low, high = limits[tag].low, limits[tag].high
        assert low is not None
        assert high is not None
        hours = readings(tag, batch_seed)
        means = [
            sum(one.value for one in hours[k : k + 6]) / 6.0 for k in range(0, len(hours) - 6, 6)
        ]
        assert low < min(means)
        assert max(means) < high


def test_lots_differ() -> None:
    finals = [moments(batch_seed)[-1].state for batch_seed in range(8)]

    assert max(one[GLUCOSE] for one in finals) - min(one[GLUCOSE] for one in finals) > 3.0
    assert len({one[MAB] for one in finals}) == 8


def test_a_failing_pump_is_not_seen_in_its_own_reading_but_in_the_vessel() -> None:
    good, bad = moments(1), moments(1, "feed-pump-degraded")
    commanded = (
        readings("feed_rate_l_per_h", 1),
        readings("feed_rate_l_per_h", 1, "feed-pump-degraded"),
    )

    at_160 = 160 * 6
    assert good[: 120 * 6] == bad[: 120 * 6]
    assert commanded[0] == commanded[1]
    assert good[at_160].state[VOLUME] - bad[at_160].state[VOLUME] > 4.0
    assert bad[at_160].state[GLUCOSE] < 11.0 < good[at_160].state[GLUCOSE]


def test_a_drifting_probe_changes_the_reading_and_not_the_culture() -> None:
    good, bad = moments(1), moments(1, "glucose-probe-drift")

    assert [one.state for one in good] == [one.state for one in bad]
    difference = (
        readings("glucose_mmol_l", 1, "glucose-probe-drift")[-1].value
        - readings("glucose_mmol_l", 1)[-1].value
    )
    assert difference < -10.0


def test_a_warm_vessel_leaves_its_limit_is_repaired_and_grows_less() -> None:
    good, bad = moments(1), moments(1, "temperature-excursion")

    assert max(one.temperature_c for one in bad) > 37.8
    assert abs(bad[-1].temperature_c - 36.8) < 0.3
    assert bad[150 * 6].state[VIABLE] < good[150 * 6].state[VIABLE]
