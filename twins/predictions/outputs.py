"""Read stored forecasts, and put their numbers into words."""

import json
from decimal import Decimal
from typing import Any

from twins.predictions.models import Alert, Prediction


def document(prediction: Prediction) -> dict[str, Any]:
    """Return the forecast of a finished prediction; every number in it is a decimal string."""
    found: dict[str, Any] = json.loads(prediction.output)
    return found


def probability(prediction: Prediction, *, tag: str, side: str) -> float:
    """Return the probability that was given for one side of a limit; 0 where there is none."""
    for limit in document(prediction)["limits"]:
        if (limit["tag"], limit["side"]) == (tag, side) and limit["probability"] is not None:
            return float(limit["probability"])
    return 0.0


def text(number: float | None) -> str:
    """Return the digits by which a number of a forecast is stored; empty where there is none."""
    return "" if number is None else repr(float(number))


def description(alert: Alert) -> str:
    """Say what an alert foresees, in sentences that a deviation can begin with."""
    prediction = alert.prediction
    side = alert.get_side_display().lower()
    twin, batch = prediction.model_version.name, alert.batch.number
    said = [
        (
            f"The twin {twin} foresaw for batch {batch}, as of "
            f"{prediction.as_of:%Y-%m-%d %H:%M} UTC, {alert.tag} {side} its limit of {alert.limit} "
            f"{alert.unit} within {prediction.horizon_h} h with probability "
            f"{_rounded(alert.probability, 2)}."
        )
    ]
    if alert.lead_time_h:
        said.append(
            f"Time to the limit: {_rounded(alert.lead_time_h, 1)} h (median; 10 to 90 % of the "
            f"ensemble {_rounded(alert.lead_time_low_h, 1)} to "
            f"{_rounded(alert.lead_time_high_h, 1)} h)."
        )
    if alert.contributions:
        named = ", ".join(
            f"{variable} ({_rounded(share, 2)})" for variable, share in alert.contributions[:3]
        )
        said.append(f"Largest contributions to the log-odds: {named}.")
    if alert.is_trial:
        said.append("The version of the twin was not qualified: the alert is a trial of it.")
    said.append(f"Prediction {prediction.pk}, output digest {prediction.output_digest}.")
    return " ".join(said)


def _rounded(number: str, places: int) -> str:
    return f"{Decimal(number):.{places}f}"
