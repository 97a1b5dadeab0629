"""Questions for advice about batches of the simulated plant."""

from collections.abc import Callable

import pytest

from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.models.requests import ForecastRequest, Observation

Observed = Callable[..., tuple[Observation, ...]]
Asked = Callable[..., ForecastRequest]
Question = Callable[..., AdviceRequest]

# The pump fails at 120 h; the twin is asked this many hours later.
AS_OF_H = 138.0
SEED = 201


@pytest.fixture(scope="session")
def question(asked: Asked, observed: Observed) -> Question:
    """Return a question about glucose that will be too low, unless it is told otherwise."""

    def of(
        *, fault: str | None = "feed-pump-degraded", as_of_h: float = AS_OF_H,
        horizon_h: float = 48.0, tag: str = "glucose_mmol_l", side: str = "low",
        target: float = 0.1, delay_h: int = 2, low: float = 0.0, high: float = 0.9,
        max_step: float = 0.15, resolution: float = 0.01, block_h: int = 6,
    ) -> AdviceRequest:  # fmt: skip
        return AdviceRequest(
            forecast=asked(observed(SEED, fault), as_of_h=as_of_h, horizon_h=horizon_h),
            tag=tag,
            side=side,  # type: ignore[arg-type]
            target=target,
            delay_h=delay_h,
            range=MoveRange(low, high, max_step, resolution, block_h, "a range for a test"),
        )

    return of
