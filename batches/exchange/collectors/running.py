"""Run a collector: one thread collects into the buffer, one empties it through the API."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from batches.exchange.collectors import buffer as buffers
from batches.exchange.collectors import delivery
from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.configuration import Configuration
from batches.exchange.collectors.delivery import Delivery

log = logging.getLogger(__name__)
Collect = Callable[[Buffer, Event], None]
_LOOK_EVERY_S = 0.5


class DeliveryBroken(Exception):
    """The thread that sends has failed: nothing would leave the buffer any more."""


def run(configuration: Configuration, collect: Collect, stop: Event) -> None:
    """Collect and deliver until stopped; raise `BufferFull` when nothing more fits.

    A buffer that was left nearly full is emptied first: a supervisor may start this again and again.
    """
    said = configuration.collector
    with buffers.owned(said.buffer):
        buffers.check(said.buffer)
        broken: list[BaseException] = []
        buffer = _opened(configuration)
        over = Event()
        sender = Thread(
            target=_deliver, args=(configuration, over, stop, broken), name="delivery", daemon=True
        )
        sender.start()
        try:
            if buffer.is_nearly_full():
                log.error("ALARM: %s is nearly full: nothing is collected until it is emptier",
                          said.buffer)  # fmt: skip
            while buffer.is_nearly_full() and not stop.is_set():
                stop.wait(_LOOK_EVERY_S)
            if not stop.is_set():
                collect(buffer, stop)
        finally:
            over.set()
            # Longer than one post may take; what is left is sent after the next start.
            sender.join(timeout=configuration.api.timeout_s + 5)
            buffer.close()
        if broken:
            raise DeliveryBroken(f"stopped: {broken[0]}") from broken[0]


def _opened(configuration: Configuration) -> Buffer:
    said = configuration.collector
    return Buffer(
        said.buffer, source=said.source, most=said.most_items, is_numbered=said.is_numbered
    )


def _deliver(
    configuration: Configuration, over: Event, stop: Event, broken: list[BaseException]
) -> None:
    api, said = configuration.api, configuration.collector
    try:
        buffer = _opened(configuration)
        with delivery.client(api.url, api.token, timeout_s=api.timeout_s, ca=api.ca) as client:
            Delivery(buffer, client, post_at_most=said.post_at_most).run(
                over, every_s=said.post_every_s
            )
        buffer.close()
    except BaseException as error:
        # Whatever it was, the collector must not go on without it: it ends with this error.
        broken.append(error)
        stop.set()
