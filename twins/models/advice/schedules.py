"""Write a move as departures from the feed as is, in whole settings of the pump."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twins.models.advice import levers
from twins.models.advice.answers import Departure, Move
from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.models.describing import FloatArray
from twins.models.requests import FeedStep, Request

Settings = tuple[int, ...]
# A rate that lies on a bound but for the last bits of a float lies on it.
_SLACK = 1e-9


@dataclass(frozen=True)
class Schedule:
    """The room that a move has when it begins `start` intervals after `as_of_h`.

    In settings of the pump: the departures `lowest` to `highest` that each block may have, and the
    largest `step` from block to block; the first one is a step from the feed as is.
    """

    room: MoveRange
    start: int
    ends_h: tuple[float, ...]
    recipe: tuple[float, ...]
    blocks: tuple[range, ...]
    lowest: Settings
    highest: Settings
    step: int

    def spread(self) -> FloatArray:
        """Return which interval (row) lies in which block (column)."""
        found = np.zeros((len(self.recipe), len(self.blocks)))
        for column, block in enumerate(self.blocks):
            found[list(block), column] = 1.0
        return found

    def rounded(self, departures_l_per_h: Sequence[float]) -> Settings:
        """Return the nearest settings of the pump that keep the range and the largest step."""
        resolution, before = self.room.resolution, 0
        found = []
        for wanted, low, high in zip(departures_l_per_h, self.lowest, self.highest, strict=True):
            nearest = round(wanted / resolution)
            nearest = min(max(nearest, before - self.step), before + self.step)
            before = min(max(nearest, low), high)
            found.append(before)
        return tuple(found)

    def rates(self, settings: Settings) -> tuple[float, ...]:
        """Return the commanded rate of every interval, L/h."""
        found = list(self.recipe)
        for setting, block in zip(settings, self.blocks, strict=True):
            for interval in block:
                found[interval] += setting * self.room.resolution
        # Twelve digits: what a pump is set to is no 0.29000000000000004.
        return tuple(float(f"{max(rate, 0.0):.12g}") for rate in found)

    def move(self, settings: Settings) -> Move:
        """Return the settings in the words of an answer."""
        resolution = self.room.resolution
        departures = tuple(
            Departure(
                self.ends_h[block.start],
                self.ends_h[block.stop],
                float(f"{setting * resolution:.12g}"),
            )
            for setting, block in zip(settings, self.blocks, strict=True)
            if setting
        )
        return Move(
            departures=departures,
            feed=steps(self.ends_h, self.rates(settings)),
            added_l=math.fsum((one.end_h - one.start_h) * one.l_per_h for one in departures),
        )

    def size(self, settings: Settings) -> float:
        """Return what makes a move small: the departure squared, over its hours, (L/h)2 h."""
        resolution = self.room.resolution
        return math.fsum(
            (setting * resolution) ** 2 * (self.ends_h[block.stop] - self.ends_h[block.start])
            for setting, block in zip(settings, self.blocks, strict=True)
        )


def of(request: AdviceRequest[Request], *, start: int) -> Schedule:
    """Return the room for a move that begins `start` intervals after `as_of_h`.

    What the twin can follow bounds it too: a move beyond could not be judged.
    """
    room, lever = request.range, levers.of(request.forecast)
    recipe, last = lever.rates, len(lever.rates)
    step = math.floor(room.max_step / room.resolution + _SLACK)
    high = min(room.high, lever.highest)
    blocks = tuple(
        range(first, min(first + room.block_h, last)) for first in range(start, last, room.block_h)
    )
    lowest = [
        math.ceil((room.low - min(recipe[i] for i in block)) / room.resolution - _SLACK)
        for block in blocks
    ]
    highest = [
        math.floor((high - max(recipe[i] for i in block)) / room.resolution + _SLACK)
        for block in blocks
    ]
    # What a later block cannot hold is given up in time, by the largest step from block to block.
    for block in reversed(range(len(blocks) - 1)):
        lowest[block] = max(lowest[block], lowest[block + 1] - step)
        highest[block] = min(highest[block], highest[block + 1] + step)
    return Schedule(room, start, lever.ends_h, recipe, blocks, tuple(lowest), tuple(highest), step)


def outside(schedule: Schedule) -> bool:
    """Tell whether the recipe's own feed leaves the range in which a move has to stay."""
    return any(low > 0 for low in schedule.lowest) or any(high < 0 for high in schedule.highest)


def steps(ends_h: Sequence[float], rates: Sequence[float]) -> tuple[FeedStep, ...]:
    """Return a rate an interval as steps, where it changes."""
    found: list[FeedStep] = []
    for start_h, rate in zip(ends_h, rates, strict=False):
        if not found or found[-1].rate_l_per_h != rate:
            found.append(FeedStep(start_h, rate))
    return tuple(found)
