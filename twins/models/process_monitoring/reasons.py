"""Say in sentences which signals a statistic comes from, and when they were off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring import summing
from twins.models.process_monitoring.aligning import DURATION
from twins.models.process_monitoring.summing import Floats


@dataclass(frozen=True)
class Reason:
    """A signal's part of a statistic, with the stretch in which it was off the most.

    `share` is of the whole statistic; `found` and `usual` are means over the stretch.
    """

    statistic: str
    signal: str
    share: float
    first: int
    last: int
    is_higher: bool
    found: float
    usual: float
    when: str

    def __str__(self) -> str:
        if self.signal == DURATION:
            word = "longer" if self.is_higher else "shorter"
            values = f"{np.exp(self.found):.0f} samples against {np.exp(self.usual):.0f}"
        else:
            word = "higher" if self.is_higher else "lower"
            values = f"{self.found:.4g} against {self.usual:.4g}"
        return (
            f"{self.signal} {word} than normal {self.when} ({values}; "
            f"{100.0 * self.share:.0f} % of {self.statistic})"
        )


def of(
    statistic: str,
    parts: Floats,
    *,
    away: Floats,
    found: Floats,
    usual: Floats,
    names: tuple[str, ...],
    when: Callable[[int, int], str],
    count: int = 3,
) -> list[Reason]:
    """Return the signals that give the most to a statistic, the strongest first.

    `parts` has a row a moment and a column a signal; `away` says how far and to which side each was
    off. Signals that give less than a tenth of the strongest are left out.
    """
    by_signal = summing.total(parts.T)
    whole = float(summing.total(by_signal))
    order = np.argsort(-by_signal, kind="stable")[:count]
    strongest = float(by_signal[order[0]])
    told = []
    for place in order.tolist():
        if by_signal[place] <= 0.1 * strongest:
            break
        first, last, is_higher = _stretch(parts[:, place], away[:, place])
        part = slice(first, last + 1)
        told.append(
            Reason(
                statistic=statistic,
                signal=names[place],
                share=float(by_signal[place]) / whole,
                first=first,
                last=last,
                is_higher=is_higher,
                found=float(found[part, place].mean()),
                usual=float(usual[part, place].mean()),
                when=when(first, last),
            )
        )
    return told


def _stretch(parts: Floats, away: Floats) -> tuple[int, int, bool]:
    """Return the stretch on one side of normal that gives the most above the mean part.

    The contiguous stretch of largest sum (Kadane), once for each side; what lies on the other side
    counts against it.
    """
    usual = float(np.abs(parts).mean())
    best, found = -np.inf, (0, 0, True)
    for is_higher in (True, False):
        side = np.where((away > 0) == is_higher, 1.0, -1.0)
        running, start = 0.0, 0
        for at, value in enumerate((np.abs(parts) * side - usual).tolist()):
            if running <= 0.0:
                running, start = 0.0, at
            running += value
            if running > best:
                best, found = running, (start, at, is_higher)
    return found
