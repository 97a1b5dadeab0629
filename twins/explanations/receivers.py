"""Queue an explanation when an alert is raised that can be explained."""

from twins.explanations import offers, requests, tasks
from twins.predictions.asked import queueing


def on_alert(alert_id: int) -> None:
    """Queue the first explanation of an alert."""
    if offers.offered().filter(pk=alert_id).exists():
        queueing.on_alert(requests.ROOM, tasks.explain_alert, alert_id)
