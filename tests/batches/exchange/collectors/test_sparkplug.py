"""Births, aliases, sequence numbers and deaths of edge nodes, as the specification has them."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from batches.exchange.collectors import sparkplug, sparkplug_payload
from batches.exchange.collectors.configuration import Metric
from batches.exchange.collectors.samples import Taken, Target
from batches.exchange.collectors.sparkplug import Follower
from tests.batches.exchange.collectors.peers import BOOLEAN, DOUBLE, INT16, NOON, EdgeNode

TEMPERATURE = Target("B-1", "temperature_c", "Cel")
LEVEL = Target("B-1", "level", "mm")
METRICS = (Metric("G", "N", "", "T", TEMPERATURE), Metric("G", "N", "D", "L", LEVEL))
T = {"name": "T", "alias": 1, "datatype": DOUBLE, "double_value": 36.5}
L = {"name": "L", "alias": 2, "datatype": INT16, "int_value": 5}


class Plant:
    """An edge node and who follows it, which may forget all but what the buffer keeps."""

    def __init__(self) -> None:
        self.edge = EdgeNode()
        self.states: dict[str, str] = {}
        self.restart()

    def restart(self) -> None:
        self.follower = Follower(METRICS, self.states)

    def take(self, kind: str, data: bytes, *, device: str = "", is_repeat: bool = False) -> Taken:
        topic = "/".join(filter(None, ("spBv1.0", "G", kind, "N", device)))
        taken = self.follower.take(topic, data, at=NOON, is_repeat=is_repeat)
        self.states |= taken.states
        return taken

    def bear(self) -> Taken:
        born = self.take("NBIRTH", self.edge.born(T))
        born.add(self.take("DBIRTH", self.edge.said(L), device="D"))
        return born


@pytest.fixture
def plant() -> Plant:
    return Plant()


def _values(taken: Taken) -> list[tuple[str, str]]:
    return [(one.target.tag, one.value) for one in taken.samples]


def test_births_have_values_too(plant: Plant) -> None:
    assert _values(plant.bear()) == [("temperature_c", "36.5"), ("level", "5")]
    assert plant.follower.unborn() == []


def test_later_values_come_by_alias_with_the_time_of_the_source(plant: Plant) -> None:
    plant.bear()

    taken = plant.take("DDATA", plant.edge.said({"alias": 2, "int_value": 7, "seconds": 9}),
                       device="D")  # fmt: skip

    assert _values(taken) == [("level", "7")]
    assert taken.samples[0].at == NOON + timedelta(seconds=9)


def test_before_a_birth_an_alias_is_put_aside_and_the_birth_asked_for(plant: Plant) -> None:
    plant.edge.born(T)

    taken = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 1}))

    assert taken.samples == []
    assert [one.code for one in taken.aside] == ["alias-not-trusted"]
    assert "alias 1, double_value 1.0" in taken.aside[0].text
    assert plant.follower.unborn() == ["G/N"]


def test_after_a_missed_number_aliases_are_not_trusted_until_the_next_birth(plant: Plant) -> None:
    plant.bear()
    plant.edge.said()

    taken = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 1}))
    named = plant.take("NDATA", plant.edge.said({"name": "T", "double_value": 2}))

    assert [note.kind for note in taken.notes] == ["gap"]
    assert "number 3 came, 2 was next" in taken.notes[0].text
    assert (taken.samples, len(taken.aside)) == ([], 1)
    assert (_values(named), named.notes) == ([("temperature_c", "2.0")], [])
    assert plant.follower.unborn() == ["G/N"]
    plant.bear()
    assert plant.follower.unborn() == []


def test_the_number_after_255_is_0(plant: Plant) -> None:
    plant.bear()

    notes = [
        note
        for number in range(600)
        for note in plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": number})).notes
    ]

    assert notes == []


def test_a_message_that_the_broker_delivers_again_is_no_gap(plant: Plant) -> None:
    plant.bear()
    messages = [plant.edge.said({"alias": 1, "double_value": n, "seconds": n}) for n in range(3)]
    first = [plant.take("NDATA", message).samples for message in messages]
    plant.restart()

    again = [plant.take("NDATA", message, is_repeat=True) for message in messages]
    following = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 9}))

    assert [one.samples for one in again] == first
    assert [one.notes for one in [*again, following]] == [[]] * 4


def test_births_are_known_after_a_restart(plant: Plant) -> None:
    plant.bear()
    plant.restart()

    taken = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 1}))

    assert _values(taken) == [("temperature_c", "1.0")]


def test_a_death_is_a_gap_until_the_next_birth(plant: Plant) -> None:
    plant.bear()

    died = plant.take("NDEATH", plant.edge.died())
    plant.edge.birth += 1
    born = plant.bear()

    assert [note.text for note in died.notes] == ["G/N is offline: its session ended"]
    assert [note.kind for note in born.notes] == ["gap"]
    assert "is born again" in born.notes[0].text


def test_the_late_death_of_an_earlier_session_says_nothing(plant: Plant) -> None:
    earlier = plant.edge.died()
    plant.edge.birth += 1
    plant.bear()

    assert plant.take("NDEATH", earlier).notes == []
    assert plant.follower.unborn() == []


def test_the_death_of_a_device_is_noted_for_its_batch(plant: Plant) -> None:
    plant.bear()

    taken = plant.take("DDEATH", plant.edge.said(), device="D")

    assert [note.text for note in taken.notes] == ["device D of G/N is offline"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"double_value": 1, "quality": 0}, "quality 0"),
        ({"double_value": 1, "quality": 500}, "quality 500"),
        ({"is_null": True}, "null"),
        ({"double_value": float("nan")}, "nan is no number"),
        ({"datatype": BOOLEAN, "boolean_value": True}, "data type 11"),
    ],
)
def test_what_is_not_good_is_noted_and_is_no_value(
    plant: Plant, said: dict[str, Any], problem: str
) -> None:
    plant.bear()

    taken = plant.take("NDATA", plant.edge.said({"alias": 1, **said}))

    assert taken.samples == []
    assert problem in taken.notes[0].text


def test_the_way_back_to_good_says_how_many_values_were_not_stored(plant: Plant) -> None:
    plant.bear()
    for _ in range(3):
        plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 1, "quality": 0}))

    taken = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 1, "quality": 192}))

    assert "3 values not stored" in taken.notes[0].text
    assert _values(taken) == [("temperature_c", "1.0")]


def test_historical_values_keep_their_flag_and_their_stretch_is_noted(plant: Plant) -> None:
    plant.bear()
    old = {"alias": 1, "is_historical": True}
    stored = plant.take("NDATA", plant.edge.said(
        {**old, "double_value": 1, "seconds": -60}, {**old, "double_value": 2, "seconds": -30}
    ))  # fmt: skip

    live = plant.take("NDATA", plant.edge.said({"alias": 1, "double_value": 3}))

    assert [one.is_historical for one in [*stored.samples, *live.samples]] == [True, True, False]
    assert [note.kind for note in live.notes] == ["historical"]
    assert "2 values of temperature_c from 2026-03-01T11:59:00" in live.notes[0].text


@pytest.mark.parametrize("sent", [0xFFFE, 0xFFFFFFFE])
def test_a_negative_number_travels_in_an_unsigned_field(plant: Plant, sent: int) -> None:
    plant.bear()

    taken = plant.take("DDATA", plant.edge.said({"alias": 2, "int_value": sent}), device="D")

    assert _values(taken) == [("level", "-2")]


def test_single_precision_keeps_the_digits_that_were_meant(plant: Plant) -> None:
    plant.take("NBIRTH", plant.edge.born({"name": "T", "datatype": 9, "float_value": 36.8}))

    taken = plant.take("NDATA", plant.edge.said({"name": "T", "float_value": 0.1}))

    assert _values(taken) == [("temperature_c", "0.1")]


def test_bytes_that_are_no_payload_are_put_aside_whole(plant: Plant) -> None:
    plant.bear()

    taken = plant.take("NDATA", b"\xff\xff\xff")

    assert [one.code for one in taken.aside] == ["payload-invalid"]
    assert "ffffff" in taken.aside[0].text
    assert plant.follower.unborn() == ["G/N"]


def test_a_rebirth_is_asked_for_with_the_command_of_the_specification() -> None:
    topic, data = sparkplug.rebirth("G/N", NOON)

    metric = sparkplug_payload.read(data).metrics[0]
    assert topic == "spBv1.0/G/NCMD/N"
    assert (metric.name, metric.boolean_value) == ("Node Control/Rebirth", True)


@pytest.mark.parametrize(
    ("topic", "is_known"),
    [
        ("spBv1.0/G/NDATA/N", True),
        ("spBv1.0/G/DDATA/N/D", True),
        ("spBv1.0/G/DDATA/N", False),
        ("spBv1.0/G/NCMD/N", False),
        ("spBv1.0/G/NDATA/M", False),
        ("other/G/NDATA/N", False),
        ("t", False),
    ],
)
def test_only_topics_of_configured_edge_nodes_are_followed(
    plant: Plant, topic: str, is_known: bool
) -> None:
    assert plant.follower.knows(topic) is is_known


@pytest.mark.shared
def test_the_fields_are_those_of_the_published_definition(shared: Path) -> None:
    text = (shared / "data/exchange/sparkplug/sparkplug_b.proto").read_text()
    published = _messages(re.sub(r"//.*", "", text))
    for name, fields in sparkplug_payload.FIELDS.items():
        for number, kind, called in fields:
            field = called.lstrip("*|")
            assert published[name][field] == (kind, number), (name, field)


def _messages(text: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Return type and number of each field of each message, also of those inside others."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    inside: list[str] = []
    for opens, closes, kind, field, number in re.findall(
        r"(?:message|enum|oneof)\s+(\w+)\s*\{|(\})|(\w+)\s+(\w+)\s*=\s*(\d+)\s*;", text
    ):
        if opens:
            # The members of a oneof are fields of its message.
            inside.append(inside[-1] if opens == "value" else opens)
            found.setdefault(inside[-1], {})
        elif closes:
            inside.pop()
        elif inside:
            found[inside[-1]][field] = (kind, int(number))
    return found
