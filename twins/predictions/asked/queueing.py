"""Queue work that is asked of alerts: when one is raised, and what the sweep finds missing."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kombu.exceptions import OperationalError as BrokerUnavailable

from twins.predictions.asked.rooms import Room
from twins.predictions.models import Alert

log = logging.getLogger(__name__)
# One sweep queues at most so much.
CATCH_UP = 8
# What no worker took for so long is dropped: the next sweep asks again, and the queue stays short.
EXPIRES_S = 60
# Each takes seconds; after the first time a run is refused, after the second its process ends.
MOST_S, HARD_S = 240, 300


def on_alert(room: Room[Any], task: Any, alert_id: int) -> None:
    """Queue the first work on a new alert."""
    try:
        task.apply_async(kwargs={"alert_id": alert_id}, retry=False)
    except BrokerUnavailable as error:
        # The alert is stored; the sweep queues again what is missing.
        log.warning("the %s of alert %s waits for the broker: %s", room.name, alert_id, error)


def sweep(room: Room[Any], *, run: Any, begin: Any, without: Iterable[Alert], at: datetime) -> int:
    """Queue what was lost or left behind, and alerts without; end what kills its workers."""
    room.give_up(at=at)
    messages = [(run, {f"{room.name}_id": row.pk}) for row in room.left_behind(at=at)]
    messages += [(begin, {"alert_id": alert.pk}) for alert in without]
    for task, said in messages:
        task.apply_async(kwargs=said, expires=EXPIRES_S)
    return len(messages)
