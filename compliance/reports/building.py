"""Build a requested report: document, evidence, seal, file and its digest on record."""

import hashlib
import logging
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from compliance.refusals import Refused
from compliance.reports import kinds, layout, spelling
from compliance.reports.actions import Action
from compliance.reports.document import Attachment
from compliance.reports.models import Report, ReportState
from compliance.trail import durable, evidence, recording, unfinished
from compliance.trail.recording import System

if TYPE_CHECKING:
    from compliance.reports.seal import Seal

log = logging.getLogger(__name__)
SEALED_WITHIN_SECONDS = 20.0
EVIDENCE_NAME = "evidence.json"


class FileAltered(Refused):
    """The stored file is not the one that was sealed."""

    code = "report-file-altered"


class FileNotReady(Refused):
    code = "report-not-ready"


def build(report: Report, *, at: datetime) -> Report:
    """Build, seal and store one report; safe to run twice: a sealed one stays as it is.

    Raise `Unavailable` when the trail is not sealed far enough yet; the task repeats it.
    """
    if report.state == ReportState.SEALED:
        return report
    kind = kinds.by_name(report.kind)
    records = kind.records(report.subject)
    evidence.wait_until_sealed(timeout=SEALED_WITHIN_SECONDS)
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            # one snapshot for the pages and the evidence
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        proof = evidence.gather(records)
        facts = kinds.Facts(
            number=report.number,
            tree_size=proof.tree_size,
            requested_by=report.requested_by,
            site=settings.SITE_NAME,
            at=at,
        )
        document = kind.write(report.subject, facts)
    sealing = load_seal(at=at)
    document = replace(
        document,
        attachments=(
            *document.attachments,
            Attachment(
                name=EVIDENCE_NAME,
                media_type="application/json",
                data=proof.to_json(),
                description="Entries of the audit trail with inclusion proofs and checkpoint",
            ),
        ),
    )
    drawn = layout.draw(spelling.spelled(document))
    sealed = sealing.sign(
        drawn, reason=f"{kind.title} {report.subject}", location=settings.SITE_NAME, at=at
    )
    digest = hashlib.sha256(sealed).hexdigest()
    name = f"{report.number}-{_plain(report.subject)}-{digest[:8]}.pdf"
    with recording.recording(
        Action.REPORT_SEALED, actor=System("report worker"), at=at, reason=f"sealed {report.number}"
    ):
        locked = Report.objects.select_for_update().get(pk=report.pk)
        if locked.state == ReportState.SEALED:  # another worker was faster: its file counts
            return locked
        _store(report.number, name, sealed)  # by whoever has the lock, so one at a time
        locked.state = ReportState.SEALED
        locked.sealed_at = at
        locked.file_name = name
        locked.file_digest = digest
        locked.record_digest = document.digest
        locked.tree_size = facts.tree_size
        locked.problem = ""
        locked.save()
    return locked


def fail(report: Report, *, problem: str, at: datetime) -> None:
    """Record why a report could not be made; it can be asked for again."""
    with recording.recording(
        Action.REPORT_FAILED, actor=System("report worker"), at=at, reason=problem[:300]
    ):
        locked = Report.objects.select_for_update().get(pk=report.pk)
        if locked.state == ReportState.REQUESTED:
            locked.state = ReportState.FAILED
            locked.problem = problem
            locked.save(update_fields=["state", "problem"])


def path_of(report: Report) -> Path:
    """Return where a sealed report's file is."""
    return Path(settings.REPORTS_DIR) / report.file_name


def content(report: Report) -> bytes:
    """Return a sealed file after comparing it with its record; raise `FileAltered` when it differs."""
    if report.state != ReportState.SEALED:
        raise FileNotReady(f"{report.number} is not sealed yet ({report.get_state_display()})")
    try:
        data = path_of(report).read_bytes()
    except OSError as error:
        raise FileAltered(
            f"the file of {report.number} cannot be read: {error.strerror}"
        ) from error
    if hashlib.sha256(data).hexdigest() != report.file_digest:
        raise FileAltered(
            f"the file of {report.number} is not the one that was sealed; restore it from the archive"
        )
    return data


def load_seal(*, at: datetime) -> "Seal":
    """Return the deployment's seal; the first start of a trial makes one that says it is a trial."""
    # pyHanko takes a fifth of the time in which a process starts, and few processes seal.
    from compliance.reports import seal

    folder = Path(settings.KEYS_DIR) / "seal"
    if not folder.exists():
        fresh = folder.with_name(f"seal.{secrets.token_hex(4)}")
        seal.create_trial_authority(fresh, at=at)
        try:
            fresh.rename(folder)
        except OSError:  # another worker made it in between
            for path in fresh.iterdir():
                path.unlink()
            fresh.rmdir()
    return seal.load(folder)


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in text)[:60]


def _store(number: str, name: str, data: bytes) -> None:
    """Write the whole file or nothing, and clear what a worker left that was killed at it.

    Each building has a digest, and so a name, of its own. A whole file of a report that is not sealed
    on record is of a worker that died between the two; or the database was restored, and somebody was
    given it: so it is put aside, and kept.
    """
    folder = Path(settings.REPORTS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.clear(folder, f"{number}-")
    for left in folder.glob(f"{number}-*.pdf"):
        (folder / "unrecorded").mkdir(exist_ok=True)
        left.rename(folder / "unrecorded" / left.name)
        log.warning("%s was never recorded: it is kept in unrecorded/", left.name)
    durable.replace(folder / name, data)
