"""Thin out long series for drawing without losing an extreme."""

import math
from collections.abc import Sequence

from compliance.reports.drawing import Point


def segments(points: Sequence[Point], *, gap: float | None = None) -> list[list[Point]]:
    """Split points, in order of x, where a value is no finite number or x leaps over the gap."""
    found: list[list[Point]] = [[]]
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            found.append([])
            continue
        if gap is not None and found[-1] and x - found[-1][-1][0] > gap:
            found.append([])
        found[-1].append((x, y))
    return [segment for segment in found if segment]


def min_max(points: Sequence[Point], *, buckets: int) -> list[Point]:
    """Keep first, lowest, highest and last point of each of so many equal stretches of x."""
    if buckets < 1:
        raise ValueError("at least one bucket is needed")
    if len(points) <= 4 * buckets or points[0][0] == points[-1][0]:
        return list(points)
    start, stretch = points[0][0], (points[-1][0] - points[0][0]) / buckets
    kept: list[Point] = []
    begin = 0
    for bucket in range(buckets):
        end = begin
        limit = start + stretch * (bucket + 1)
        while end < len(points) and (points[end][0] < limit or bucket == buckets - 1):
            end += 1
        if end > begin:
            inside = range(begin, end)
            low = min(inside, key=lambda index: points[index][1])
            high = max(inside, key=lambda index: points[index][1])
            kept.extend(points[index] for index in sorted({begin, low, high, end - 1}))
        begin = end
    return kept
