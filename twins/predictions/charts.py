"""Draw what a finished prediction saw and foretold, for pages and reports."""

from compliance.refusals import Refused
from compliance.reports.drawing import Drawing
from twins.predictions import kinds, outputs
from twins.predictions.models import Prediction, PredictionState
from twins.predictions.said import WHOLE_BATCH


class NothingToDraw(Refused):
    """The prediction has not ended, failed, or says nothing of this tag."""

    code = "prediction-nothing-to-draw"
    status = 422


def tags(prediction: Prediction) -> list[str]:
    """Return what can be drawn of a finished prediction, the most telling first."""
    _demand_done(prediction)
    return kinds.of_prediction(prediction).drawable(outputs.document(prediction))


def forecast(prediction: Prediction, *, tag: str | None = None) -> Drawing:
    """Draw a tag, or without one what tells most; `batch` stands for the batch as a whole.

    Everything comes from the record of the prediction itself, so that the drawing shows what the
    twin saw. Raise `NothingToDraw`.
    """
    drawable = tags(prediction)
    wanted = drawable[0] if drawable and tag in (None, WHOLE_BATCH) else tag or ""
    if wanted not in drawable:
        raise NothingToDraw(f"prediction {prediction.pk} has nothing of {wanted or 'any tag'}")
    kind = kinds.of_prediction(prediction)
    return kind.drawing(prediction, outputs.document(prediction), wanted)


def _demand_done(prediction: Prediction) -> None:
    if prediction.state != PredictionState.DONE:
        raise NothingToDraw(
            f"prediction {prediction.pk} is {prediction.get_state_display().lower()}: "
            "it has no forecast to draw"
        )
