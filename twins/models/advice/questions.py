"""What advice is asked with: a batch as it was visible, an endangered limit, and the room to move."""

import math
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from twins.models.requests import Request, RequestInvalid

Asked_co = TypeVar("Asked_co", bound=Request, covariant=True)


@dataclass(frozen=True)
class MoveRange:
    """Where the feed rate may be moved to, in L/h, and by which words the recipe registers it.

    The departure from the feed as is (`levers`) is constant over blocks of `block_h` hours and changes
    by at most `max_step` from one block to the next; pumps are set in multiples of `resolution`.
    """

    low: float
    high: float
    max_step: float
    resolution: float
    block_h: int
    source: str


@dataclass(frozen=True)
class AdviceRequest(Generic[Asked_co]):
    """Everything that advice depends on.

    A move begins `delay_h` after `as_of_h`: a person has to read and decide before it. It is
    enough when the probability of a crossing within the horizon is at most `target`.
    """

    forecast: Asked_co
    tag: str
    side: Literal["low", "high"]
    target: float
    delay_h: int
    range: MoveRange


def require_room(request: AdviceRequest[Request]) -> None:
    """Raise `RequestInvalid` for a room to move that contradicts itself."""
    room = request.range
    if not all(map(math.isfinite, (room.low, room.high, room.max_step, room.resolution))):
        raise RequestInvalid("a number of the range is not finite")
    if not 0.0 <= room.low < room.high:
        raise RequestInvalid("the registered range of the feed is empty or negative")
    if not 0.0 < room.resolution <= room.max_step:
        raise RequestInvalid("the largest step is smaller than what the pump can be set to")
    if room.block_h < 1 or not 0 <= request.delay_h < request.forecast.horizon_h:
        raise RequestInvalid("blocks last an hour or more, and a move begins within the horizon")
    if not 0.0 < request.target < 1.0:
        raise RequestInvalid("the target is a probability between 0 and 1")
