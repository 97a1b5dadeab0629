"""A configuration is understood whole, or refused with the name of the member."""

from pathlib import Path

import pytest

from batches.exchange.collectors import configuration
from batches.exchange.collectors.configuration import ConfigurationInvalid
from batches.exchange.collectors.samples import Target

HEAD = """
[collector]
source = "gw-1"
buffer = "gw.sqlite3"
[api]
url = "https://gmp.example"
token_env = "TOKEN"
[equipment]
"BR-101" = "B-1"
"""
OPCUA = """
[opcua]
endpoint = "opc.tcp://plc:4840/"
[opcua.security]
policy = "None"
[[opcua.node]]
node = "ns=2;s=T"
tag = "temperature_c"
unit = "Cel"
equipment = "BR-101"
"""
MQTT = """
[mqtt]
host = "broker"
client_id = "gw-1"
[[mqtt.topic]]
topic = "plant/t"
value = "/v"
at = "/at"
tag = "temperature_c"
unit = "Cel"
batch = "B-2"
"""


def _read(
    folder: Path, text: str, environment: dict[str, str] | None = None
) -> configuration.Configuration:
    path = folder / "gw.toml"
    path.write_text(text)
    return configuration.read(
        path, environment={"TOKEN": "secret"} if environment is None else environment
    )


def test_a_node_belongs_to_the_batch_of_its_equipment(tmp_path: Path) -> None:
    found = _read(tmp_path, HEAD + OPCUA)

    assert found.opcua is not None
    assert found.opcua.nodes[0].target == Target("B-1", "temperature_c", "Cel")
    assert found.api.token == "secret"
    assert found.collector.buffer == tmp_path / "gw.sqlite3"


def test_a_topic_may_name_its_batch(tmp_path: Path) -> None:
    found = _read(tmp_path, HEAD + MQTT)

    assert found.mqtt is not None
    assert found.mqtt.topics[0].target.batch == "B-2"
    assert found.mqtt.port == 8883


def test_a_secret_shows_nowhere(tmp_path: Path) -> None:
    assert "TOPSECRET" not in repr(_read(tmp_path, HEAD + MQTT, {"TOKEN": "TOPSECRET"}))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('source = "gw-1"', "", "collector.source is missing"),
        ('source = "gw-1"', 'source = "gw 1"', "collector.source is 1 to 40"),
        ('source = "gw-1"', "source = 7", "collector.source is a text"),
        ('source = "gw-1"', 'source = "gw-1"\nmost_items = true', "most_items is a whole number"),
        ('source = "gw-1"', 'source = "gw-1"\npost_at_most = 50001', "post_at_most is from 1"),
        ('source = "gw-1"', 'source = "gw-1"\ncolour = "red"', "collector.colour is not known"),
        ("https://gmp.example", "http://gmp.example", "has to be https"),
        ("https://gmp.example", "https://me@gmp.example", "without a user"),
        ('token_env = "TOKEN"', 'token = "abc"', "api.token_file or api.token_env is missing"),
        ('token_env = "TOKEN"', 'token_env = "TOKEN"\ntoken = "abc"', "api.token does not belong"),
        ('token_env = "TOKEN"', 'token_env = "OTHER"', "api.token_env leads to an empty secret"),
        ('token_env = "TOKEN"', 'token_file = "none"', "api.token_file"),
        ('endpoint = "opc.tcp:', 'endpoint = "http:', "opcua.endpoint begins with opc.tcp"),
        ('policy = "None"', "", "opcua.security.policy is missing"),
        ('policy = "None"', 'policy = "Basic128"', "is one of None, Basic256Sha256"),
        ('policy = "None"', 'policy = "Basic256Sha256"', "opcua.security.certificate is missing"),
        ('equipment = "BR-101"', "", "opcua.node[0].batch or equipment: one of them"),
        ('equipment = "BR-101"', 'equipment = "BR-9"', "which [equipment] gives no batch"),
        ('equipment = "BR-101"', 'equipment = "BR-101"\nbatch = "B"', "one of them, not both"),
        ('equipment = "BR-101"', 'equipment = "BR-101"\nqueue_size = 0', "queue_size is from 1"),
        ("[opcua]", "[opcua", "gw.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, said: str) -> None:
    text = HEAD + OPCUA
    assert before in text

    with pytest.raises(ConfigurationInvalid) as refused:
        _read(tmp_path, text.replace(before, after, 1))

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('topic = "plant/t"', 'topic = "plant/#"', "mqtt.topic[0].topic is one topic"),
        ('value = "/v"', 'value = "v"', "is a JSON pointer"),
        ('at = "/at"', "", "mqtt.topic[0].at is missing"),
        ('at = "/at"', 'at = "/at"\nquality = "/q"', "good names the qualities"),
        ('host = "broker"', 'host = "broker"\nusername = "u"', "go together"),
        (
            'host = "broker"',
            'host = "broker"\nusername = "u"\npassword_env = "TOKEN"',
            "mqtt.ca has to be there",
        ),
    ],
)
def test_what_is_wrong_with_a_broker_is_named(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        _read(tmp_path, (HEAD + MQTT).replace(before, after, 1))

    assert said in str(refused.value)


def test_a_node_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    node = OPCUA[OPCUA.index("[[opcua.node]]") :]

    with pytest.raises(ConfigurationInvalid, match="names a node twice"):
        _read(tmp_path, HEAD + OPCUA + node)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o644)
    text = (HEAD + OPCUA).replace('token_env = "TOKEN"', 'token_file = "token"')

    with pytest.raises(ConfigurationInvalid, match="chmod 600"):
        _read(tmp_path, text)
    (tmp_path / "token").chmod(0o600)

    assert _read(tmp_path, text).api.token == "secret"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="No such file"):
        configuration.read(tmp_path / "none.toml")
