"""Read a collector's configuration file, and refuse what it does not understand."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from batches.exchange.collectors.samples import Target

MOST_POSTED = 50_000
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_TAG_LONGEST = 60
_MISSING = object()


class ConfigurationInvalid(Exception):
    """The file does not say what it must; the message names the member."""


@dataclass(frozen=True)
class Api:
    url: str
    token: str = field(repr=False)
    timeout_s: float = 30.0
    ca: str | None = None


@dataclass(frozen=True)
class Collector:
    """What every collector has in common."""

    source: str
    buffer: Path
    most_items: int
    post_at_most: int
    post_every_s: float
    is_numbered: bool = False  # the source is registered: its posts of readings are counted


@dataclass(frozen=True)
class Node:
    node: str
    target: Target
    sampling_ms: float
    queue_size: int


@dataclass(frozen=True)
class Security:
    """Basic256Sha256 with both certificates, or nothing at all, which the file has to say."""

    policy: str
    mode: str = "SignAndEncrypt"
    certificate: str = ""
    private_key: str = ""
    server_certificate: str = ""
    application_uri: str = ""


@dataclass(frozen=True)
class OpcUa:
    endpoint: str
    publishing_ms: float
    security: Security
    nodes: tuple[Node, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Topic:
    """A topic with JSON, and where in the JSON value, moment and quality are."""

    topic: str
    target: Target
    value: str
    at: str
    at_format: str
    quality: str | None
    good: tuple[str, ...]


@dataclass(frozen=True)
class Metric:
    group: str
    node: str
    device: str
    metric: str
    target: Target


@dataclass(frozen=True)
class Mqtt:
    host: str
    port: int
    client_id: str
    keepalive_s: int
    topics: tuple[Topic, ...]
    metrics: tuple[Metric, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    private_key: str | None = None


@dataclass(frozen=True)
class Configuration:
    collector: Collector
    api: Api
    opcua: OpcUa | None
    mqtt: Mqtt | None


def read(path: Path, *, environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return what the file says, or raise `ConfigurationInvalid`."""
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(f"{path}: {error}") from error
    top = _Table("", document, path.parent, environment)
    try:
        made = _configuration(top)
        top.finish()
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"{path}: {error}") from error
    return made


def _configuration(top: "_Table") -> Configuration:
    one = top.table("collector")
    source = one.text("source")
    if not _SOURCE.fullmatch(source):
        one.fail("source", "is 1 to 40 letters, digits, dots, dashes or underscores")
    collector = Collector(
        source=source,
        buffer=one.path("buffer"),
        most_items=one.whole("most_items", 1_000_000, least=10, most=100_000_000),
        post_at_most=one.whole("post_at_most", 5_000, least=1, most=MOST_POSTED),
        post_every_s=one.seconds("post_every_s", 1.0),
        is_numbered=one.yes_or_no("numbered"),
    )
    one.finish()
    api = _api(top.table("api"))
    plants = {code: top.table("equipment").text(code) for code in top.names("equipment")}
    opcua = _opcua(top.table("opcua"), plants) if top.has("opcua") else None
    mqtt = _mqtt(top.table("mqtt"), plants) if top.has("mqtt") else None
    return Configuration(collector, api, opcua, mqtt)


def _api(table: "_Table") -> Api:
    url = table.text("url")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        table.fail("url", "is https://host, without a user")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        table.fail("url", "has to be https:// beyond this machine: the token would be readable")
    token = table.secret("token")
    if token is None:
        raise ConfigurationInvalid("api.token_file or api.token_env is missing")
    made = Api(url, token, table.seconds("timeout_s", 30.0), table.file("ca"))
    table.finish()
    return made


def _opcua(table: "_Table", plants: Mapping[str, str]) -> OpcUa:
    endpoint = table.text("endpoint")
    if urlsplit(endpoint).scheme != "opc.tcp":
        table.fail("endpoint", "begins with opc.tcp://")
    username, password = _login(table)
    nodes = []
    for one in table.tables("node"):
        nodes.append(
            Node(
                node=one.text("node"),
                target=_target(one, plants),
                sampling_ms=one.seconds("sampling_ms", 1_000.0),
                queue_size=one.whole("queue_size", 10, least=1, most=100_000),
            )
        )
        one.finish()
    if len({one.node for one in nodes}) != len(nodes):
        table.fail("node", "names a node twice")
    made = OpcUa(
        endpoint=endpoint,
        publishing_ms=table.seconds("publishing_ms", 500.0),
        security=_security(table.table("security")),
        nodes=tuple(nodes),
        username=username,
        password=password,
    )
    table.finish()
    return made


def _security(table: "_Table") -> Security:
    policy = table.choice("policy", ("None", "Basic256Sha256"))
    if policy == "None":
        made = Security(policy)
    else:
        made = Security(
            policy=policy,
            mode=table.choice("mode", ("Sign", "SignAndEncrypt"), "SignAndEncrypt"),
            certificate=table.needed_file("certificate"),
            private_key=table.needed_file("private_key"),
            # Without it, whoever answers first would be trusted.
            server_certificate=table.needed_file("server_certificate"),
            application_uri=table.text("application_uri"),
        )
    table.finish()
    return made


def _mqtt(table: "_Table", plants: Mapping[str, str]) -> Mqtt:
    username, password = _login(table)
    topics, metrics = [], []
    for one in table.tables("topic", needed=False):
        if set("+#") & set(one.text("topic")):
            one.fail("topic", "is one topic, without + or #")
        topics.append(_topic(one, plants))
        one.finish()
    for one in table.tables("metric", needed=False):
        metrics.append(
            Metric(
                group=_level(one, "group"),
                node=_level(one, "node"),
                device=_level(one, "device", ""),
                metric=one.text("metric"),
                target=_target(one, plants),
            )
        )
        one.finish()
    if not topics and not metrics:
        table.fail("topic", "or metric has to be there at least once")
    named = [one.topic for one in topics]
    named += [f"{one.group}/{one.node}/{one.device}:{one.metric}" for one in metrics]
    if len(set(named)) != len(named):
        table.fail("topic", "or metric is there twice")
    made = Mqtt(
        host=table.text("host"),
        port=table.whole("port", 8883, least=1, most=65_535),
        client_id=table.text("client_id"),
        keepalive_s=table.whole("keepalive_s", 30, least=5, most=600),
        topics=tuple(topics),
        metrics=tuple(metrics),
        username=username,
        password=password,
        ca=table.file("ca"),
        certificate=table.file("certificate"),
        private_key=table.file("private_key"),
    )
    if password is not None and made.ca is None and made.host not in ("localhost", "127.0.0.1"):
        table.fail("ca", "has to be there: the password would be readable on the way")
    table.finish()
    return made


def _topic(table: "_Table", plants: Mapping[str, str]) -> Topic:
    quality = table.text("quality", "") or None
    good = table.words("good") if quality else ()
    if quality and not good:
        table.fail("good", "names the qualities that are good")
    return Topic(
        topic=table.text("topic"),
        target=_target(table, plants),
        value=table.pointer("value"),
        at=table.pointer("at"),
        at_format=table.choice("at_format", ("iso", "s", "ms"), "iso"),
        quality=quality,
        good=good,
    )


def _level(table: "_Table", name: str, default: Any = _MISSING) -> str:
    text = table.text(name, default)
    if set("+#/") & set(text):
        table.fail(name, "has no +, # or /")
    return text


def _login(table: "_Table") -> tuple[str | None, str | None]:
    username = table.text("username", "") or None
    password = table.secret("password")
    if (username is None) != (password is None):
        table.fail("username", "and password_file (or password_env) go together")
    return username, password


def _target(table: "_Table", plants: Mapping[str, str]) -> Target:
    batch, equipment = table.text("batch", ""), table.text("equipment", "")
    if bool(batch) == bool(equipment):
        table.fail("batch", "or equipment: one of them, not both")
    if equipment:
        if equipment not in plants:
            table.fail("equipment", f"is {equipment}, which [equipment] gives no batch")
        batch = plants[equipment]
    tag, unit = table.text("tag"), table.text("unit", "")
    if len(tag) > _TAG_LONGEST or len(unit) > _TAG_LONGEST:
        table.fail("tag", f"and unit have at most {_TAG_LONGEST} characters")
    return Target(batch, tag, unit)


class _Table:
    """One table of the file: each member is asked for once, and what nobody asked for is refused."""

    def __init__(
        self, name: str, said: Mapping[str, Any], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._name, self._said, self._folder = name, said, folder
        self._environment = environment
        self._asked: set[str] = set()

    def fail(self, name: str, why: str) -> Any:
        raise ConfigurationInvalid(f"{self._full(name)} {why}")

    def finish(self) -> None:
        if unknown := sorted(set(self._said) - self._asked):
            for name in unknown:
                if name in ("token", "password"):
                    self.fail(
                        name, f"does not belong into this file: use {name}_file or {name}_env"
                    )
            self.fail(unknown[0], "is not known")

    def has(self, name: str) -> bool:
        return name in self._said

    def names(self, name: str) -> list[str]:
        return list(self.table(name)._said) if self.has(name) else []

    def table(self, name: str) -> "_Table":
        return self._under(name, self._get(name, dict, "a table"))

    def tables(self, name: str, *, needed: bool = True) -> list["_Table"]:
        found = self._get(name, list, "a list of tables", _MISSING if needed else [])
        if needed and not found:
            self.fail(name, "is empty")
        if not all(isinstance(one, dict) for one in found):
            self.fail(name, "is a list of tables")
        return [self._under(f"{name}[{number}]", one) for number, one in enumerate(found)]

    def text(self, name: str, default: Any = _MISSING) -> str:
        found: str = self._get(name, str, "a text", default)
        if (not found and default is _MISSING) or any(ord(one) < 32 for one in found):
            self.fail(name, "is empty or has a control character")
        return found

    def words(self, name: str) -> tuple[str, ...]:
        found = self._get(name, list, "a list", [])
        if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in found):
            self.fail(name, "is a list of texts or whole numbers")
        return tuple(str(one) for one in found)

    def choice(self, name: str, choices: tuple[str, ...], default: Any = _MISSING) -> str:
        found = self.text(name, default)
        if found not in choices:
            self.fail(name, f"is one of {', '.join(choices)}")
        return found

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        found: int = self._get(name, int, "a whole number", default)
        if not least <= found <= most:
            self.fail(name, f"is from {least} to {most}")
        return found

    def yes_or_no(self, name: str) -> bool:
        return bool(self._get(name, bool, "true or false", False))

    def seconds(self, name: str, default: float) -> float:
        found = self._get(name, (int, float), "a number", default)
        if not 0 < found <= 3_600_000:
            self.fail(name, "is more than 0 and not more than 3600000")
        return float(found)

    def pointer(self, name: str) -> str:
        found = self.text(name, _MISSING if name == "at" else "")
        if found and not found.startswith("/"):
            self.fail(name, "is a JSON pointer such as /value")
        return found

    def path(self, name: str) -> Path:
        return self._folder / self.text(name)

    def file(self, name: str) -> str | None:
        if not self.has(name):
            return None
        return self.needed_file(name)

    def needed_file(self, name: str) -> str:
        path = self.path(name)
        if not path.is_file():
            self.fail(name, f"is {path}, which is no file")
        return str(path)

    def secret(self, name: str) -> str | None:
        """Return what is in the file or variable that is named; a secret is never in this file."""
        by_file, by_variable = f"{name}_file", f"{name}_env"
        if self.has(by_file) and self.has(by_variable):
            self.fail(by_file, f"or {by_variable}: one of them")
        if self.has(by_file):
            path = self.path(by_file)
            found = self._read_secret(by_file, path)
        elif self.has(by_variable):
            found = self._environment.get(self.text(by_variable), "").strip()
        else:
            return None
        if not found or not found.isprintable():
            self.fail(by_file if self.has(by_file) else by_variable, "leads to an empty secret")
        return found

    def _read_secret(self, name: str, path: Path) -> str:
        try:
            mode = path.stat().st_mode
            found = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationInvalid(f"{self._full(name)}: {error}") from error
        if mode & 0o077:
            self.fail(name, f"is {path}, which others may read: chmod 600")
        return found

    def _get(self, name: str, kind: Any, called: str, default: Any = _MISSING) -> Any:
        self._asked.add(name)
        found = self._said.get(name, default)
        if found is _MISSING:
            self.fail(name, "is missing")
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self.fail(name, f"is {called}")
        return found

    def _under(self, name: str, said: Mapping[str, Any]) -> "_Table":
        return _Table(self._full(name), said, self._folder, self._environment)

    def _full(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name
