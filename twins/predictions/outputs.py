"""Read stored forecasts, and put their numbers into words."""

import json
from decimal import Decimal
from typing import Any

from batches.quantities import unit_words
from twins.predictions.models import Alert, Prediction
from twins.predictions.said import UNLIKE


def document(prediction: Prediction) -> dict[str, Any]:
    """Return the forecast of a finished prediction; every number in it is a decimal string."""
    found: dict[str, Any] = json.loads(prediction.output)
    return found


def description(alert: Alert) -> str:
    """Say what an alert foresees, in sentences that a deviation can begin with."""
    if alert.side == UNLIKE:
        return _unlike(alert)
    prediction = alert.prediction
    side = alert.get_side_display().lower()
    twin, batch = prediction.model_version.name, alert.batch.number
    saw = "found" if is_past(alert) else "foresaw"
    when = "already" if is_past(alert) else f"within {prediction.horizon_h} h"
    said = [
        (
            f"The twin {twin} {saw} for batch {batch}, as of "
            f"{prediction.as_of:%Y-%m-%d %H:%M} UTC, {alert.tag} {side} its limit of {alert.limit} "
            f"{unit_words.shown(alert.unit)} {when} with probability {_rounded(alert.probability, 2)}."
        )
    ]
    if alert.lead_time_h and not is_past(alert):
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
    return " ".join([*said, *_where_from(alert)])


def is_past(alert: Alert) -> bool:
    """Tell whether the limit was crossed already at `as_of`, by the median of the ensemble."""
    return alert.lead_time_h != "" and float(alert.lead_time_h) <= 0.0


def foreseen(alert: Alert) -> str:
    """Say what an alert warns of, in one line."""
    if alert.side == UNLIKE:
        signals = "; ".join(name for name, _ in alert.contributions[:2])
        return f"Unlike normal batches: {signals}" if signals else "Unlike normal batches"
    limit = f"{float(alert.limit):g} {unit_words.shown(alert.unit)}"
    already = "already " if is_past(alert) else ""
    return f"{alert.tag} {already}{alert.get_side_display().lower()} {limit}"


def _unlike(alert: Alert) -> str:
    prediction = alert.prediction
    said = [
        f"The twin {prediction.model_version.name} found batch {alert.batch.number}, as of "
        f"{prediction.as_of:%Y-%m-%d %H:%M} UTC, unlike normal batches: a deviation is active with "
        f"probability {_rounded(alert.probability, 2)}, and one that costs at least 5 % of the "
        f"product has begun with probability {_rounded(alert.impact_probability, 2)}."
    ]
    if alert.contributions:
        named = ", ".join(
            f"{name} ({_rounded(share, 2)})" for name, share in alert.contributions[:3]
        )
        said.append(f"Largest contributions to the score, in units of its limit: {named}.")
    return " ".join([*said, *_where_from(alert)])


def _where_from(alert: Alert) -> list[str]:
    prediction = alert.prediction
    said = [f"Prediction {prediction.pk}, output digest {prediction.output_digest}."]
    if alert.is_trial:
        said.insert(0, "The version of the twin was not qualified: the alert is a trial of it.")
    return said


def _rounded(number: str, places: int) -> str:
    return f"{Decimal(number):.{places}f}"
