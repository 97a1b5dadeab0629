"""What speaks for a deviation that is active now, and for one that costs product."""

import numpy as np

from twins.models.batch_monitoring import combination, windows
from twins.models.batch_monitoring.channels import CHANNELS
from twins.models.batch_monitoring.samples import Floats

_FAST = ("next-1", "next-3", "recipe", "noise", "recipe-strict")
_ANSWER = ("driven12", "driven48", "laboratory", "laboratory-slow", "usual")
_LOST = ("recipe Fs", "recipe Fg", "recipe pressure", "recipe-slow Fs", "recipe-slow Fg")
_MOST = 3.0


def features(time_h: Floats, rare: Floats, whole: Floats, limit: float) -> Floats:
    """Return the features of both probabilities, one row a step; the last is the constant."""
    now = np.minimum(combination.steady(whole) / limit, _MOST)
    before = np.maximum.accumulate(now)
    recent = windows.smoothed(now[:, None], over_h=6.0)[:, 0]
    fast = _group(rare, _FAST, limit)
    answer = _group(rare, _ANSWER, limit)
    lost = _named(rare, _LOST, limit)
    return np.column_stack(
        [
            now,
            np.maximum(now - 1.0, 0.0),
            (now > 1.0).astype(np.float64),
            before,
            (before > 1.0).astype(np.float64),
            np.minimum(recent, 2.0),
            np.minimum(fast, 2.0),
            np.minimum(answer, 2.0),
            np.minimum(lost, 2.0),
            np.minimum(time_h, 250.0) / 250.0,
            (time_h < 30.0).astype(np.float64),
            np.ones(len(now)),
        ]
    )


def _group(rare: Floats, kinds: tuple[str, ...], limit: float) -> Floats:
    at = [place for place, one in enumerate(CHANNELS) if one.kind in kinds]
    return combination.steady(rare[:, at].max(axis=1)) / limit


def _named(rare: Floats, names: tuple[str, ...], limit: float) -> Floats:
    at = [place for place, one in enumerate(CHANNELS) if one.name in names]
    return combination.steady(rare[:, at].max(axis=1)) / limit
