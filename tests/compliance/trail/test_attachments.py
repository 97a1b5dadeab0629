"""Files are kept under their digest, once, and whoever alters one is found."""

import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from compliance.access.duties import Role
from compliance.trail import attachments, bulk_seals, verification
from compliance.trail.attachments import AttachmentAltered, AttachmentInvalid, AttachmentTooLarge
from compliance.trail.models import Attachment, Entry, Refusal
from compliance.trail.recording import System
from tests import factories, trail_log

DATA = b"%PDF-1.7 chromatogram"


@pytest.fixture(autouse=True)
def folder(fresh_log: Any, settings: Any, tmp_path: Path) -> Path:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    return tmp_path / "attachments"


def added(data: bytes = DATA, **changed: Any) -> Attachment:
    given = {"filename": "run 7.pdf", "media_type": "application/pdf", "subject": "S-1", **changed}
    return attachments.add(
        io.BytesIO(data), actor=System("tests"), at=trail_log.NOON, reason="chromatogram", **given
    )


def files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


def opened_for_writing(attachment: Attachment) -> Path:
    path = attachments.path_of(attachment.sha256)
    path.chmod(0o600)
    return path


def test_a_file_is_stored_under_its_digest_and_its_entry_names_it(folder: Path) -> None:
    kept = added()

    digest = hashlib.sha256(DATA).hexdigest()
    assert (kept.sha256, kept.size) == (digest, len(DATA))
    path = folder / digest[:2] / digest[2:4] / digest
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o400
    entry = Entry.objects.get(record="trail_attachment", record_id=str(kept.pk))
    assert digest in entry.body
    assert attachments.open_(kept).read() == DATA


def test_the_same_file_given_twice_is_stored_once(folder: Path) -> None:
    first = added()

    assert added() == first
    assert (
        Attachment.objects.count() == Entry.objects.filter(record="trail_attachment").count() == 1
    )
    assert len(files(folder)) == 1


def test_the_same_file_of_two_subjects_is_one_file_and_two_records(folder: Path) -> None:
    added()
    added(subject="S-2")

    assert Attachment.objects.count() == 2
    assert len(files(folder)) == 1


def test_four_at_the_same_time_store_it_once(folder: Path) -> None:
    start = threading.Barrier(4)
    failed: list[BaseException] = []

    def send() -> None:
        start.wait()
        try:
            added()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert Attachment.objects.count() == 1
    assert len(files(folder)) == 1


def test_what_is_too_large_leaves_nothing_behind(folder: Path, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 10
    added(b"0123456789")

    with pytest.raises(AttachmentTooLarge):
        added(b"0123456789x")

    assert Attachment.objects.count() == 1
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"filename": name}
        for name in ("", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", "a\u202egpj.exe", "\ud800", " a")
    ]
    + [{"filename": "x" * 201}, {"subject": ""}]
    + [{"media_type": one} for one in ("", "pdf", "text/html; a=b", "text/html\r\nX: y", "A/b")],
)
def test_a_name_that_misleads_is_refused(folder: Path, changed: dict[str, str]) -> None:
    with pytest.raises(AttachmentInvalid):
        added(**changed)

    assert not Attachment.objects.exists()
    assert not folder.exists()


def _alter(path: Path) -> None:
    path.write_bytes(DATA.replace(b"1.7", b"1.4"))


def _append(path: Path) -> None:
    path.write_bytes(DATA + b" ")


def _link(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(DATA)
    path.unlink()
    path.symlink_to(copy)


@pytest.mark.parametrize("harm", [_alter, _append, Path.unlink, _link])
def test_whoever_alters_or_deletes_a_file_is_found(harm: Any) -> None:
    kept = added()
    intact = added(b"another one", filename="other.pdf")
    harm(opened_for_writing(kept))

    with transaction.atomic(), connection.cursor() as cursor:
        broken = [one.record for one in bulk_seals.broken(cursor)]
    assert broken == [f"trail_attachment {kept.pk}"]
    with pytest.raises(AttachmentAltered):
        attachments.open_(kept)
    assert attachments.open_(intact).read() == b"another one"


def test_verifying_the_trail_names_an_altered_file() -> None:
    kept = added()
    trail_log.seal_and_sign()
    _alter(opened_for_writing(kept))

    found = verification.verify().faults

    assert [one for one in found if one.record == f"trail_attachment {kept.pk}"]


def test_an_altered_file_is_never_written_over(folder: Path) -> None:
    kept = added()
    path = opened_for_writing(kept)
    _alter(path)

    with pytest.raises(AttachmentAltered):
        added(subject="S-2")

    assert path.read_bytes() != DATA
    assert Attachment.objects.count() == 1


def test_a_download_is_saved_and_never_shown(client: Client) -> None:
    kept = added(b"<script>alert(1)</script>", filename="a “b”.html", media_type="text/html")
    client.force_login(factories.person(Role.AUDITOR))

    answer = client.get(f"/admin/trail/attachment/{kept.pk}/file/")

    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "a%20%E2%80%9Cb" in answer["Content-Disposition"]
    assert "html" in client.get("/admin/trail/attachment/").content.decode()


def test_a_download_takes_a_person_with_a_role(client: Client) -> None:
    kept = added()

    assert client.get(f"/admin/trail/attachment/{kept.pk}/file/").status_code == 302
    client.force_login(factories.person())
    assert client.get(f"/admin/trail/attachment/{kept.pk}/file/").status_code in (302, 403)


def test_an_altered_file_is_not_handed_out(client: Client) -> None:
    kept = added()
    _alter(opened_for_writing(kept))
    client.force_login(factories.person(Role.AUDITOR))

    answer = client.get(f"/admin/trail/attachment/{kept.pk}/file/")

    assert answer.status_code == 409
    assert DATA not in answer.content
    assert [one.code for one in Refusal.objects.all()] == ["attachment-altered"]


def test_a_record_of_an_attachment_is_never_altered() -> None:
    kept = added()

    with pytest.raises(Exception, match="nothing regulated is altered"), trail_log.act():
        Attachment.objects.filter(pk=kept.pk).update(filename="another.pdf")
    with pytest.raises(Exception, match="nothing regulated is deleted"), trail_log.act():
        kept.delete()
