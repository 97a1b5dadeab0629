"""Batches of the simulated plant as a twin sees them."""

from collections.abc import Callable
from functools import cache

import pytest

from twins.models.requests import ForecastRequest, Observation
from twins.plant import demo_recipe, process
from twins.plant.messages import LaboratoryResult, Reading

Observed = Callable[..., tuple[Observation, ...]]
Asked = Callable[..., ForecastRequest]


@cache
def _observed(batch_seed: int, fault: str | None) -> tuple[Observation, ...]:
    found = []
    for said in process.simulate(batch_seed, process.FAULTS[fault] if fault else None):
        if isinstance(said, Reading):
            found.append(Observation(said.tag, said.at_h, said.value, said.at_h))
        elif isinstance(said, LaboratoryResult):
            found.append(Observation(said.tag, said.sampled_h, float(said.value), said.reported_h))
    return tuple(found)


@pytest.fixture(scope="session")
def observed() -> Observed:
    """Return what a whole batch of the plant reports, by seed and fault."""

    def of(batch_seed: int, fault: str | None = None) -> tuple[Observation, ...]:
        return _observed(batch_seed, fault)

    return of


@pytest.fixture(scope="session")
def asked() -> Asked:
    """Return a request about a batch of the demonstration recipe."""

    def of(
        observations: tuple[Observation, ...], *, as_of_h: float, horizon_h: float = 48.0
    ) -> ForecastRequest:
        return ForecastRequest(
            as_of_h=as_of_h,
            horizon_h=horizon_h,
            seed=7,
            initial=demo_recipe.RECIPE_INITIAL,
            feed=demo_recipe.RECIPE_FEED,
            feed_glucose_mmol_l=demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L,
            feed_glutamine_mmol_l=demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L,
            observations=observations,
            limits=demo_recipe.RECIPE_LIMITS,
        )

    return of
