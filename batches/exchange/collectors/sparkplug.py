"""Follow the edge nodes of Sparkplug B: births, aliases, sequence numbers and deaths."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from batches.exchange.collectors import samples, sparkplug_payload
from batches.exchange.collectors.configuration import Metric
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Aside, Note, Sample, Taken

NAMESPACE = "spBv1.0"
_OF_NODE = ("NBIRTH", "NDATA", "NDEATH")
_OF_DEVICE = ("DBIRTH", "DDATA", "DDEATH")
REBIRTH = "Node Control/Rebirth"
# How far back a message may be that the broker delivers again: as many as may be under way.
_REPEATED = 100
_SEQUENCES = 256
_FLOAT, _BOOLEAN = 9, 11
# Signed whole numbers travel in unsigned fields (6.4.16).
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, _FLOAT, 10})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GOOD = 192


@dataclass
class EdgeNode:
    """What is known of one edge node; kept in the buffer, beside what was taken from it."""

    seq: int | None = None  # of the last message; without one, its birth is not known
    birth: int | None = None  # bdSeq of the birth certificate
    is_gapped: bool = False  # a number was missed: aliases may have changed meanwhile
    aliases: dict[str, list[str]] = field(default_factory=dict)  # alias -> device, metric
    types: dict[str, int] = field(default_factory=dict)  # "device\nmetric" -> data type
    dead_since: str = ""
    historical: dict[str, Any] = field(default_factory=dict)  # count, first, last

    @property
    def is_trusted(self) -> bool:
        return self.seq is not None and not self.is_gapped


class Follower:
    """Turns the messages of the configured edge nodes into samples and notes."""

    def __init__(self, metrics: Iterable[Metric], states: dict[str, str]) -> None:
        self._metrics = {(f"{m.group}/{m.node}", m.device, m.metric): m.target for m in metrics}
        self.nodes = sorted({node for node, _, _ in self._metrics})
        self._known = {
            node: EdgeNode(**json.loads(states[_state(node)])) if _state(node) in states
            else EdgeNode() for node in self.nodes
        }  # fmt: skip
        self._qualities = Qualities()

    def topics(self) -> list[str]:
        """Return what to subscribe to: everything the edge nodes and their devices say."""
        found = []
        for node in self.nodes:
            group, name = node.split("/")
            for kind in _OF_NODE:
                found.append(f"{NAMESPACE}/{group}/{kind}/{name}")
            for kind in _OF_DEVICE:
                found.append(f"{NAMESPACE}/{group}/{kind}/{name}/+")
        return found

    def unborn(self) -> list[str]:
        """Return the edge nodes whose birth has to be asked for."""
        return [node for node, known in self._known.items() if not known.is_trusted]

    def knows(self, topic: str) -> bool:
        """Tell whether a topic is one of those of a configured edge node."""
        parts = topic.split("/")
        has_device = len(parts) == 5 and parts[2] in _OF_DEVICE
        return (
            parts[0] == NAMESPACE
            and (has_device or (len(parts) == 4 and parts[2] in _OF_NODE))
            and f"{parts[1]}/{parts[3]}" in self._known
        )

    def take(self, topic: str, data: bytes, *, at: datetime, is_repeat: bool = False) -> Taken:
        """Return what a message says; afterwards `unborn` names whom to ask for a new birth."""
        parts = topic.split("/")
        node = f"{parts[1]}/{parts[3]}"
        kind, device = parts[2], parts[4] if len(parts) > 4 else ""
        known = self._known[node]
        taken = Taken()
        try:
            payload = sparkplug_payload.read(data)
        except sparkplug_payload.PayloadInvalid as error:
            known.is_gapped = True
            taken.aside.append(Aside("payload-invalid", f"{topic}: {data.hex()} ({error})", at))
        else:
            if kind == "NDEATH":
                self._die(node, payload, taken, at)
            elif kind == "NBIRTH":
                self._bear(node, payload, taken, at)
                self._values(node, device, payload, taken, at, is_born=True)
            else:
                self._follow(node, payload, taken, at, is_repeat=is_repeat)
                if kind == "DBIRTH":
                    self._learn(known, device, payload)
                if kind == "DDEATH":
                    taken.notes += self._of_all(
                        node, "gap", at, f"device {device} of {node} is offline", device
                    )
                else:
                    self._values(node, device, payload, taken, at, is_born=kind == "DBIRTH")
        taken.states[_state(node)] = json.dumps(asdict(known))
        return taken

    # --- Births and deaths

    def _bear(self, node: str, payload: Any, taken: Taken, at: datetime) -> None:
        known = self._known[node]
        if known.dead_since:
            taken.notes += self._of_all(
                node, "gap", at, f"{node} was offline from {known.dead_since} and is born again"
            )
        known.aliases, known.types = {}, {}
        known.seq, known.is_gapped, known.dead_since = payload.seq % _SEQUENCES, False, ""
        known.birth = next(
            (int(m.long_value or m.int_value) for m in payload.metrics if m.name == "bdSeq"), None
        )
        self._learn(known, "", payload)

    @staticmethod
    def _learn(known: EdgeNode, device: str, payload: Any) -> None:
        for metric in payload.metrics:
            known.types[f"{device}\n{metric.name}"] = metric.datatype
            if metric.HasField("alias"):
                known.aliases[str(metric.alias)] = [device, metric.name]

    def _die(self, node: str, payload: Any, taken: Taken, at: datetime) -> None:
        """End a session; a late death of an earlier session says nothing of this one (6.4.21)."""
        known = self._known[node]
        of = next((int(m.long_value or m.int_value) for m in payload.metrics), None)
        if known.birth is not None and of is not None and of != known.birth:
            return
        if known.dead_since:
            return
        known.seq, known.dead_since = None, samples.moment(at)
        taken.notes += self._of_all(node, "gap", at, f"{node} is offline: its session ended")

    def _follow(
        self, node: str, payload: Any, taken: Taken, at: datetime, *, is_repeat: bool
    ) -> None:
        """Compare the sequence number with the one that has to come (6.4.6)."""
        known = self._known[node]
        if known.seq is None:
            return
        seq = payload.seq % _SEQUENCES
        if is_repeat and (known.seq - seq) % _SEQUENCES < _REPEATED:
            return
        expected = (known.seq + 1) % _SEQUENCES
        if seq != expected and not known.is_gapped:
            known.is_gapped = True
            taken.notes += self._of_all(
                node, "gap", at,
                f"messages of {node} are missing: number {seq} came, {expected} was next",
            )  # fmt: skip
        known.seq = seq

    # --- Values

    def _values(
        self, node: str, device: str, payload: Any, taken: Taken, at: datetime, *, is_born: bool
    ) -> None:
        known = self._known[node]
        for metric in payload.metrics:
            named = self._named(known, device, metric, is_born=is_born)
            if named is None:
                text = f"{node}/{device}: {_text(metric, payload)}"
                taken.aside.append(Aside("alias-not-trusted", text, at))
                continue
            target = self._metrics.get((node, *named))
            if target is None:
                continue
            when = _moment(metric, payload)
            kind = metric.datatype or known.types.get("\n".join(named), 0)
            problem, value = _value(metric, kind)
            if when is None:
                problem, when = problem or "no time of the source", at
            taken.notes += self._qualities.changed(target, problem, at=when)
            if problem:
                continue
            sample = Sample(target, when, value, metric.is_historical)
            taken.samples.append(sample)
            taken.notes += self._historical(node, sample)

    @staticmethod
    def _named(
        known: EdgeNode, device: str, metric: Any, *, is_born: bool
    ) -> tuple[str, str] | None:
        """Return device and name of a metric, or nothing when its alias could mean another."""
        if metric.name:
            return device, metric.name
        found = known.aliases.get(str(metric.alias))
        if found is None or not (known.is_trusted or is_born):
            return None
        return found[0], found[1]

    def _historical(self, node: str, sample: Sample) -> list[Note]:
        """Note where a stretch of historical values ended: how many there were, and of when."""
        stretch = self._known[node].historical
        when = samples.moment(sample.at)
        key = f"{sample.target.batch}\n{sample.target.tag}"
        if sample.is_historical:
            begun = stretch.setdefault(key, {"count": 0, "first": when, "last": when})
            begun["count"] += 1
            begun["first"], begun["last"] = min(begun["first"], when), max(begun["last"], when)
            return []
        ended = stretch.pop(key, None)
        if ended is None:
            return []
        text = (
            f"{ended['count']} values of {sample.target.tag} from {ended['first']} to "
            f"{ended['last']} were sent as historical, from the store of {node}"
        )
        return [Note("historical", sample.target.batch, sample.at, text, sample.target.tag)]

    def _of_all(
        self, node: str, kind: str, at: datetime, text: str, device: str | None = None
    ) -> list[Note]:
        batches = {
            target.batch
            for (of, on, _), target in self._metrics.items()
            if of == node and (device is None or on == device)
        }
        return [Note(kind, batch, at, text) for batch in sorted(batches)]


def rebirth(node: str, at: datetime) -> tuple[str, bytes]:
    """Return topic and payload of the command that asks an edge node for its births."""
    group, name = node.split("/")
    payload = sparkplug_payload.Payload(timestamp=_ms(at))
    payload.metrics.add(name=REBIRTH, timestamp=_ms(at), datatype=_BOOLEAN, boolean_value=True)
    return f"{NAMESPACE}/{group}/NCMD/{name}", payload.SerializeToString()


def _value(metric: Any, kind: int) -> tuple[str, str]:
    """Return what is wrong with a value, and its digits."""
    quality = _quality(metric)
    if quality is not None and quality != _GOOD:
        return f"quality {quality}", ""
    member = metric.WhichOneof("value")
    if metric.is_null or member is None:
        return "null", ""
    if kind not in _NUMBERS:
        return f"data type {kind}, which is no number", ""
    found = getattr(metric, member)
    if kind in _SIGNED and isinstance(found, int):
        bits = _SIGNED[kind]
        # Some edge nodes fill the field with the sign, others send the type's own bits only.
        found &= (1 << bits) - 1
        found -= (found >> (bits - 1)) << bits
    try:
        return "", samples.number(found, is_single=member == "float_value")
    except samples.NoNumber as error:
        return str(error), ""


def _quality(metric: Any) -> int | None:
    if not metric.HasField("properties"):
        return None
    of = dict(zip(metric.properties.keys, metric.properties.values, strict=False))
    found = of.get("Quality")
    return None if found is None else int(found.int_value or found.long_value)


def _moment(metric: Any, payload: Any) -> datetime | None:
    ms = metric.timestamp or payload.timestamp
    try:
        return _EPOCH + timedelta(milliseconds=ms) if ms else None
    except OverflowError:
        return None


def _text(metric: Any, payload: Any) -> str:
    member = metric.WhichOneof("value")
    found = getattr(metric, member) if member else None
    when = metric.timestamp or payload.timestamp
    return f"alias {metric.alias}, {member} {found!r}, timestamp {when}, seq {payload.seq}"


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _state(node: str) -> str:
    return f"sparkplug:{node}"
