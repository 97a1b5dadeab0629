"""The commanded feed between two moments: as it was read, otherwise as the recipe says."""

from collections.abc import Mapping, Sequence

from twins.models.requests import FeedStep


def mean_rate(profile: Sequence[FeedStep], *, start_h: float, end_h: float) -> float:
    """Return the mean rate of a piecewise constant profile, so that the mass fed is exact."""
    volume_l = 0.0
    for step, end_of_step in zip(profile, [*(s.start_h for s in profile[1:]), end_h], strict=False):
        overlap_h = min(end_h, end_of_step) - max(start_h, step.start_h)
        if overlap_h > 0.0:
            volume_l += overlap_h * step.rate_l_per_h
    return volume_l / (end_h - start_h)


def commanded(
    profile: Sequence[FeedStep], read: Mapping[float, float], *, start_h: float, end_h: float
) -> float:
    """Return the rate that was read in the interval that ends at `end_h`, else the recipe's."""
    seen = read.get(end_h)
    if seen is not None:
        return max(seen, 0.0)
    return mean_rate(profile, start_h=start_h, end_h=end_h)
