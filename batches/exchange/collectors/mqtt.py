"""Collect from an MQTT broker: plain JSON by a declared mapping, and Sparkplug B.

A message is acknowledged when the buffer has it on disk, not before: until then the broker has it,
also while the collector is away (QoS 1, persistent session).
"""

import logging
import queue
import time
from threading import Event
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from batches.exchange.collectors import buffer as buffers
from batches.exchange.collectors import json_topics
from batches.exchange.collectors import sparkplug as sparkplug_b
from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.configuration import Mqtt
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Aside, Taken
from batches.exchange.collectors.sparkplug import Follower

log = logging.getLogger(__name__)
_MOST_AT_ONCE = 500
_LOOK_S = 0.2
_REBIRTH_EVERY_S = 10.0
_QOS = 1


class BrokerRefused(Exception):
    """The broker does not let this collector in, or not read a topic."""


class Collector:
    """One connection to a broker; its messages are taken in by the thread that runs `run`."""

    def __init__(self, said: Mqtt, buffer: Buffer) -> None:
        self._said, self._buffer = said, buffer
        self._inbox: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
        self._topics = {one.topic: one for one in said.topics}
        self._qualities = Qualities()
        self._follower = Follower(said.metrics, _states(buffer, said))
        self._asked: dict[str, float] = {}
        self._refusal: str | None = None
        self._is_connected = Event()
        self._client = self._made()

    def run(self, stop: Event) -> None:
        """Take messages in until stopped; raise `BufferFull` or `BrokerRefused`."""
        self._client.connect_async(self._said.host, self._said.port, self._said.keepalive_s)
        self._client.loop_start()
        try:
            while not stop.is_set():
                if self._refusal is not None:
                    raise BrokerRefused(self._refusal)
                self._take_in(self._waiting())
                self._ask_for_births()
        finally:
            # The session stays with the broker: what comes meanwhile waits there.
            self._client.disconnect()
            self._client.loop_stop()

    def _made(self) -> paho.Client:
        said = self._said
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=said.client_id,
            clean_session=False,
            manual_ack=True,
        )
        if said.username is not None:
            client.username_pw_set(said.username, said.password)
        if said.ca is not None:
            client.tls_set(said.ca, said.certificate, said.private_key)
        client.reconnect_delay_set(min_delay=1, max_delay=60)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = lambda _client, _data, message: self._inbox.put(message)
        return client

    # --- Called by the thread of the connection

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            # A broker that is not available now (3) is tried again.
            if str(reason) != "Server unavailable":
                self._refusal = f"{self._said.host} refuses {self._said.client_id}: {reason}"
            return
        log.info("connected to %s", self._said.host)
        topics = [*self._topics, *self._follower.topics()]
        client.subscribe([(topic, _QOS) for topic in topics])
        self._is_connected.set()

    def _disconnected(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._is_connected.clear()
        if reason.is_failure:
            log.warning("the connection to %s broke: %s", self._said.host, reason)

    def _subscribed(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = f"{self._said.host} does not let {self._said.client_id} read a topic"

    # --- Called by the collector's own thread

    def _waiting(self) -> list[paho.MQTTMessage]:
        """Return the messages that are here, after waiting a little for the first one."""
        found: list[paho.MQTTMessage] = []
        try:
            found.append(self._inbox.get(timeout=_LOOK_S))
            while len(found) < _MOST_AT_ONCE:
                found.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return found

    def _take_in(self, messages: list[paho.MQTTMessage]) -> None:
        taken = Taken()
        for message in messages:
            taken.add(self._read(message))
        if messages:
            self._buffer.put(taken)
        for message in messages:
            self._client.ack(message.mid, message.qos)

    def _read(self, message: paho.MQTTMessage) -> Taken:
        at, data = buffers.now(), bytes(message.payload)
        if topic := self._topics.get(message.topic):
            return json_topics.take(topic, data, self._qualities, at=at)
        if self._follower.knows(message.topic):
            return self._follower.take(message.topic, data, at=at, is_repeat=message.dup)
        # The broker keeps subscriptions of an earlier configuration.
        text = f"{message.topic}: {data.hex()}"
        return Taken(aside=[Aside("topic-not-configured", text, at)])

    def _ask_for_births(self) -> None:
        """Ask each edge node whose aliases are not known for its births, not more than needed."""
        if not self._is_connected.is_set() or not self._inbox.empty():
            return
        now = time.monotonic()
        for node in self._follower.unborn():
            if now - self._asked.get(node, -_REBIRTH_EVERY_S) < _REBIRTH_EVERY_S:
                continue
            self._asked[node] = now
            topic, payload = sparkplug_b.rebirth(node, buffers.now())
            self._client.publish(topic, payload, qos=0)
            log.warning("asked %s for its births", node)


def collect(said: Mqtt, buffer: Buffer, stop: Event) -> None:
    """Collect until stopped."""
    Collector(said, buffer).run(stop)


def _states(buffer: Buffer, said: Mqtt) -> dict[str, str]:
    names = {f"sparkplug:{one.group}/{one.node}" for one in said.metrics}
    found = {name: buffer.state(name) for name in names}
    return {name: state for name, state in found.items() if state is not None}
