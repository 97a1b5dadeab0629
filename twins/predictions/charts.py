"""Draw what was read and what is foretold of one tag, for pages and reports."""

from typing import Any

from compliance.refusals import Refused
from compliance.reports import charts
from compliance.reports.charts import Band, Limit, Mark, Series
from compliance.reports.drawing import Drawing
from twins.predictions import outputs, request_bytes
from twins.predictions.models import Prediction, PredictionState

# Longer without a value than this, and the line breaks.
_GAP_H = 1.0


class NothingToDraw(Refused):
    """The prediction has not ended, failed, or says nothing of this tag."""

    code = "prediction-nothing-to-draw"
    status = 422


def tags(prediction: Prediction) -> list[str]:
    """Return the tags of a finished prediction that can be drawn, the most endangered first."""
    _demand_done(prediction)
    limits = outputs.document(prediction)["limits"]
    endangered = sorted(limits, key=lambda one: -float(one["probability"] or 0.0))
    return list(dict.fromkeys(limit["tag"] for limit in endangered))


def forecast(prediction: Prediction, *, tag: str | None = None) -> Drawing:
    """Draw readings up to `as_of`, median and 5 to 95 % band after it, and the limits of a tag.

    Without a tag, the one most likely to cross a limit. Everything comes from the record of the
    prediction itself, so that the drawing shows what the twin saw. Raise `NothingToDraw`.
    """
    drawable = tags(prediction)
    wanted = tag or (drawable[0] if drawable else "")
    if wanted not in drawable:
        raise NothingToDraw(f"prediction {prediction.pk} has no limit of {wanted or 'any tag'}")
    document = outputs.document(prediction)
    limits = [one for one in document["limits"] if one["tag"] == wanted]
    request = request_bytes.read(prediction.input.encode())
    online = [(seen.at_h, seen.value) for seen in request.observations if seen.tag == wanted]
    analysed = [
        (seen.at_h, seen.value) for seen in request.observations if seen.tag == f"lab_{wanted}"
    ]
    series = [
        Series(name, sorted(points), gap=gap)
        for name, points, gap in (
            ("reading", online, _GAP_H),
            ("laboratory", analysed, None),
        )
        if points
    ]
    return charts.time_series(
        series,
        limits=[
            Limit("lower limit" if one["side"] == "low" else "upper limit", float(one["bound"]))
            for one in limits
        ],
        title=f"{wanted}, batch {prediction.batch.number}",
        unit=limits[0]["unit"],
        marks=[Mark("as of", request.as_of_h)],
        band=_band(document, wanted),
        x_label="h since start",
    )


def _band(document: dict[str, Any], tag: str) -> Band | None:
    for path in document["trajectories"]:
        if path["tag"] == tag:
            rows = zip(path["at_h"], path["q05"], path["q50"], path["q95"], strict=True)
            return Band(
                [(float(at), float(low), float(mid), float(high)) for at, low, mid, high in rows]
            )
    return None


def _demand_done(prediction: Prediction) -> None:
    if prediction.state != PredictionState.DONE:
        raise NothingToDraw(
            f"prediction {prediction.pk} is {prediction.get_state_display().lower()}: "
            "it has no forecast to draw"
        )
