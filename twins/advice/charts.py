"""Draw both futures of a proposal with what came, and the feeds that lead to them."""

from collections.abc import Sequence
from typing import Any

from compliance.refusals import Refused
from compliance.reports import charts
from compliance.reports.charts import Band, Limit, Mark, Moment, Series
from compliance.reports.drawing import Drawing
from twins.advice import outputs, question_bytes
from twins.advice.models import GIVEN, Comparison, Proposal
from twins.models.advice.comparing import Foretold
from twins.models.advice.questions import AdviceRequest
from twins.models.requests import FeedStep, Measured

_GAP_H = 1.5
# How much of what was before is shown, for comparison.
_BEFORE_H = 48.0


class NoFuturesToDraw(Refused):
    """The proposal is not worked out, or its twin could foretell nothing."""

    code = "proposal-nothing-to-draw"
    status = 422


def futures(proposal: Proposal) -> Drawing:
    """Draw what is foretold with the move (filled) and as is (outline), and what was read before.

    Raise `NoFuturesToDraw`.
    """
    said, as_is, moved = _both(proposal)
    tag, start_h = said["tag"], as_is.interval.at_h[0]
    seen = _asked(proposal).forecast.measured(tag)
    side = said["sides"][0]
    marks = [Mark("as of", start_h)]
    if said["last_safe"]:
        marks.append(Mark("last safe moment", float(said["last_safe"]["at_h"])))
    return charts.time_series(
        _series(seen, after_h=start_h - _BEFORE_H),
        limits=[
            Limit("lower limit" if side["side"] == "low" else "upper limit", float(side["bound"]))
        ],
        title=f"{tag}, batch {proposal.alert.batch.number}",
        unit=side["unit"],
        marks=marks,
        band=_band(moved, "with the move") if moved else _band(as_is, "as is"),
        beside=_band(as_is, "as is") if moved else None,
        x_label="h since start",
    )


def feeds(proposal: Proposal) -> Drawing:
    """Draw the feed as is, the proposed one, and the one that was run once it is known."""
    _, as_is, moved = _both(proposal)
    start_h, end_h = as_is.interval.at_h[0], as_is.interval.at_h[-1]
    series = [Series("as is", _stairs(as_is.feed, end_h))]
    if moved:
        series.append(Series("proposed", _stairs(moved.feed, end_h)))
    comparison = Comparison.objects.filter(proposal=proposal).first()
    if comparison and comparison.done:
        done = [(float(at_h) - 0.5, float(rate)) for at_h, rate in comparison.done]
        series.append(Series("done", done, gap=_GAP_H))
    asked = _asked(proposal)
    return charts.time_series(
        series,
        limits=[
            Limit("registered, low", asked.range.low), Limit("registered, high", asked.range.high),
        ],
        title=f"Feed, batch {proposal.alert.batch.number}",
        unit="L/h",
        marks=[Mark("move starts", start_h + asked.delay_h)] if moved else [],
        x_label="h since start",
    )  # fmt: skip


def _both(proposal: Proposal) -> tuple[dict[str, Any], Foretold, Foretold | None]:
    if proposal.state not in GIVEN:
        raise NoFuturesToDraw(f"{proposal} is {proposal.get_state_display().lower()}")
    said = outputs.document(proposal)
    as_is = outputs.foretold(said, "as_is", tag=said["tag"])
    if as_is is None:
        raise NoFuturesToDraw(f"{proposal} foretells nothing: {'; '.join(said['reasons'])}")
    return said, as_is, outputs.foretold(said, "moved", tag=said["tag"])


def _asked(proposal: Proposal) -> AdviceRequest[Any]:
    return question_bytes.read(proposal.input.encode(), twin=proposal.prediction.model_version.name)


def _series(seen: Measured, *, after_h: float) -> list[Series]:
    found = []
    for name, of, gap in (("reading", seen.online, _GAP_H), ("laboratory", seen.laboratory, None)):
        points: list[tuple[Moment, float]] = [
            (at_h, value) for at_h, value in of if at_h >= after_h
        ]
        if points:
            found.append(Series(name, points, gap=gap))
    return found


def _band(future: Foretold, name: str) -> Band:
    path = future.interval
    return Band(list(zip(path.at_h, path.q05, path.q50, path.q95, strict=True)), name=name)


def _stairs(steps: Sequence[FeedStep], end_h: float) -> list[tuple[Moment, float]]:
    ends = [*(step.start_h for step in steps[1:]), end_h]
    corners: list[tuple[Moment, float]] = []
    for step, end in zip(steps, ends, strict=True):
        corners += [(step.start_h, step.rate_l_per_h), (end, step.rate_l_per_h)]
    return corners
