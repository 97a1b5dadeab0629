"""Name the acts of predictions."""

from enum import StrEnum


class Action(StrEnum):
    PREDICTION_CLAIMED = "predictions.prediction-claimed"
    PREDICTION_FINISHED = "predictions.prediction-finished"
    PREDICTION_FAILED = "predictions.prediction-failed"
    ALERT_RAISED = "predictions.alert-raised"
    ALERT_ACCEPTED = "predictions.alert-accepted"
    ALERT_REJECTED = "predictions.alert-rejected"
