"""Draw how entries spread over time, as bars that need no script and no style of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compliance.trail.periods import Part

WIDTH, HEIGHT, FOOT = 960, 96, 18


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its place, and what it says to who points at it or reads the table."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart and its words."""

    bars: Sequence[Bar]
    first: str
    last: str
    step: str
    most: int
    total: int
    width: int = WIDTH
    height: int = HEIGHT
    foot: int = HEIGHT + FOOT

    @property
    def summary(self) -> str:
        """What somebody hears who does not see the chart."""
        return (
            f"{self.total:,} entries from {self.first} to {self.last}, "
            f"by {self.step}; at most {self.most:,}."
        )

    @property
    def filled(self) -> list[Bar]:
        """The bars that stand for an entry at all."""
        return [bar for bar in self.bars if bar.count]


def draw(parts: Sequence[Part]) -> Chart | None:
    """Return the chart of a period, or None for nothing."""
    if not any(part.count for part in parts):
        return None
    most = max(part.count for part in parts)
    room = WIDTH / len(parts)
    step = parts[0].end - parts[0].start
    bars = []
    for number, part in enumerate(parts):
        # An entry among millions is still to be seen.
        height = max(HEIGHT * part.count / most, 2.0) if part.count else 0.0
        bars.append(
            Bar(
                x=round(number * room + room * 0.1, 2),
                y=round(HEIGHT - height, 2),
                width=round(room * 0.8, 2),
                height=round(height, 2),
                label=_moment(part.start, step),
                count=part.count,
            )
        )
    return Chart(
        bars=bars,
        first=_moment(parts[0].start, step),
        last=_moment(parts[-1].end, step),
        step=_length(step),
        most=most,
        total=sum(part.count for part in parts),
    )


def _moment(at: datetime, step: timedelta) -> str:
    form = "%Y-%m-%d" if step >= timedelta(days=1) else "%Y-%m-%d %H:%M"
    return at.astimezone(UTC).strftime(form)


def _length(step: timedelta) -> str:
    for unit, name in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if step >= unit:
            count = step // unit
            return name if count == 1 else f"{count} {name}s"
    return "minute"
