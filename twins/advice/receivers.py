"""Queue advice when an alert is raised."""

import logging

from kombu.exceptions import OperationalError as BrokerUnavailable

from twins.advice import tasks

log = logging.getLogger(__name__)


def on_alert(alert_id: int) -> None:
    """Queue the first advice on an alert."""
    try:
        tasks.propose.apply_async(kwargs={"alert_id": alert_id}, retry=False)
    except BrokerUnavailable as error:
        # The alert is stored; the sweep queues again what is missing.
        log.warning("advice on alert %s waits for the broker: %s", alert_id, error)
