"""Choose round ticks for numbers and for moments, and write them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
STEPS_S = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR * count for count in (1, 2, 3, 6, 12)),
    *(DAY * count for count in (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825, 3650)),
)


@dataclass(frozen=True)
class Tick:
    """Pair a position on an axis with its text."""

    value: float
    text: str


def spread(values: Sequence[float], *, padding: float = 0.06) -> tuple[float, float]:
    """Give a range around all values, never empty."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = (high - low) * padding or abs(high) * padding or 1.0
    return low - room, high + room


def numbers(low: float, high: float, *, about: int = 5) -> list[Tick]:
    """Give ticks at multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999_999)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    counts = range(first, last + 1)
    if decimals > 4 or max(abs(low), abs(high)) >= 1e7:
        digits = max(0, math.floor(math.log10(max(abs(low), abs(high)) / step)))
        return [Tick(count * step, _scientific(count * step, digits)) for count in counts]
    return [Tick(count * step, _plain(count * step, decimals)) for count in counts]


def _plain(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace(",", "\u00a0").replace("-", "−")


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits + 1}e}".split("e")
    short = mantissa.rstrip("0").rstrip(".")
    return f"{short}e{int(exponent)}".replace("-", "−")


def moments(low: float, high: float, *, about: int = 6) -> list[Tick]:
    """Give ticks at round UTC moments between two POSIX times."""
    step = next((step for step in STEPS_S if (high - low) / step <= about), STEPS_S[-1])
    first, last = math.ceil(low / step), math.floor(high / step)
    ticks: list[Tick] = []
    shown = ""
    for count in range(first, last + 1):
        at = datetime.fromtimestamp(count * step, tz=UTC)
        day, clock = at.strftime("%Y-%m-%d"), at.strftime("%H:%M:%S" if step < MINUTE else "%H:%M")
        ticks.append(
            Tick(count * step, day if step >= DAY else clock if day == shown else f"{day} {clock}")
        )
        shown = day
    return ticks
