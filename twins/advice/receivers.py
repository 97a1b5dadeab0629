"""Queue advice when an alert is raised."""

from twins.advice import requests, tasks
from twins.predictions.asked import queueing


def on_alert(alert_id: int) -> None:
    """Queue the first advice on an alert."""
    queueing.on_alert(requests.ROOM, tasks.propose, alert_id)
