"""Take in messages in the formats of other systems: the bytes are kept, whatever they map to."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from batches.exchange import converting, declaring, landing, reading_messages, sender_mappings
from batches.exchange.actions import Action
from batches.exchange.converting import Converted
from batches.exchange.formats import detecting
from batches.exchange.formats.contents import Content
from batches.exchange.models.messages import Message, MessageState, SenderMapping
from batches.execution.models import Batch
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device, User
from compliance.refusals import Refused
from compliance.trail import attachments, recording
from compliance.trail.models import Attachment


class MessageIdReused(Refused):
    """The sender used the id of a message for other bytes."""

    code = "message-id-reused"


class BatchUnknown(Refused):
    code = "batch-unknown"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A message as it is posted: its bytes, unpacked, and what was said beside them."""

    data: bytes
    media_type: str
    mapping: str = ""
    batch: str = ""
    converter: str = ""
    filename: str = ""


def receive(posted: Posted, *, actor: Principal, at: datetime) -> Message:
    """Keep a message and map it, or put it in quarantine with the report that says why.

    The same bytes from the same sender are the same message. Raise a refusal, and keep nothing,
    for what is no message at all: wrong type, malformed, forbidden or too large.
    """
    authority.demand_one(actor, Duty.RECORD_EXECUTION, Duty.ENTER_RESULTS)
    sha256 = hashlib.sha256(posted.data).hexdigest()
    if known := _known(actor, sha256):
        return known
    kind = detecting.kind_of(posted.data, media_type=posted.media_type)
    mapping = sender_mappings.effective(posted.mapping) if posted.mapping else None
    batch = _batch(posted.batch)
    converted = None
    if kind == "raw":
        converted = converting.convert(
            posted.data, vendor=posted.converter, filename=posted.filename
        )
    content = _content(posted.data, kind, mapping, converted)
    with recording.recording(
        Action.MESSAGE_RECEIVED, actor=actor, at=at, reason=f"message {sha256[:16]}"
    ):
        declaring.queue(f"message:{actor.trail_identity().id}:{sha256}")
        if known := _known(actor, sha256):
            return known
        _demand_own_id(actor, content)
        message = Message.objects.create(
            format=content.format,
            format_version=content.version,
            media_type=detecting.MEDIA_TYPES[kind],
            own_id=content.message_id,
            sha256=sha256,
            size=len(posted.data),
            attachment=_kept(posted.data, kind, sha256, actor=actor, at=at),
            converted_by=converted.program if converted else "",
            converted=_converted(converted, sha256, actor=actor, at=at),
            mapping=mapping,
            batch=batch,
            source=actor if isinstance(actor, Device) else None,
            sent_by=actor if isinstance(actor, User) else None,
            received_at=at,
        )
        landed = landing.land(message, content, actor=actor, at=at)
        message.report = {**content.report.as_json(), "landed": landed}
        message.state = MessageState.MAPPED if content.report.is_clean else MessageState.QUARANTINED
        message.save(update_fields=["report", "state", "batch"])
    return message


def content_of(message: Message) -> Content:
    """Read a kept message again, with the mapping that it has now."""
    if message.converted is not None:
        data, kind = attachments.open_(message.converted).read(), "json"
    else:
        data = attachments.open_(message.attachment).read()
        kind = detecting.DECLARED[message.media_type]
    failure = ""
    if kind == "raw":
        failure = "the file was not converted when it came; send it again"
    return reading_messages.read(data, kind=kind, mapping=message.mapping, failure=failure)


def original(message: Message) -> bytes:
    """Return the bytes as they came, compared with their digest."""
    return attachments.open_(message.attachment).read()


def _known(actor: Principal, sha256: str) -> Message | None:
    mine = {"source": actor} if isinstance(actor, Device) else {"sent_by": actor}
    return Message.objects.filter(sha256=sha256, **mine).first()


def _batch(number: str) -> Batch | None:
    if not number:
        return None
    found = Batch.objects.filter(number=number).first()
    if found is None:
        raise BatchUnknown(f"there is no batch {number[:60]}")
    return found


def _content(
    data: bytes, kind: str, mapping: SenderMapping | None, converted: Converted | None
) -> Content:
    if converted is None:
        return reading_messages.read(data, kind=kind, mapping=mapping)
    return reading_messages.read(
        converted.document, kind="json", mapping=mapping, failure=converted.failure
    )


def _demand_own_id(actor: Principal, content: Content) -> None:
    if not content.message_id or not isinstance(actor, Device):
        return
    if Message.objects.filter(source=actor, own_id=content.message_id).exists():
        raise MessageIdReused(
            f"{actor} has sent other bytes as message {content.message_id} before"
        )


def _kept(data: bytes, kind: str, sha256: str, *, actor: Principal, at: datetime) -> Attachment:
    end = "bin" if kind == "raw" else kind
    return attachments.add(
        io.BytesIO(data), filename=f"{sha256[:16]}.{end}", subject=f"message {sha256}",
        media_type=detecting.MEDIA_TYPES[kind], actor=actor, at=at,
        reason="the message as it came",
    )  # fmt: skip


def _converted(
    converted: Converted | None, sha256: str, *, actor: Principal, at: datetime
) -> Attachment | None:
    if converted is None or converted.failure:
        return None
    return attachments.add(
        io.BytesIO(converted.document), filename=f"{sha256[:16]}.asm.json",
        subject=f"message {sha256}", media_type="application/json", actor=actor, at=at,
        reason=f"made of it by {converted.program}",
    )  # fmt: skip
