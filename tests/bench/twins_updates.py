"""What one update of one running batch takes, without the database: estimate, forecast, advice."""

import statistics
import time
from collections.abc import Callable

from tests.bench.measuring import Row
from tests.twins.models.penicillin_fed_batch import made_batch
from twins.models import deviation_forecast, estimation, foretelling, futures
from twins.models.advice import advising
from twins.models.advice.answers import Advice
from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.models.penicillin_fed_batch import deviation_forecast as fermentation
from twins.models.penicillin_fed_batch import estimating
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.requests import ForecastRequest, Observation
from twins.plant import demo_recipe, process
from twins.plant.messages import LaboratoryResult, Reading

ROUNDS = 5
DAY_7_H = 168.0
# The feed pump fails at 120 h; 18 h later a limit is endangered, and a move is enough.
ENDANGERED_H = 138.0
FERMENTED_H = 54.0
ROOM = MoveRange(0.0, 0.9, 0.15, 0.01, 6, "the demonstration's recipe")


def rows() -> list[Row]:
    """Measure each step of an update, of a batch read every ten minutes (penicillin: every twelve)."""
    asked = request(as_of_h=DAY_7_H)
    endangered = AdviceRequest(
        request(as_of_h=ENDANGERED_H), "glucose_mmol_l", "low", target=0.1, delay_h=2, range=ROOM
    )
    fermented = made_batch.asked(
        made_batch.measured(), made_batch.plan(), as_of_h=FERMENTED_H, horizon_h=40.0
    )
    steps: dict[str, Callable[[], object]] = {
        "update_estimate": lambda: estimation.assimilate(asked),
        "update_whole_forecast": lambda: deviation_forecast.run(asked),
        "update_1000_futures": lambda: futures.run(asked, part=0, members=1000),
        "update_advice": lambda: _moved(advising.run(endangered)),
        "penicillin_estimate": lambda: _afresh(fermented),
        "penicillin_forecast": lambda: foretelling.run(fermentation, fermented),
    }
    return [_row(name, step) for name, step in steps.items()]


def _row(name: str, step: Callable[[], object]) -> Row:
    step()  # compiles
    costs = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        step()
        costs.append(1000.0 * (time.perf_counter() - before))
    return Row(name, statistics.median(costs), "ms", spread=(min(costs), max(costs)))


def _afresh(asked: FermentationRequest) -> None:
    estimating.forget()  # a worker goes on from what it keeps
    estimating.estimate(asked.arrays, seed=asked.seed)


def _moved(advice: Advice) -> None:
    if advice.outcome != "move":
        raise SystemExit(f"the advice is {advice.outcome}: no figure counts")


def request(*, as_of_h: float) -> ForecastRequest:
    """Return what is asked about a batch of the simulated plant, read every ten minutes."""
    seen = []
    for said in process.simulate(1, process.FAULTS["feed-pump-degraded"]):
        if isinstance(said, Reading):
            seen.append(Observation(said.tag, said.at_h, said.value, said.at_h))
        elif isinstance(said, LaboratoryResult):
            seen.append(Observation(said.tag, said.sampled_h, float(said.value), said.reported_h))
    visible = tuple(one for one in seen if one.reported_h <= as_of_h)
    return ForecastRequest(
        as_of_h=as_of_h, horizon_h=48.0, seed=7, initial=demo_recipe.RECIPE_INITIAL,
        feed=demo_recipe.RECIPE_FEED,
        feed_glucose_mmol_l=demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L,
        feed_glutamine_mmol_l=demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L,
        observations=visible, limits=demo_recipe.RECIPE_LIMITS,
    )  # fmt: skip
