"""Draw the product of a batch with and without the deviation that an explanation accuses."""

from collections.abc import Mapping
from typing import Any

from compliance.refusals import Refused
from compliance.reports import charts
from compliance.reports.charts import Band, Mark, Series
from compliance.reports.drawing import Drawing
from twins.explanations import outputs
from twins.explanations.models import Explanation, ExplanationState


class NoProductToDraw(Refused):
    """The explanation says of no product what it would be without this hypothesis."""

    code = "explanation-nothing-to-draw"
    status = 422


def costed(explanation: Explanation) -> list[str]:
    """Return the names of the hypotheses whose product can be drawn, the likeliest first."""
    if explanation.state != ExplanationState.EXPLAINED:
        return []
    return [one["name"] for one in outputs.document(explanation)["impacts"] if "courses" in one]


def product(explanation: Explanation, name: str) -> Drawing:
    """Draw both courses from the fork on: with the deviation filled, without it in outline.

    Where the product counts later than the last sample, the filled one goes on, and a line is the one
    that ends. Raise `NoProductToDraw`.
    """
    if name not in costed(explanation):
        raise NoProductToDraw(f"{explanation} states no impact of {name}")
    said = outputs.document(explanation)
    (impact,) = [one for one in said["impacts"] if one["name"] == name]
    ends, *goes_on = impact["courses"]
    filled = goes_on[0] if goes_on else ends
    ended = [Series("if it ends now, median", _median(ends))] if goes_on else []
    return charts.time_series(
        ended,
        title=f"Product, batch {explanation.alert.batch.number}: {outputs.titles(said)[name]}",
        unit="kg",
        marks=[
            Mark("suspected onset", float(said["onset_h"])), Mark("as of", float(said["as_of_h"])),
        ],
        band=_band(filled, "with_kg", "with it, going on" if goes_on else "with it"),
        beside=_band(filled, "without_kg", "without it"),
        x_label="h since start",
    )  # fmt: skip


def _band(course: Mapping[str, Any], which: str, name: str) -> Band:
    points = []
    for one in course["path"]:
        low, middle, high = (float(each) for each in one[which])
        points.append((float(one["at_h"]), low, middle, high))
    return Band(points, name=name)


def _median(course: Mapping[str, Any]) -> list[tuple[float, float]]:
    return [(float(one["at_h"]), float(one["with_kg"][1])) for one in course["path"]]
