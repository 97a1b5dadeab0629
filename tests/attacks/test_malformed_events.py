"""Attacks by log events that say nothing, or what their writer has no right to say (A2, A3)."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from psycopg import Connection

from compliance.trail import (
    archiving,
    detaching,
    event_documents,
    key_events,
    log_events,
    parent,
    rehashing,
    restoring,
    verification,
    whitelist,
)
from compliance.trail.event_documents import EventMalformed
from compliance.trail.findings import Verdict
from compliance.trail.models import LogEvent
from compliance.trail.recording import System
from tests import trail_log

Superuser = Connection[Any]
WRITERS = {
    "owner": ("archive", "detach", "log", "origin", "recovery", "redactable"),
    "sequencer": ("rehash", "seal"),
    "signer": ("child", "key", "timestamp"),
    "default": ("evidence", "hold", "redaction", "release-hold", "verification"),
}
KINDS = sorted(kind for kinds in WRITERS.values() for kind in kinds)
ACT = (
    '{"acted_at":"2026-03-02T12:00:00.000000Z","action":"trail.log-event","actor":"x",'
    '"actor_id":"x","id":"5f9c2b1e-0000-4000-8000-000000000000","reason":"planted","role":"x",'
    '"source":"x"}'
)
HUGE = 10**400
MEMBERS = (
    "buckets", "chain", "clock", "end", "event", "file", "from", "index", "keys", "origin",
    "partition", "path", "persons", "root", "sha256", "signed_by", "size", "start", "to",
    "subtree_root", "token_sha256", "tree_size", "old_origin", "new_origin", "algorithm",
)  # fmt: skip
GARBAGE = [
    "", "null", "true", "7", '"text"', "[]", "{}", "{", "[" * 100_000, '{"v":1}', '{"v":2}',
    '{"v":1.0}', '{"v":true}', '{"v":1,"v":1}', ' {"v":1}', '{"v":1,"\\u0000":1}', "\ufeff{}",
    '{"hold":"","v":1}', '{"hold":7,"v":1}', '{"paths":["b","a"],"v":1}', '{"paths":[7],"v":1}',
    *(
        json.dumps({"v": 1} | dict.fromkeys(MEMBERS, value), sort_keys=True, separators=(",", ":"))
        for value in (None, True, -1, 1.5, HUGE, "", "x", "ff" * 32, [], [[]], {}, {"name": 1},
                      "../../etc/passwd", "..", "file\0", [None, None], "plant.example/gmp/1")
    ),
]  # fmt: skip


def recorded(kind: str, using: str, document: dict[str, Any] | None = None) -> None:
    log_events.record(
        kind, document or {"v": 1}, actor=System("test"), at=timezone.now(),
        reason="a word of its own", using=using,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [*KINDS, "ddl", "nonsense", "", "Seal"])
def test_each_kind_is_written_by_one_role(fresh_log: Any, kind: str) -> None:
    for using, kinds in WRITERS.items():
        if kind in kinds:
            recorded(kind, using)
        else:
            with pytest.raises(DatabaseError, match=f"kind {kind} is not written by gmp_"):
                recorded(kind, using)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_document_of_its_kind_is_refused_by_its_reader(kind: str) -> None:
    for text in GARBAGE:
        with pytest.raises(EventMalformed):
            event_documents.parse(kind, text)


@pytest.mark.parametrize("event", [None, "7", 7.5, -1, [7], True, HUGE])
def test_a_release_names_an_event_or_none_at_all(event: object) -> None:
    with pytest.raises(EventMalformed):
        event_documents.parse("release-hold", json.dumps({"event": event, "hold": "x", "v": 1}))


def test_what_the_product_writes_is_a_document_of_its_kind(fresh_log: Any) -> None:
    trail_log.written()

    for event in LogEvent.objects.all():
        assert event_documents.parse(event.kind, event.document)["v"] == 1


@pytest.fixture
def garbage(fresh_log: Any, as_superuser: Superuser) -> dict[str, list[int]]:
    """Plant every garbage as an event of every kind, captured and sealed; return the rows."""
    trail_log.written()
    planted: dict[str, list[int]] = {}
    as_superuser.execute("ALTER TABLE trail_logevent DISABLE TRIGGER kinds_apart")
    with as_superuser.transaction():
        as_superuser.execute("SELECT audit.begin_act(1::smallint, %s)", [ACT])
        for kind in [*KINDS, "ddl", "nonsense"]:
            for text in GARBAGE:
                row = as_superuser.execute(
                    "INSERT INTO trail_logevent (kind, document, recorded_at) "
                    "VALUES (%s, %s, now()) RETURNING id",
                    [kind, text],
                ).fetchone()
                assert row
                planted.setdefault(kind, []).append(row[0])
    as_superuser.execute("ALTER TABLE trail_logevent ENABLE ALWAYS TRIGGER kinds_apart")
    trail_log.seal_and_sign()
    return planted


def test_each_malformed_event_is_named(garbage: dict[str, list[int]]) -> None:
    report = verification.verify()

    named = {one.record for one in report.faults if one.verdict == Verdict.NONCANONICAL}
    at_leaves = sum(
        one.index is not None and one.message.startswith("the document about ")
        for one in report.faults
    )
    read_in_entries = {"origin", "redactable", "redaction", "seal", "timestamp"}
    for kind, rows in garbage.items():
        if kind not in read_in_entries:
            assert {f"trail_logevent {one}" for one in rows} <= named, kind
    assert at_leaves == sum(len(garbage[kind]) for kind in read_in_entries)
    assert {one.verdict for one in report.faults} == {Verdict.NONCANONICAL}


def test_no_reader_of_the_log_ends_by_a_malformed_event(
    garbage: dict[str, list[int]], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("trail", "verify")

    assert ended.value.code == 1
    assert archiving.spans() == []
    assert archiving.archive(tmp_path, actor=System("x"), at=timezone.now(), reason="x") == []
    assert list(archiving.check_all(tmp_path)) == []
    assert list(rehashing.check()) == []
    assert key_events.recorded(settings.LOG_ORIGIN) == []
    assert parent.gather(actor=System("x"), at=timezone.now(), reason="x") == []
    assert whitelist.current()
    assert not restoring.check().is_lost
    assert detaching.held() == []
    detaching.hold("case 7", actor=System("x"), at=timezone.now(), reason="court order")
    assert detaching.held() == ["case 7"]
    with pytest.raises(detaching.NotDetachable):
        detaching.detach(
            0, folder=tmp_path, retention=trail_log.NOON - trail_log.NOON,
            persons=(detaching.Person("Ada A", "it is time"), detaching.Person("Bo B", "yes it is")),
            actor=System("x"), at=timezone.now(),
        )  # fmt: skip
