"""Queue an explanation when an alert is raised that can be explained."""

import logging

from kombu.exceptions import OperationalError as BrokerUnavailable

from twins.explanations import offers, tasks

log = logging.getLogger(__name__)


def on_alert(alert_id: int) -> None:
    """Queue the first explanation of an alert."""
    if not offers.offered().filter(pk=alert_id).exists():
        return
    try:
        tasks.explain_alert.apply_async(kwargs={"alert_id": alert_id}, retry=False)
    except BrokerUnavailable as error:
        # The alert is stored; the sweep queues again what is missing.
        log.warning("the explanation of alert %s waits for the broker: %s", alert_id, error)
