"""Lay batches of unequal length beside each other: by percent of a batch, or of each phase.

Every signal is interpolated between its samples at the same points of progress. What that takes
away, how long it took, comes back as a signal of its own, DURATION, the logarithm of the number of
samples of the batch or phase.
"""

from dataclasses import dataclass, replace

import numpy as np

from twins.models.process_monitoring.summing import Floats, Ints

DURATION = "duration"
MOST_UNKNOWN = 0.25
# So much shorter or longer than all of the reference, and a batch is of another process.
_SHORTER, _LONGER = 0.5, 2.0
_MOST_PHASES = 20
_LEAST_POINTS = 3


class CannotAlign(ValueError):
    """A batch cannot be laid beside the others; the text says why."""

    code = "process-batch-not-alignable"


@dataclass(frozen=True)
class Run:
    """One batch as it was recorded: samples in rows, signals in columns; phase and quality if told."""

    name: str
    values: Floats
    phase: Floats | None = None
    quality: float | None = None


@dataclass(frozen=True)
class Alignment:
    """The points of progress, and what a batch must have to be laid upon them.

    `phases` is empty when batches are aligned as a whole; `points_of` has the points of each phase.
    """

    signals: tuple[str, ...]
    phases: Floats
    points_of: Ints
    least_samples: int
    most_samples: int

    @property
    def points(self) -> int:
        """Return how many points of progress there are."""
        return int(self.points_of.sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the signals with the duration."""
        return (*self.signals, DURATION)


def alignment_of(signals: tuple[str, ...], runs: list[Run], *, points: int) -> Alignment:
    """Return the alignment of these batches; a phase gets points by its usual length.

    Raise `CannotAlign` when what is called a phase is none.
    """
    lengths = [len(one.values) for one in runs]
    told = [one.phase for one in runs if one.phase is not None]
    if not told:
        parts = np.array([points], dtype=np.int64)
        return Alignment(signals, np.zeros(0), parts, min(lengths), max(lengths))
    every = np.unique(np.concatenate(told))
    phases = every[np.isfinite(every)]
    if not 0 < len(phases) <= _MOST_PHASES:
        raise CannotAlign(f"a phase has 1 to {_MOST_PHASES} values, not {len(phases)}")
    usual = np.median([[np.sum(one == phase) for phase in phases] for one in told], axis=0)
    shares = np.maximum(usual, 1.0) / np.maximum(usual, 1.0).sum()
    parts = np.maximum(np.round(shares * points), _LEAST_POINTS).astype(np.int64)
    return Alignment(signals, phases, parts, min(lengths), max(lengths))


def limited(alignment: Alignment, runs: list[Run]) -> Alignment:
    """Return the alignment with the shortest and longest of these batches."""
    lengths = [len(one.values) for one in runs]
    return replace(alignment, least_samples=min(lengths), most_samples=max(lengths))


def aligned(run: Run, alignment: Alignment) -> Floats:
    """Return the batch at the points of progress, one row a point; raise `CannotAlign`."""
    low, high = _SHORTER * alignment.least_samples, _LONGER * alignment.most_samples
    if not low <= len(run.values) <= high:
        raise CannotAlign(
            f"{len(run.values)} samples; batches of the reference have {alignment.least_samples} "
            f"to {alignment.most_samples}"
        )
    parts = _stretches(run, alignment)
    return np.concatenate(
        [
            _interpolated(rows, points, alignment.signals)
            for rows, points in zip(parts, alignment.points_of.tolist(), strict=True)
        ]
    )


def _stretches(run: Run, alignment: Alignment) -> list[Floats]:
    """Return the samples of each phase."""
    if not len(alignment.phases):
        return [run.values]
    if run.phase is None or not np.isfinite(run.phase).all() or (np.diff(run.phase) < 0).any():
        raise CannotAlign("the phase is unknown or goes back")
    if other := sorted(set(run.phase.tolist()) - set(alignment.phases.tolist())):
        raise CannotAlign(f"the reference has no phase {other[0]:g}")
    found = [run.values[run.phase == phase] for phase in alignment.phases]
    for phase, rows in zip(alignment.phases.tolist(), found, strict=True):
        if len(rows) < 2:
            raise CannotAlign(f"phase {phase:g} has {len(rows)} samples, 2 are needed")
    return found


def _interpolated(rows: Floats, points: int, signals: tuple[str, ...]) -> Floats:
    at = (np.arange(points) + 0.5) / points * (len(rows) - 1)
    found = np.empty((points, len(signals) + 1))
    for place, name in enumerate(signals):
        told = np.isfinite(rows[:, place])
        if told.mean() < 1.0 - MOST_UNKNOWN:
            raise CannotAlign(
                f"{name} is unknown in {100.0 * (1.0 - told.mean()):.0f} % of samples"
            )
        found[:, place] = np.interp(at, np.flatnonzero(told), rows[told, place])
    found[:, -1] = np.log(len(rows))
    return found


def words(alignment: Alignment, first: int, last: int) -> str:
    """Return words for the points from `first` to `last`, both included."""
    low, high = 100.0 * first / alignment.points, 100.0 * (last + 1) / alignment.points
    text = f"from {low:.0f} to {high:.0f} % of the batch"
    if not len(alignment.phases):
        return text
    ends = np.cumsum(alignment.points_of)
    begins_in, ends_in = (int(np.searchsorted(ends, one, side="right")) for one in (first, last))
    names = [f"{phase:g}" for phase in alignment.phases.tolist()]
    if begins_in == ends_in:
        return f"{text} (phase {names[begins_in]})"
    return f"{text} (phases {names[begins_in]} to {names[ends_in]})"
