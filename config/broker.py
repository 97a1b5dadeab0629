"""Ask the broker how many messages wait in each queue, for no longer than a moment."""

import logging
import threading
from typing import Any

from amqp.exceptions import ChannelError
from kombu import Connection
from kombu.exceptions import OperationalError

from config import queues
from config.celery import app

log = logging.getLogger(__name__)

WITHIN_S = 2.0
UNKNOWN = "unknown: broker not reachable"
_STEP_S = 1.0  # to connect, and to answer
_NOT_FOUND = "NOT_FOUND"  # so do both transports of Kombu begin it (AMQP 0-9-1, code 404)
_turn = threading.Lock()


def depths(*, within_s: float = WITHIN_S) -> dict[str, int] | None:
    """Return how many messages wait in each queue, None when the broker does not say in time.

    A message that a worker has taken does not wait. Names may take long to resolve, so a thread
    asks; while it hangs, no other one is begun, and whoever comes then waits as long.
    """
    found: dict[str, int] = {}
    if not _turn.acquire(timeout=within_s):
        return None
    asking = threading.Thread(target=_ask, args=(found,), name="broker", daemon=True)
    asking.start()
    asking.join(within_s)
    answered = dict(found)
    return answered if set(answered) == set(queues.ALL) else None


def _ask(found: dict[str, int]) -> None:
    options = dict.fromkeys(
        ("socket_timeout", "socket_connect_timeout", "read_timeout", "write_timeout"), _STEP_S
    )
    connection = app.connection_for_read(connect_timeout=_STEP_S, transport_options=options)
    failures: tuple[type[BaseException], ...] = (
        OSError, OperationalError, ChannelError, *connection.connection_errors,
    )  # fmt: skip
    try:
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            for name in queues.ALL:
                found[name] = _waiting(connection, name)
    except failures as error:
        log.warning("the broker does not say how many messages wait: %s", error)
    finally:
        _turn.release()


def _waiting(connection: Connection, name: str) -> int:
    # A channel each: RabbitMQ closes the one that asked for a queue which no worker has made yet.
    # On Redis an empty queue is none.
    try:
        channel: Any = connection.channel()
        with channel:
            return int(channel.queue_declare(queue=name, passive=True).message_count)
    except ChannelError as error:
        if _NOT_FOUND not in str(error):
            raise
        return 0
