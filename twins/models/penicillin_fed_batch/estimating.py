"""Estimate a running batch, going on from the last estimate: the bits are those of starting again."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from twins.models import integrate
from twins.models.penicillin_fed_batch import replaying
from twins.models.penicillin_fed_batch.explaining import MOST_STEPS
from twins.models.penicillin_fed_batch.replaying import Estimate, FloatArray

# Estimates that a process keeps, of whole batches about 20 MB each.
KEPT = 4
_last: OrderedDict[tuple[int, int], Estimate] = OrderedDict()
_lock = Lock()


def estimate(batch: Mapping[str, FloatArray], *, seed: int) -> Estimate:
    """Return the estimate, with steps as fine as the tolerance asks; raise `IntegrationInaccurate`.

    Only samples in front of which every bit was the same are taken over from an earlier estimate.
    """
    steps = 1
    found = _estimate(batch, seed, steps)
    while found.error > replaying.TOLERANCE and steps < MOST_STEPS:
        steps *= 2
        found = _estimate(batch, seed, steps)
    integrate.require(found.error, tolerance=replaying.TOLERANCE)
    return found


def forget() -> None:
    """Forget what was estimated before."""
    with _lock:
        _last.clear()


def _estimate(batch: Mapping[str, FloatArray], seed: int, steps: int) -> Estimate:
    key = (seed, steps)
    with _lock:
        before = _last.get(key)
    found = replaying.of_arrays(batch, seed=seed, steps=steps, before=before)
    with _lock:
        _last[key] = found
        _last.move_to_end(key)
        while len(_last) > KEPT:
            _last.popitem(last=False)
    return found
