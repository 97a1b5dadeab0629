"""Several logs: tenants apart from each other, one parent above them, one signer for all."""

import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from compliance.trail import (
    checkpoints,
    entry_form,
    key_events,
    keys,
    log_events,
    new_logs,
    parent,
    recording,
    sequencer,
    stored,
)
from compliance.trail.signer import process
from compliance.trail.tlog import keys as tlog_keys
from compliance.trail.tlog import leaf, merkle, note
from compliance.trail.tlog.key_documents import KeyRefused
from compliance.trail.tlog.parent_proof import ParentProof, ParentProofInvalid
from tests import trail_log
from tests.compliance.trail.life.conftest import ACTOR, settle
from tests.trail_app.models import Vessel

EAST, WEST, ABOVE = "plant.example/acme/east/1", "plant.example/acme/west/1", "plant.example/all/1"


def begin(origin: str, **options: Any) -> int:
    return new_logs.begin(origin, actor=ACTOR, at=timezone.now(), reason="a site begins", **options)


@pytest.fixture
def tenants(fresh_log: Any) -> dict[str, int]:
    keys.ensure()
    found = {EAST: begin(EAST), WEST: begin(WEST), ABOVE: begin(ABOVE, is_parent=True)}
    for origin in (EAST, WEST):
        with recording.into(found[origin]):
            trail_log.vessels(20, origin)
    settle((1, *found.values()))
    return found


def signed(origins: tuple[str, ...]) -> dict[str, str]:
    return {one: checkpoints.sign(timezone.now(), origin=one).note for one in origins}


def gathered() -> list[dict[str, Any]]:
    return parent.gather(actor=ACTOR, at=timezone.now(), reason="hourly checkpoints")


def bodies(log_id: int) -> list[bytes]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT e.body FROM audit.leaf l JOIN audit.entry e USING (entry_id) "
            "WHERE l.log_id = %s ORDER BY idx",
            [log_id],
        )
        return [bytes(body) for (body,) in cursor.fetchall()]


# --- Tenants


def test_an_act_goes_to_the_log_it_names_and_to_no_other(tenants: dict[str, int]) -> None:
    for origin in (EAST, WEST):
        found = [entry_form.parse(body) for body in bodies(tenants[origin])]

        assert len(found) == 20
        assert {one["log"] for one in found} == {origin}
        assert all(one["new"]["name"].startswith(origin) for one in found)
    assert all(b"plant.example/acme" not in body or b"trail_logevent" in body for body in bodies(1))


def test_acts_within_one_transaction_each_go_to_their_own_log(tenants: dict[str, int]) -> None:
    with trail_log.act():
        Vessel.objects.create(name="one")
        with recording.into(tenants[EAST]), trail_log.act():
            Vessel.objects.create(name="two")
        Vessel.objects.create(name="three")
    settle((1, tenants[EAST]))

    own = [entry_form.parse(body)["new"].get("name") for body in bodies(1)][-2:]

    assert own == ["one", "three"]
    assert entry_form.parse(bodies(tenants[EAST])[-1])["new"]["name"] == "two"


def test_an_act_of_a_log_that_is_not_there_is_refused(tenants: dict[str, int]) -> None:
    with (
        recording.into(99),
        pytest.raises(Exception, match="there is no log 99"),
        trail_log.act(),
    ):
        Vessel.objects.create(name="nowhere")


@pytest.mark.parametrize("origin", ["", "a b/1", "plant/x", "plant.example/acme/east/0", "x//1"])
def test_a_name_that_is_no_origin_is_refused(fresh_log: Any, origin: str) -> None:
    with pytest.raises(new_logs.OriginUnusable):
        begin(origin)


def test_a_name_is_never_used_twice(tenants: dict[str, int]) -> None:
    with pytest.raises(new_logs.OriginUnusable):
        begin(EAST)


def test_an_entry_replayed_into_another_tenants_log_does_not_fit_there(
    tenants: dict[str, int], as_superuser: psycopg.Connection[Any]
) -> None:
    """The sequencer seals what is there, as evidence; the body itself says where it belongs."""
    body = bodies(tenants[EAST])[3]
    as_superuser.execute(
        "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) VALUES "
        "(nextval('audit.entry_id_seq'), pg_current_xact_id(), %s, %s, audit.entry_digest(%s))",
        [tenants[WEST], body, body],
    )
    as_superuser.commit()

    settle((tenants[WEST],))

    with connections["default"].cursor() as cursor:
        state = stored.state(cursor, log_id=tenants[WEST])
    replayed = entry_form.parse(bodies(tenants[WEST])[-1])
    assert replayed["log"] == EAST != state.origin


def test_each_log_is_signed_with_its_own_keys(tenants: dict[str, int]) -> None:
    notes = signed((EAST, WEST))

    assert keys.history(EAST).open(notes[EAST]).origin == EAST
    assert keys.history(WEST).open(notes[WEST]).origin == WEST
    with pytest.raises(KeyRefused):
        keys.history(WEST).open(notes[EAST])
    assert {one["origin"] for one in log_events.documents("log")} == {EAST, WEST, ABOVE}


def test_the_key_of_one_log_is_exchanged_and_no_others(tenants: dict[str, int]) -> None:
    signed((EAST, WEST))
    west = keys.history(WEST)

    rotated = key_events.rotate(
        tlog_keys.ED25519, origin=EAST, actor=ACTOR, at=timezone.now(), reason="yearly exchange"
    )
    settle((1, tenants[EAST]))
    text = signed((EAST,))[EAST]

    assert rotated.size == 21
    assert keys.history(EAST).open(text).size == 21
    assert text.count("\n— ") == 3  # both Ed25519 keys, and ML-DSA-44
    assert [one.verifier for one in key_events.recorded(EAST)] == [rotated.new]
    assert key_events.recorded(WEST) == []
    assert keys.history(WEST) == west
    assert b'"kind":"key"' in bodies(tenants[EAST])[-1]


# --- The process


def test_one_process_signs_and_publishes_every_log_and_begins_with_new_ones(
    tenants: dict[str, int],
) -> None:
    with trail_log.running_signer() as ends:
        late = "plant.example/acme/north/1"
        with recording.into(begin(late)):
            trail_log.vessels(3, late)
        settle((1, stored.log_id_of(late)))
        for origin, size in ((settings.LOG_ORIGIN, None), (EAST, 20), (WEST, 20), (late, 3)):
            _until_published(origin, size)
    assert ends == []


def test_a_log_that_was_rewritten_is_put_aside_and_the_others_go_on(
    tenants: dict[str, int], as_superuser: psycopg.Connection[Any]
) -> None:
    signed((EAST, WEST))
    as_superuser.execute("ALTER TABLE audit.log_state DISABLE TRIGGER ALL")
    as_superuser.execute(
        "UPDATE audit.log_state SET size = size - 1 WHERE log_id = %s", [tenants[EAST]]
    )
    as_superuser.commit()
    stop, ends = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            process.run(stop)
        except BaseException as error:
            ends.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with recording.into(tenants[WEST]):
            trail_log.vessels(4, "more")
        settle((tenants[WEST],))
        _until_published(WEST, 24)
        assert not (_folder(EAST) / "20.note").exists()  # refused before it is published
    finally:
        stop.set()
        thread.join()
    assert ends == []


def _folder(origin: str) -> Path:
    return keys.own_folder(Path(settings.PUBLISHED_DIR), origin)


def _until_published(origin: str, size: int | None) -> None:
    name = "latest" if size is None else f"{size}.note"
    deadline = time.monotonic() + 240
    while not (_folder(origin) / name).exists():
        assert time.monotonic() < deadline, (origin, size)
        time.sleep(0.05)


# --- The parent


@pytest.fixture
def anchored(tenants: dict[str, int]) -> dict[str, int]:
    signed((EAST, WEST))
    gathered()
    settle((tenants[ABOVE],))
    signed((ABOVE,))
    return tenants


def test_a_tenants_entry_is_proved_up_to_the_parents_checkpoint(anchored: dict[str, int]) -> None:
    proof = ParentProof.from_json(parent.prove(anchored[EAST], 20).to_json())

    child, above = proof.verify(child=keys.history(EAST), parent=keys.history(ABOVE))

    assert (child.origin, above.origin) == (EAST, ABOVE)
    with connections["default"].cursor() as cursor:
        reader = stored.reader(cursor, log_id=anchored[EAST])
        cursor.execute(
            "SELECT previous FROM audit.leaf WHERE log_id = %s AND idx = 7", [anchored[EAST]]
        )
        (previous,) = cursor.fetchone()
        path = merkle.inclusion_proof(7, child.size, reader)
    sealed = leaf.Leaf(
        origin=EAST,
        index=7,
        digest=leaf.entry_digest(bodies(anchored[EAST])[7]),
        previous=bytes(previous),
    )
    merkle.verify_inclusion(sealed.hash, 7, child.size, path, child.root)


def test_the_proof_of_one_tenant_is_none_for_the_other(anchored: dict[str, int]) -> None:
    east, west = (parent.prove(anchored[one], 20) for one in (EAST, WEST))
    fields = {name: getattr(east, name) for name in east.__slots__}

    for change in (
        {"child_note": west.child_note},
        {"body": west.body},
        {"index": east.index + 1},
        {"previous": bytes(32)},
        {"proof": east.proof[:-1]},
        {"body": east.body.replace(b'"trail_logevent"', b'"trail_logevenT"')},
    ):
        history = keys.history(WEST if "child_note" in change else EAST)
        with pytest.raises(ParentProofInvalid):
            ParentProof(**fields | change).verify(child=history, parent=keys.history(ABOVE))


def test_a_checkpoint_is_gathered_once(anchored: dict[str, int]) -> None:
    assert gathered() == []
    assert len(log_events.documents("child")) == 2


def test_what_the_parent_does_not_hold_yet_is_told_so(anchored: dict[str, int]) -> None:
    with recording.into(anchored[EAST]):
        trail_log.vessels(1, "later")
    settle((anchored[EAST],))
    text = signed((EAST,))[EAST]
    with pytest.raises(parent.NotGathered, match="no parent log holds"):
        parent.prove(anchored[EAST], 21)

    gathered()
    with pytest.raises(parent.NotGathered, match="not sealed"):
        parent.prove(anchored[EAST], 21)
    settle((anchored[ABOVE],))
    with pytest.raises(parent.NotGathered, match="not signed"):
        parent.prove(anchored[EAST], 21)
    signed((ABOVE,))

    assert parent.prove(anchored[EAST], 21).child_note == text
    assert note.split(text)[0].startswith(EAST)
    assert sequencer.seal(log_id=anchored[ABOVE]).count == 0
