"""Find the smallest move that is enough and the latest start, every candidate judged by the futures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import NormalDist
from typing import Literal, Protocol

from twins.models.advice import chances, schedules
from twins.models.advice.answers import Chance, LastSafe
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.schedules import Schedule, Settings
from twins.models.crossing import Side
from twins.models.describing import FloatArray
from twins.models.projection import Projection
from twins.models.requests import Request

# Halvings of the distance that the mean path keeps: finer than a setting of a pump.
_HALVINGS = 8
# How much farther the other limits are kept away, when the first strongest move endangers one.
_FARTHER = (0.0, 0.75, 1.5)
End = Literal["probability", "low", "high"]
Chances = tuple[Chance, ...]


Departures = tuple[float, ...]


class Ensemble(Protocol):
    """The futures of a batch with all that chance will do to it; `of_each` start at each member."""

    @property
    def ends_h(self) -> tuple[float, ...]:
        """Give the moments: as of, then every hour to the horizon."""

    @property
    def of_each(self) -> int:
        """Give how many futures each member has."""

    def under(self, rates_l_per_h: Sequence[float], /) -> Projection:
        """Return the paths under one commanded rate an hour; raise `IntegrationInaccurate`."""


class Distances(Protocol):
    """How far every side is kept away, in a measure of the program's own."""

    @property
    def endangered(self) -> FloatArray:
        """Give those of the endangered side."""


class Program(Protocol):
    """What proposes moves, which the futures then judge."""

    def distances(self, schedule: Schedule, departures: Sequence[float], /) -> Distances:
        """Return how far a move keeps away."""

    def strongest(self, schedule: Schedule, /, *, kept: Sequence[float]) -> Departures:
        """Return the move that keeps farthest away, others by so many standard deviations."""

    def smallest(
        self, schedule: Schedule, /, *, depth: float, kept: Sequence[float], strongest: Departures
    ) -> Departures:
        """Return the smallest move that keeps so far away, or as far as the strongest does."""


@dataclass
class Judge:
    """What the futures say of a feed; of one that was asked before, from memory."""

    ensemble: Ensemble
    sides: Sequence[Side]
    target: float
    before: Chances
    error: float
    _known: dict[tuple[float, ...], Chances] = field(default_factory=dict)

    def chances(self, rates: tuple[float, ...]) -> Chances:
        """Return the chance of a crossing of every side under a feed."""
        if rates not in self._known:
            future = self.ensemble.under(rates)
            self.error = max(self.error, future.error)
            self._known[rates] = tuple(
                chances.chance(side, future, of_each=self.ensemble.of_each) for side in self.sides
            )
        return self._known[rates]

    def is_enough(self, found: Chances, *, end: End = "probability") -> bool:
        """Tell whether the endangered side is kept and no other one is endangered instead."""
        return getattr(found[0], end) <= self.target and self.is_harmless(found)

    def is_harmless(self, found: Chances) -> bool:
        """Tell whether no other side becomes likelier to be crossed, above the target."""
        return all(
            after.probability <= max(self.target, before.probability)
            for after, before in zip(found[1:], self.before[1:], strict=True)
        )


@dataclass(frozen=True)
class Found:
    """A move in settings of the pump, with what the futures say of it."""

    schedule: Schedule
    settings: Settings
    chances: Chances


@dataclass
class Search:
    """The search for one endangered side."""

    request: AdviceRequest[Request]
    program: Program
    judge: Judge
    _by_start: dict[int, Found] = field(default_factory=dict)

    def strongest(self, start: int) -> Found:
        """Return the harmless move from an interval on that takes the side as far away as it gets."""
        if start not in self._by_start:
            self._by_start[start] = self._harmless(schedules.of(self.request, start=start))
        return self._by_start[start]

    def _harmless(self, schedule: Schedule) -> Found:
        least = NormalDist().inv_cdf(1.0 - self.request.target)
        for farther in _FARTHER:
            kept = [least + farther] * (len(self.judge.sides) - 1)
            found = self._found(schedule, self.program.strongest(schedule, kept=kept))
            if self.judge.is_harmless(found.chances):
                return found
        nothing = (0,) * len(schedule.blocks)
        return Found(schedule, nothing, self.judge.before)

    def smallest(self, strongest: Found) -> Found:
        """Return the smallest move that is enough, from the strongest, which is."""
        schedule, best = strongest.schedule, strongest
        resolution = self.request.range.resolution
        full = tuple(setting * resolution for setting in strongest.settings)
        kept = [NormalDist().inv_cdf(1.0 - self.request.target)] * (len(self.judge.sides) - 1)
        near = float(min(self.program.distances(schedule, ()).endangered))
        far = float(max(self.program.distances(schedule, full).endangered))
        for _ in range(_HALVINGS):
            depth = 0.5 * (near + far)
            found = self._found(
                schedule,
                self.program.smallest(schedule, depth=depth, kept=kept, strongest=full),
            )
            if not self.judge.is_enough(found.chances):
                near = depth
                continue
            far = depth
            if schedule.size(found.settings) < schedule.size(best.settings):
                best = found
        return self._trimmed(best)

    def _trimmed(self, best: Found) -> Found:
        """Take one setting of the pump off a block after another, as long as it stays enough."""
        schedule = best.schedule
        for block in sorted(range(len(best.settings)), key=lambda one: -abs(best.settings[one])):
            setting = best.settings[block]
            if setting == 0:
                continue
            fewer = list(best.settings)
            fewer[block] = setting - (1 if setting > 0 else -1)
            if any(abs(a - b) > schedule.step for a, b in pairwise([0, *fewer])):
                continue
            told = self.judge.chances(schedule.rates(tuple(fewer)))
            if self.judge.is_enough(told):
                best = Found(schedule, tuple(fewer), told)
        return best

    def last_safe(self) -> LastSafe:
        """Return the latest start of the strongest move that is enough, by halving the horizon."""
        ends_h = self.judge.ensemble.ends_h
        at, surely, perhaps = (self._latest(end) for end in ("probability", "high", "low"))
        return LastSafe(ends_h[at], ends_h[surely], ends_h[perhaps])

    def _latest(self, end: End) -> int:
        """Return the last interval at which it is enough to begin; 0 when none is."""
        enough, late = self.request.delay_h, len(self.judge.ensemble.ends_h) - 1
        if not self._is_enough(enough, end):
            return 0
        while late - enough > 1:
            middle = (enough + late) // 2
            if self._is_enough(middle, end):
                enough = middle
            else:
                late = middle
        return enough

    def _is_enough(self, start: int, end: End) -> bool:
        return self.judge.is_enough(self.strongest(start).chances, end=end)

    def _found(self, schedule: Schedule, departures: Sequence[float]) -> Found:
        settings = schedule.rounded(departures)
        return Found(schedule, settings, self.judge.chances(schedule.rates(settings)))
