"""Evidence is issued to who may see entries, verifies offline, and is on record."""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.refusals import Unavailable
from compliance.trail import (
    issuing,
    keys,
    log_source,
    published,
    sequencer,
    subjects,
    timeline_pages,
)
from compliance.trail.issuing import HeldNotOurs, NotReady, ValuesProtected
from compliance.trail.models import Entry, LogEvent
from compliance.trail.recording import System
from compliance.trail.signer import delivery
from compliance.trail.subjects import NoSuchSubject, TooMuch, Wanted
from compliance.trail.verifier import container, verification
from compliance.trail.verifier.contents import Kind
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import factories, trail_log
from tests.api_client import ApiClient
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel

TABLE = "trail_app_vessel"
ASKER = System("test")


def issued(wanted: Wanted, **options: Any) -> issuing.Issued:
    return issuing.issue(wanted, actor=ASKER, at=timezone.now(), **options)


def verified(data: bytes, folder: Path) -> Result:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    trust = Trust.read([("keys", "\n".join(one.vkey for one in keys.current()).encode())])
    return verification.verify(container.open_path(path), trust=trust)


def of_record(vessel: Vessel) -> Wanted:
    return Wanted(kind=Kind.RECORD, records=((TABLE, str(vessel.pk)),))


def day() -> dict[str, Any]:
    times = Entry.objects.order_by("at").values_list("at", flat=True)
    return {"start": times[0], "end": timezone.now()}


@pytest.mark.parametrize("kind", ["record", "person", "act", "period"])
@pytest.mark.requirement("P11-b1", "P11-e3")
def test_a_bundle_of_each_kind_verifies_offline(first: Vessel, tmp_path: Path, kind: str) -> None:
    act = Entry.objects.filter(actor="anna").order_by("pk")[0].act
    wanted = {
        "record": of_record(first),
        "person": Wanted(kind=Kind.PERSON, name="anna"),
        "act": Wanted(kind=Kind.ACT, name=act),
        "period": Wanted(kind=Kind.PERIOD, **day()),
    }[kind]

    found = issued(wanted)
    result = verified(found.data, tmp_path)

    assert result.exit == 0, result
    assert found.late == 0
    assert len(result.entries) >= {"record": 3, "person": 10, "act": 10, "period": 55}[kind]


@pytest.mark.requirement("P11-b1")
def test_a_bundle_of_a_batch_has_all_its_records(read_log: FreshLog, tmp_path: Path) -> None:
    batch = factories.batch()
    issuing.seal_now(timezone.now())

    found = issued(Wanted(kind=Kind.BATCH, name=batch.number))
    result = verified(found.data, tmp_path)

    assert result.contents
    tables = {json.loads(one.body)["record"] for one in result.contents.entries}
    assert result.exit == 0, result
    assert {"execution_batch", "execution_batchphase"} <= tables
    with pytest.raises(NoSuchSubject):
        issued(Wanted(kind=Kind.BATCH, name="B-none"))


def test_who_got_which_bundle_is_an_entry(first: Vessel) -> None:
    found = issued(of_record(first), reason="asked for by the inspector")

    event = LogEvent.objects.order_by("-pk")[0]
    entry = Entry.objects.order_by("-entry_id")[0]
    assert event.kind == "evidence"
    assert json.loads(event.document) == {
        "v": 1,
        "subject": {"kind": "record", "title": f"{TABLE} {first.pk}"},
        "tree_size": found.tree_size,
        "sha256": sha256(found.data).hexdigest(),
    }
    assert entry.action == "trail.evidence-issued"
    assert entry.reason == "asked for by the inspector"
    assert entry.actor == "test"


def test_what_is_younger_than_the_checkpoint_is_left_out_and_said(
    first: Vessel, tmp_path: Path
) -> None:
    with trail_log.act("a change of this moment"):
        first.save(force_update=True)
        Vessel.objects.filter(pk=first.pk).update(volume_l=99)

    found = issued(of_record(first))
    result = verified(found.data, tmp_path)

    assert result.contents
    assert result.exit == 0, result
    assert found.late >= 1
    assert "not in it" in found.remark
    assert "younger than the checkpoint" in result.contents.subject.description


def test_nothing_is_issued_before_something_is_signed_and_sealed(fresh_log: FreshLog) -> None:
    trail_log.vessels(3, "A")
    vessel = Vessel.objects.order_by("pk")[0]

    with pytest.raises(NotReady, match="no checkpoint"):
        issued(of_record(vessel))
    trail_log.seal_and_sign()
    with pytest.raises(NotReady, match="--seal"):
        issued(of_record(vessel))
    issuing.seal_now(timezone.now())

    assert issued(of_record(vessel)).late == 0


def test_what_the_trail_does_not_have_and_what_is_too_much_is_refused(first: Vessel) -> None:
    for wanted in (
        Wanted(kind=Kind.RECORD, records=((TABLE, "999999"),)),
        Wanted(kind=Kind.PERSON, name="nobody"),
        Wanted(kind=Kind.ACT, name="no act"),
        Wanted(kind=Kind.PERIOD, start=day()["end"], end=timezone.now()),
    ):
        with pytest.raises(NoSuchSubject):
            issued(wanted)
    with pytest.raises(TooMuch):
        issued(Wanted(kind=Kind.PERSON, name="anna"), most=9)
    with pytest.raises(TooMuch):
        issued(Wanted(kind=Kind.PERIOD, **day()), most=9)
    with pytest.raises(TooMuch):
        issued(of_record(first), most=2)


def test_a_held_checkpoint_is_shown_to_lead_to_the_newest_or_named_as_a_fork(
    first: Vessel, tmp_path: Path
) -> None:
    with connection.cursor() as cursor:
        newest = published.newest(cursor, 1)
        cursor.execute("SELECT min(size) FROM audit.checkpoint")
        oldest = published.of_size(cursor, 1, cursor.fetchone()[0])
    assert newest is not None and oldest is not None
    wrong = oldest.note.replace(oldest.note.split("\n")[2], newest.note.split("\n")[2])

    found = issued(of_record(first), held=[oldest.note.encode()])

    result = verified(found.data, tmp_path)
    assert result.contents
    assert result.exit == 0, result
    assert oldest.size in result.contents.checkpoints
    with pytest.raises(HeldNotOurs, match="FORK"):
        issued(of_record(first), held=[wrong.encode()])
    with pytest.raises(HeldNotOurs, match="no checkpoint"):
        issued(of_record(first), held=[b"something else"])


def test_protected_values_are_disclosed_and_shown_to_who_may_read_them_only(
    read_log: FreshLog, tmp_path: Path
) -> None:
    quality, auditor = (factories.person(role) for role in (Role.QUALITY_ASSURANCE, Role.AUDITOR))
    with trail_log.act("told by the person"):
        User.objects.filter(pk=auditor.pk).update(email="somebody@plant.example")
    issuing.seal_now(timezone.now())
    wanted = Wanted(kind=Kind.RECORD, records=(("access_user", str(auditor.pk)),))
    pages = {}
    for person in (quality, auditor):
        client = ApiClient()
        client.force_login(person, backend="compliance.access.backends.RoleBackend")
        url = timeline_pages.record_url("access_user", str(auditor.pk))
        pages[person.pk] = client.get(url).content.decode()

    found = issued(wanted)

    assert verified(found.data, tmp_path).exit == 0
    with pytest.raises(ValuesProtected):
        issued(wanted, may_open=False)
    assert "protected" in pages[auditor.pk]
    assert "somebody@plant.example" not in pages[auditor.pk]
    assert "somebody@plant.example" in pages[quality.pk]


# --- The edges


@pytest.fixture
def auditor(first: Vessel) -> Client:
    client = ApiClient()
    client.force_login(
        factories.person(Role.AUDITOR), backend="compliance.access.backends.RoleBackend"
    )
    issuing.seal_now(timezone.now())
    return client


def test_a_person_downloads_a_bundle_from_the_page_of_a_record(
    auditor: Client, first: Vessel, tmp_path: Path
) -> None:
    url = timeline_pages.evidence_url(kind="record", record=TABLE, record_id=str(first.pk))

    asked = auditor.get(url)
    answer = auditor.post(url, {"reason": "inspection of today", "held": ""})

    assert asked.status_code == 200
    assert b"Download the bundle" in asked.content
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="evidence-record-')
    assert answer["Evidence-SHA-256"] == sha256(answer.content).hexdigest()
    assert verified(answer.content, tmp_path).exit == 0
    assert Entry.objects.order_by("-entry_id")[0].actor.startswith("auditor")
    assert auditor.get(timeline_pages.evidence_url(kind="record")).status_code == 400
    assert auditor.get(timeline_pages.evidence_url(kind="nonsense", name="x")).status_code == 400
    none = timeline_pages.evidence_url(kind="person", name="nobody")
    assert auditor.post(none, {"reason": "", "held": ""}).status_code == 404


def test_a_machine_gets_bundles_and_problems_over_the_api(
    auditor: Client, first: Vessel, tmp_path: Path
) -> None:
    def post(path: str, body: dict[str, Any]) -> Any:
        return auditor.post(
            f"/api/v1/evidence/{path}", json.dumps(body), content_type="application/json"
        )

    record = post("record", {"record": TABLE, "record_id": str(first.pk)})
    period = {name: at.isoformat() for name, at in day().items()}

    assert record.status_code == 200, record.content
    assert verified(record.content, tmp_path).exit == 0
    assert post("person", {"name": "anna"}).status_code == 200
    assert post("act", {"id": "none"}).status_code == 404
    for path, body, code in (
        ("batch", {"number": "B-none"}, "no-such-subject"),
        ("record", {"record": TABLE}, "invalid"),
        ("record", {"record": TABLE, "record_id": "1", "more": 1}, "invalid"),
        ("period", {"start": "yesterday", "end": "today"}, "invalid"),
        ("period", period, "values-protected"),  # names of people are in it
        ("person", {"name": "anna", "held": ["nonsense"]}, "held-checkpoint-differs"),
    ):
        answer = post(path, body)
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"].endswith(code)
    assert ApiClient().post("/api/v1/evidence/person").status_code in (401, 403)


def test_a_machine_turns_the_pages_of_a_timeline(auditor: Client, first: Vessel) -> None:
    def get(**asked: Any) -> Any:
        return auditor.get("/api/v1/entries", asked).json()

    newest = get(actor="anna", limit=6)
    older = get(actor="anna", limit=6, before=newest["older"])

    assert [len(newest["entries"]), len(older["entries"])] == [6, 4]
    assert older["older"] is None
    assert newest["entries"][0]["body"]["act"]["actor"] == "anna"
    assert newest["entries"][0]["secured"] == ["checkpointed"]
    assert auditor.get("/api/v1/entries", {"colour": "red"}).status_code == 400
    assert ApiClient().get("/api/v1/entries").status_code in (401, 403)


def told(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command("trail", *words, stdout=out, **options)
    return out.getvalue()


def test_the_command_writes_a_bundle_and_the_verifier(first: Vessel, tmp_path: Path) -> None:
    path = tmp_path / "made.zip"

    said = told(
        "bundle", "--record", TABLE, str(first.pk), "--to", str(path), "--seal", "--reason", "now"
    )
    told("verifier", "--to", str(tmp_path / "verifier.pyz"))

    assert "SHA-256" in said
    assert verified(path.read_bytes(), tmp_path).exit == 0
    assert (tmp_path / "verifier.pyz").read_bytes().startswith(b"#!")
    for words in (
        ["bundle", "--to", "x"],
        ["bundle", "--person", "anna", "--act", "1", "--to", "x"],
        ["bundle", "--person", "anna"],
        ["bundle", "--person", "nobody", "--to", str(path)],
        ["bundle", "--period", "today", "now", "--to", "x"],
    ):
        with pytest.raises(CommandError):
            told(*words)


def test_the_command_seals_beside_a_running_signer_and_waits_for_its_checkpoint(
    read_log: FreshLog, tmp_path: Path
) -> None:
    batch, path, progress = factories.batch(), tmp_path / "made.zip", StringIO()
    size = sequencer.seal().size

    with trail_log.running_signer() as ends:
        until(lambda: newest() == size)
        said = told(
            *("bundle", "--batch", batch.number, "--to", str(path), "--seal", "--json"),
            *("--reason", "asked for by the inspector"),
            stderr=progress,
        )  # fmt: skip

    assert ends == []
    assert json.loads(said)["late"] == 0
    assert len(progress.getvalue().splitlines()) == 1
    assert "waiting up to 60 s for its checkpoint of" in progress.getvalue()
    assert verified(path.read_bytes(), tmp_path).exit == 0


def test_a_running_signer_that_does_not_sign_is_waited_for_so_long_and_no_longer(
    read_log: FreshLog,
) -> None:
    with delivery.signer():
        with pytest.raises(Unavailable, match=r"leaves came within 0\.5 s"):
            issuing.seal_now(timezone.now(), patience_s=0.5)


def test_a_signer_that_ends_while_it_is_waited_for_is_followed_by_the_command(
    read_log: FreshLog,
) -> None:
    running = delivery.opened()

    issuing.seal_now(timezone.now(), say=lambda _: running.close())

    assert newest() == sequencer.seal().size


def newest() -> int:
    with log_source.opened() as source:
        return source.newest()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_command_shows_timelines_to_people_and_machines(first: Vessel) -> None:
    shown = told("timeline", "--record", TABLE, str(first.pk))
    lines = told("timeline", "--person", "anna", "--json").splitlines()

    assert "ben" in shown
    assert "checkpointed" in shown
    assert len(lines) == 10
    assert json.loads(lines[0])["body"]["act"]["actor"] == "anna"
    with pytest.raises(CommandError):
        told("timeline")
    with pytest.raises(CommandError):
        told("timeline", "--person", "nobody")


def test_a_kind_of_name_is_resolved_by_one_room_only() -> None:
    with pytest.raises(ValueError, match="resolved already"):
        subjects.register(Kind.BATCH, lambda _: None)
