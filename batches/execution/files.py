"""Attach files to a batch or a phase; each is stored by its digest and never overwritten."""

import io
from dataclasses import dataclass
from datetime import datetime

from batches.execution import states
from batches.execution.actions import Action
from batches.execution.models import Batch, BatchFile, BatchPhase
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import attachments, recording
from compliance.trail.models import Attachment


class FileAttached(Refused):
    """The very same file, under the same name, is attached already."""

    code = "file-attached"


@dataclass(frozen=True)
class Content:
    """A file as a person gives it."""

    filename: str
    media_type: str
    content: bytes


def attach(
    batch: Batch, *, content: Content, title: str, actor: User, at: datetime,
    phase: BatchPhase | None = None,
) -> BatchFile:  # fmt: skip
    """Store a file and say in the record what it is."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    text = recording.demand_reason(title)
    with recording.recording(Action.FILE_ATTACHED, actor=actor, at=at, reason=text):
        held = states.hold(batch, Step.RECORD_EVENT)
        kept = store(held, content=content, actor=actor, at=at)
        if held.files.filter(attachment=kept).exists():
            raise FileAttached(f"{content.filename} is attached to {held.number} already")
        return BatchFile.objects.create(
            batch=held, phase=phase, attachment=kept, title=text, attached_by=actor, attached_at=at
        )


def store(batch: Batch, *, content: Content, actor: User, at: datetime) -> Attachment:
    """Store a file under its digest, for a batch."""
    return attachments.add(
        io.BytesIO(content.content),
        filename=content.filename,
        media_type=content.media_type,
        subject=f"batch {batch.number}",
        actor=actor,
        at=at,
        reason=f"{content.filename} for batch {batch.number}",
    )
