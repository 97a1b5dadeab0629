"""Stack the names of events above a plot so that none touches another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

GAP = 4.0


@dataclass(frozen=True)
class Flag:
    """Place an event's name: its line stands at x, its text begins at left, in a lane from 0."""

    x: float
    left: float
    lane: int
    text: str


def stacked(
    events: Sequence[tuple[float, str]],
    *,
    measure: Callable[[str], float],
    left: float,
    right: float,
) -> list[Flag]:
    """Give each event, in order of x, the lowest lane in which its name is free."""
    spans: list[tuple[float, float, int]] = []
    flags: list[Flag] = []
    # From the right: a name then stands above the lines of all events that it passes over.
    for x, text in reversed(events):
        long = measure(text)
        begin = max(min(x + 2, right - long), left)
        end = begin + long + GAP
        under = [lane for start, stop, lane in spans if start < end and begin < stop]
        lane = max(under, default=-1) + 1
        spans.append((min(x, begin), end, lane))
        flags.append(Flag(x, begin, lane, text))
    return flags[::-1]
