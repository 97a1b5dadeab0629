"""Search moves by nonlinear programming (CasADi) on the mean member of an ensemble.

Chance constraints become distances: a side of a limit is kept when the mean path stays a number of
standard deviations of the futures away from it (a back-off; Mesbah 2016, 10.1109/MCS.2016.2602087).
Which number that is, the futures themselves decide: see `search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import casadi
import numpy as np

from twins.models import ensemble
from twins.models.advice import chances, symbolic
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.schedules import Schedule
from twins.models.cho_fed_batch.members import STATES, FloatArray
from twins.models.crossing import Side
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest

SOLVER = "ipopt"
_OPTIONS: dict[str, Any] = {
    "print_time": False,
    "ipopt.print_level": 0,
    "ipopt.sb": "yes",
    "ipopt.tol": 1e-7,
    "ipopt.max_iter": 200,
    # As good as second derivatives here, and faster.
    "ipopt.hessian_approximation": "limited-memory",
}
# How sharply the nearest hours count, when the distance to a limit is made as large as it gets.
_SHARPNESS = 2.0
# Among moves that are equally strong, the smaller one.
_TIE_BREAK = 1e-4
Departures = tuple[float, ...]


@dataclass(frozen=True)
class Distances:
    """Of each side, at each hour at which it applies, in standard deviations of the futures."""

    of_sides: tuple[FloatArray, ...]

    @property
    def endangered(self) -> FloatArray:
        """Give those of the first side."""
        return self.of_sides[0]


class Program:
    """One batch, its limits and its largest number of blocks; solved for many moves."""

    def __init__(
        self, request: AdviceRequest[ForecastRequest], rows: FloatArray, as_is: Projection,
        sides: Sequence[Side], *, blocks: int,
    ) -> None:  # fmt: skip
        self._blocks = blocks
        self._scale = request.range.max_step
        self._mean = ensemble.mean(rows)
        self._hours = [
            [n for n, holds in enumerate(chances.applies(side, as_is.ends_h)) if holds and n]
            for side in sides
        ]
        self._solvers = self._built(request, as_is, sides)

    def _built(
        self, request: AdviceRequest[ForecastRequest], as_is: Projection, sides: Sequence[Side]
    ) -> Any:
        ends_h = np.array(as_is.ends_h)
        count = len(ends_h) - 1
        asked = request.forecast
        move = casadi.MX.sym("move", self._blocks)
        spread = casadi.MX.sym("spread", count, self._blocks)
        recipe = casadi.MX.sym("recipe", count)
        weights = casadi.MX.sym("weights", self._blocks)
        hour = symbolic.hour(asked.feed_glucose_mmol_l, asked.feed_glutamine_mmol_l)
        rates = recipe + casadi.mtimes(spread, move) * self._scale
        path = hour.mapaccum(count)(
            self._mean[:STATES],
            np.tile(self._mean[STATES:, np.newaxis], (1, count)),
            rates.T,
            np.diff(ends_h)[np.newaxis, :],
        )
        path = casadi.horzcat(self._mean[:STATES], path)
        distances = [
            self._distance(side, hours, path, as_is)
            for side, hours in zip(sides, self._hours, strict=True)
        ]
        steps = casadi.vertcat(move[0], casadi.diff(move))
        size = casadi.dot(weights, move * move)
        nearness = casadi.logsumexp(-_SHARPNESS * distances[0])
        given = casadi.vertcat(casadi.vec(spread), recipe, weights)
        constrained = casadi.vertcat(*distances, steps)
        common: dict[str, Any] = {"x": move, "p": given, "g": constrained}
        self._distances = casadi.Function("distances", [move, given], distances)
        return {
            "strongest": casadi.nlpsol(
                "strongest", SOLVER, {**common, "f": nearness + _TIE_BREAK * size}, _OPTIONS
            ),
            "smallest": casadi.nlpsol("smallest", SOLVER, {**common, "f": size}, _OPTIONS),
        }

    @staticmethod
    def _distance(side: Side, hours: Sequence[int], path: Any, as_is: Projection) -> Any:
        deviation = ensemble.spread(as_is.paths[side.limit.tag].T)[list(hours)]
        value = symbolic.PROCESS_VALUES[side.limit.tag](path)[list(hours)].T
        beyond = value - side.bound if side.side == "low" else side.bound - value
        return beyond / np.maximum(deviation, 1e-9)

    def distances(self, schedule: Schedule, departures: Sequence[float]) -> Distances:
        """Return how far the mean path stays from every side under a move."""
        found = self._distances(self._padded(departures) / self._scale, self._given(schedule))
        of_sides = found if isinstance(found, tuple | list) else (found,)
        return Distances(tuple(np.array(one).ravel() for one in of_sides))

    def strongest(self, schedule: Schedule, *, kept: Sequence[float]) -> Departures:
        """Return the move that takes the endangered side as far away as it gets.

        `kept` is how far every other side has to stay away at the least, where it does as is.
        """
        as_is = self.distances(schedule, ())
        floors = [np.full(one.shape, -np.inf) for one in as_is.of_sides[:1]]
        floors += [
            np.minimum(least, one) for least, one in zip(kept, as_is.of_sides[1:], strict=True)
        ]
        return self._solved("strongest", schedule, floors, start=())

    def smallest(
        self, schedule: Schedule, *, depth: float, kept: Sequence[float], strongest: Departures
    ) -> Departures:
        """Return the smallest move that stays `depth` away, or as far as the strongest does."""
        as_is = self.distances(schedule, ())
        reached = self.distances(schedule, strongest)
        floors = [np.minimum(depth, reached.endangered)]
        floors += [
            np.minimum(least, np.minimum(one, other))
            for least, one, other in zip(
                kept, as_is.of_sides[1:], reached.of_sides[1:], strict=True
            )
        ]
        return self._solved("smallest", schedule, floors, start=strongest)

    def _solved(
        self, which: str, schedule: Schedule, floors: Sequence[FloatArray], *, start: Departures
    ) -> Departures:
        resolution, steps = schedule.room.resolution, np.full(self._blocks, 1.0)
        low, high = (
            self._padded([setting * resolution for setting in side]) / self._scale
            for side in (schedule.lowest, schedule.highest)
        )
        solved = self._solvers[which](
            x0=self._padded(start) / self._scale,
            p=self._given(schedule),
            lbx=low,
            ubx=high,
            lbg=np.concatenate([*floors, -steps]),
            ubg=np.concatenate([*(np.full(one.shape, np.inf) for one in floors), steps]),
        )
        found = np.array(solved["x"]).ravel() * self._scale
        return tuple(float(one) for one in found[: len(schedule.blocks)])

    def _padded(self, departures: Sequence[float]) -> FloatArray:
        found = np.zeros(self._blocks)
        found[: len(departures)] = departures
        return found

    def _given(self, schedule: Schedule) -> FloatArray:
        spread = np.zeros((len(schedule.recipe), self._blocks))
        spread[:, : len(schedule.blocks)] = schedule.spread()
        weights = spread.sum(axis=0)
        return np.concatenate([spread.ravel(order="F"), np.array(schedule.recipe), weights])
