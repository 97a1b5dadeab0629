"""Collect from an OPC UA server: subscribed nodes, with the server's own times and status codes."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.subscription import DataChangeNotif, OverflowPolicy
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import (
    BadNodeIdInvalid,
    BadNodeIdUnknown,
    UaError,
    UaStatusCodeError,
)

from batches.exchange.collectors import buffer as buffers
from batches.exchange.collectors import samples
from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.configuration import Node, OpcUa
from batches.exchange.collectors.delivery import Pause
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Note, Sample, Taken

log = logging.getLogger(__name__)
_STATE = "opcua:collected"
_FLUSH_S = 0.05
_LOOK_EVERY = 20  # flushes: how often the connection is looked at
# Part 4, 7.39.1: the info bits of a data value, and overflow among them.
_DATA_VALUE, _OVERFLOW = 0x0400, 0x0080
_SINGLE = ua.VariantType.Float


class ServerRefused(Exception):
    """The server does not know a configured node, or refuses this collector."""


class Interrupted(Exception):
    """The connection, or the subscription, is no more."""


class Collector:
    """Subscribes again after each interruption, and notes each as a gap."""

    def __init__(self, said: OpcUa, buffer: Buffer) -> None:
        self._said, self._buffer = said, buffer
        self._nodes = {one.node: one for one in said.nodes}
        self._qualities = Qualities()
        self._pending = Taken()
        self._lost: str | None = None
        self._has_subscribed = False
        self._gap_since = buffer.state(_STATE)

    async def run(self, stop: Event) -> None:
        """Collect until stopped; raise `BufferFull` or `ServerRefused`."""
        pause = Pause()
        while not stop.is_set():
            try:
                await self._session(stop, pause)
            except (TimeoutError, OSError, UaError, Interrupted) as error:
                self._flush()
                if self._gap_since is None:
                    self._gap_since = samples.moment(buffers.now())
                wait_s = pause.next_s(None)
                log.warning(
                    "%s: %s: %s; again in %.1f s", self._said.endpoint, type(error).__name__,
                    error, wait_s,
                )  # fmt: skip
                await _wait(stop, wait_s)

    async def _session(self, stop: Event, pause: Pause) -> None:
        client = await self._client()
        async with client:
            self._lost = None
            subscription = await client.create_subscription(
                self._said.publishing_ms,
                _Handler(self),
                # More than that waiting means this collector is too slow: a new session, a gap
                # that is noted, and nothing dropped in silence.
                queue_maxsize=100_000,
                overflow=OverflowPolicy.DISCONNECT,
            )
            await self._subscribe(client, subscription)
            self._has_subscribed = True
            self._note_gap()
            pause.reset()
            log.info("subscribed to %d nodes of %s", len(self._nodes), self._said.endpoint)
            flushes = 0
            while not stop.is_set():
                await asyncio.sleep(_FLUSH_S)
                self._flush()
                flushes += 1
                if self._lost is not None:
                    raise Interrupted(self._lost)
                if flushes % _LOOK_EVERY == 0:
                    await client.check_connection()
            await subscription.delete()
            # What came until the subscription was gone.
            await asyncio.sleep(_FLUSH_S)
            self._flush()

    async def _client(self) -> Client:
        said = self._said
        client = Client(said.endpoint, timeout=10)
        if said.username is not None:
            client.set_user(said.username)
            client.set_password(said.password or "")
        security = said.security
        if security.policy != "None":
            client.application_uri = security.application_uri
            await client.set_security(
                SecurityPolicyBasic256Sha256,
                certificate=security.certificate,
                private_key=security.private_key,
                server_certificate=security.server_certificate,
                mode=ua.MessageSecurityMode[security.mode],
            )
        return client

    async def _subscribe(self, client: Client, subscription: Any) -> None:
        for one in self._said.nodes:
            try:
                await subscription.subscribe_data_change(
                    client.get_node(one.node),
                    queuesize=one.queue_size,
                    sampling_interval=one.sampling_ms,
                )
            except UaStatusCodeError as error:
                is_unknown = isinstance(error, BadNodeIdUnknown | BadNodeIdInvalid)
                # One that was there before may come again, after the server's own start.
                if is_unknown and not self._has_subscribed:
                    raise ServerRefused(f"{self._said.endpoint} has no node {one.node}") from error
                raise

    # --- What the server says

    def lose(self, why: str) -> None:
        self._lost = why

    def notified(self, name: str, data: ua.DataValue) -> None:
        self._pending.add(read(self._nodes[name], data, self._qualities, at=buffers.now()))

    def _note_gap(self) -> None:
        if self._gap_since is None:
            return
        now = buffers.now()
        for batch in sorted({one.target.batch for one in self._said.nodes}):
            text = (
                f"{self._said.endpoint} was not collected from {self._gap_since} "
                f"to {samples.moment(now)}"
            )
            self._pending.notes.append(Note("gap", batch, now, text))
        self._gap_since = None

    def _flush(self) -> None:
        taken, self._pending = self._pending, Taken()
        if taken.samples or taken.notes or taken.aside:
            taken.states[_STATE] = samples.moment(buffers.now())
            self._buffer.put(taken)


class _Handler:
    """Hands on what the library calls it with."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._names: dict[Any, str] = {
            ua.NodeId.from_string(name): name for name in collector._nodes
        }

    def datachange_notification(self, node: Any, val: Any, data: DataChangeNotif) -> None:
        self._collector.notified(self._names[node.nodeid], data.monitored_item.Value)

    def status_change_notification(self, status: ua.StatusChangeNotification) -> None:
        self._collector.lose(f"the subscription ended: {status.Status}")


def read(node: Node, data: ua.DataValue, qualities: Qualities, *, at: datetime) -> Taken:
    """Return the sample of a notification, or what is wrong with it."""
    taken = Taken()
    target = node.target
    status = data.StatusCode or ua.StatusCode(ua.UInt32(0))
    stamped = data.SourceTimestamp
    when = at if stamped is None else _aware(stamped)
    problem, value = "", ""
    if not status.is_good():
        problem = f"{status.name} (0x{status.value:08X})"
    elif stamped is None:
        problem = "no time of the source"
    else:
        variant = data.Value
        try:
            value = samples.number(
                None if variant is None else variant.Value,
                is_single=variant is not None and variant.VariantType == _SINGLE,
            )
        except samples.NoNumber as error:
            problem = str(error)
    if status.value & _DATA_VALUE and status.value & _OVERFLOW:
        text = f"the server's queue for {target.tag} ran over: values before this are missing"
        taken.notes.append(Note("gap", target.batch, when, text, target.tag))
    taken.notes += qualities.changed(target, problem, at=when)
    if not problem:
        taken.samples.append(Sample(target, when, value))
    return taken


def collect(said: OpcUa, buffer: Buffer, stop: Event) -> None:
    """Collect until stopped."""
    with _quiet():
        asyncio.run(Collector(said, buffer).run(stop))


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


async def _wait(stop: Event, seconds: float) -> None:
    while seconds > 0 and not stop.is_set():
        await asyncio.sleep(min(0.2, seconds))
        seconds -= 0.2


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's own account of each lost connection out of the log: ours says it once."""
    logger = logging.getLogger("asyncua")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
