"""The body of an entry has one form, for the product and for an inspector's verifier."""

from typing import Any

import pytest

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.tlog import canonical
from compliance.trail.tlog.canonical import NotCanonical
from tests.synthetic_log import SyntheticLog

HEX = "ab" * 32


def insert() -> dict[str, Any]:
    return SyntheticLog().body("batches", "1", "insert", new={"state": "planned"})


def update() -> dict[str, Any]:
    log = SyntheticLog()
    log.adopt("batches", "1", seq=7, state="planned")
    return log.body("batches", "1", "update", new={"state": "running"}, old={"state": "planned"})


def delete() -> dict[str, Any]:
    log = SyntheticLog()
    log.adopt("batches", "1", seq=7, state="planned")
    return log.body("batches", "1", "delete", old={"state": "planned"})


@pytest.mark.parametrize("members", [insert(), update(), delete()])
def test_what_the_product_writes_is_read(members: dict[str, Any]) -> None:
    assert entry_form.parse(canonical.dumps(members)) == members


@pytest.mark.parametrize(
    ("members", "change"),
    [
        (insert(), {"prev": HEX}), (insert(), {"record_seq": 2}), (insert(), {"after": HEX}),
        (insert(), {"old": {"state": "x"}}), (insert(), {"new": {"state": {"c": None}}}),
        (insert(), {"new": []}), (insert(), {"at": "2026-02-30T00:00:00.000000Z"}),
        (insert(), {"record": ""}), (insert(), {"record_id": ""}), (insert(), {"v": 1}),
        (insert(), {"v": True}), (insert(), {"op": "merge"}), (insert(), {"op": ["insert"]}),
        (insert(), {"more": 1}), (insert(), {"act": {}}), (insert(), {"log": None}),
        (insert(), {"act": insert()["act"] | {"acted_at": "yesterday"}}),
        (insert(), {"act": insert()["act"] | {"reason": None}}),
        (update(), {"prev": None}), (update(), {"record_seq": 1}), (update(), {"after": None}),
        (update(), {"new": {}, "old": {}}), (update(), {"old": {"mass": "1"}}),
        (update(), {"after": HEX.upper()}), (update(), {"record_seq": True}),
        (delete(), {"prev": None}), (delete(), {"record_seq": 1}), (delete(), {"after": HEX}),
        (delete(), {"new": {"state": "x"}}),
    ],
)  # fmt: skip
def test_what_the_product_cannot_write_is_refused(
    members: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(EntryMalformed):
        entry_form.parse(canonical.dumps(members | change))


def test_a_member_left_out_is_refused() -> None:
    for name in insert():
        rest = {key: value for key, value in insert().items() if key != name}

        with pytest.raises(EntryMalformed):
            entry_form.parse(canonical.dumps(rest))


@pytest.mark.parametrize("body", [b"", b"{}x", b'{"v": 2}', b"\xff", b"1.5"])
def test_other_bytes_are_not_canonical(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        entry_form.parse(body)
