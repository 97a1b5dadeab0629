"""Run the demonstration product's fed-batch in a simulated vessel that talks like a plant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twins.models import feeding
from twins.models.requests import FeedStep
from twins.plant import culture, instruments
from twins.plant.culture import Conditions, State
from twins.plant.demo_recipe import (
    FEED_START_H,
    HARVEST_H,
    LABORATORY_TAKES_H,
    READING_EVERY_MIN,
    RECIPE_FEED,
    RECIPE_FEED_GLUCOSE_MMOL_L,
    RECIPE_FEED_GLUTAMINE_MMOL_L,
    RECIPE_INITIAL,
    RECIPE_LIMITS,
    SAMPLE_EVERY_H,
)
from twins.plant.instruments import Probes
from twins.plant.messages import Event, LaboratoryResult, Message, SampleTaken

__all__ = [
    "FAULTS",
    "RECIPE_FEED",
    "RECIPE_INITIAL",
    "RECIPE_LIMITS",
    "Fault",
    "Moment",
    "simulate",
    "truth",
]

_STEP_H = READING_EVERY_MIN / 60.0
_STEPS_A_SAMPLE = round(SAMPLE_EVERY_H / _STEP_H)
_SAMPLE_L = 0.05
_ANTIFOAM_L = 0.04
_STREAM_LOT, _STREAM_PROBES, _STREAM_LABORATORY, _STREAM_OPERATOR = 11, 12, 13, 14


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong unnoticed: what, from when, how much (see `FAULTS`)."""

    kind: str
    start_h: float
    size: float


FAULTS: dict[str, Fault] = {
    fault.kind: fault
    for fault in (
        # The share of the commanded rate that is still delivered.
        Fault("feed-pump-degraded", 120.0, 0.45),
        # By how many degrees an hour the vessel warms, for twelve hours at most.
        Fault("temperature-excursion", 132.0, 0.12),
        # By how much an hour the probe reads too low.
        Fault("glucose-probe-drift", 120.0, 0.12),
    )
}


@dataclass(frozen=True)
class Moment:
    """What is true at one moment, and what the plant says by then."""

    at_h: float
    state: State
    temperature_c: float
    messages: tuple[Message, ...]


def simulate(
    batch_seed: int, fault: Fault | None = None, *, feed: Sequence[FeedStep] = RECIPE_FEED
) -> Iterator[Message]:
    """Yield what the plant says of one batch, in the order in which it becomes known.

    `feed` is what people command; another one than the recipe's where they move it.
    """
    for moment in truth(batch_seed, fault, feed=feed):
        yield from moment.messages


def truth(
    batch_seed: int, fault: Fault | None = None, *, feed: Sequence[FeedStep] = RECIPE_FEED
) -> Iterator[Moment]:
    """Yield the hidden states with the messages, every ten minutes until the last result."""
    lot = culture.draw_lot(_generator(batch_seed, _STREAM_LOT))
    probes = Probes(_generator(batch_seed, _STREAM_PROBES))
    laboratory = _generator(batch_seed, _STREAM_LABORATORY)
    antifoam = _antifoam_steps(_generator(batch_seed, _STREAM_OPERATOR))
    pending: list[LaboratoryResult] = []
    state = _inoculated(_generator(batch_seed, _STREAM_OPERATOR))
    last = round(HARVEST_H / _STEP_H)
    for step in range(last + round(LABORATORY_TAKES_H / _STEP_H) + 1):
        at_h = step * READING_EVERY_MIN / 60.0
        temperature_c = probes.held_temperature_c(_warming_c(fault, at_h))
        said: list[Message] = []
        commanded = feeding.mean_rate(feed, start_h=at_h, end_h=at_h + _STEP_H)
        if step <= last:
            said.extend(_events(step, last=last, antifoam=antifoam))
            said.extend(
                probes.read(
                    at_h,
                    state,
                    temperature_c=temperature_c,
                    commanded_l_per_h=commanded,
                    glucose_offset=_probe_offset(fault, at_h),
                )
            )
            if step % _STEPS_A_SAMPLE == 0:
                sample = f"S{step // _STEPS_A_SAMPLE:03d}"
                said.append(SampleTaken(sample, at_h))
                pending.extend(instruments.analyse(laboratory, sample, at_h, state))
        said.extend(result for result in pending if result.reported_h <= at_h)
        pending = [result for result in pending if result.reported_h > at_h]
        yield Moment(at_h, state, temperature_c, tuple(said))
        if step >= last:
            continue
        state = culture.advance(
            _handled(state, step, antifoam),
            lot,
            Conditions(
                feed_l_per_h=commanded * lot["pump"] * _delivered(fault, at_h),
                feed_glucose_mmol_l=RECIPE_FEED_GLUCOSE_MMOL_L,
                feed_glutamine_mmol_l=RECIPE_FEED_GLUTAMINE_MMOL_L,
                temperature_c=temperature_c,
            ),
            duration_h=_STEP_H,
        )


def _generator(batch_seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([batch_seed, stream])))


def _inoculated(generator: np.random.Generator) -> State:
    spread = (0.03, 0.10, 0.01, 0.02, 0.10, 0.10, 0.0, 0.002)
    drawn = np.clip(generator.standard_normal(len(spread)), -2.0, 2.0)
    v, d, g, q, lac, a, m, vol = (
        value * (1.0 + share * float(one))
        for value, share, one in zip(RECIPE_INITIAL.values(), spread, drawn, strict=True)
    )
    return v, d, g, q, lac, a, m, vol


def _antifoam_steps(generator: np.random.Generator) -> frozenset[int]:
    # From the fifth day, when foam rises; a few additions at irregular times.
    hours = generator.uniform(110.0, 280.0, size=4)
    return frozenset(round(float(hour) / _STEP_H) for hour in hours)


def _events(step: int, *, last: int, antifoam: frozenset[int]) -> Iterator[Event]:
    at_h = step * READING_EVERY_MIN / 60.0
    if step == 0:
        yield Event("inoculation", at_h, "Seed train transferred, culture started")
    if step == round(FEED_START_H / _STEP_H):
        yield Event("feed-start", at_h, "Feed pump started on recipe profile")
    if step in antifoam:
        yield Event("antifoam-addition", at_h, f"{_ANTIFOAM_L * 1000.0:.0f} mL antifoam added")
    if step % _STEPS_A_SAMPLE == 0:
        yield Event("sampling", at_h, f"{_SAMPLE_L * 1000.0:.0f} mL sample drawn")
    if step == last:
        yield Event("harvest", at_h, "Culture harvested")


def _handled(state: State, step: int, antifoam: frozenset[int]) -> State:
    v, d, g, q, lac, a, m, volume = state
    if step % _STEPS_A_SAMPLE == 0:
        volume -= _SAMPLE_L
    if step in antifoam:
        kept = volume / (volume + _ANTIFOAM_L)
        v, d, g, q, lac, a, m = (value * kept for value in (v, d, g, q, lac, a, m))
        volume += _ANTIFOAM_L
    return v, d, g, q, lac, a, m, volume


def _delivered(fault: Fault | None, at_h: float) -> float:
    if fault and fault.kind == "feed-pump-degraded" and at_h >= fault.start_h:
        return fault.size
    return 1.0


def _warming_c(fault: Fault | None, at_h: float) -> float:
    if fault and fault.kind == "temperature-excursion" and at_h >= fault.start_h:
        warmed_c = fault.size * min(at_h - fault.start_h, 12.0)
        # Repaired after twelve hours; the vessel cools within a few more.
        return max(warmed_c - 0.5 * max(at_h - fault.start_h - 12.0, 0.0), 0.0)
    return 0.0


def _probe_offset(fault: Fault | None, at_h: float) -> float:
    if fault and fault.kind == "glucose-probe-drift" and at_h >= fault.start_h:
        return -fault.size * (at_h - fault.start_h)
    return 0.0
