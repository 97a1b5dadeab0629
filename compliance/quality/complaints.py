"""Record complaints, and let quality decide what is investigated (21 CFR 211.198)."""

from dataclasses import dataclass
from datetime import date, datetime

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import Complaint, ComplaintState, Deviation
from compliance.quality.states import COMPLAINT, OfComplaint
from compliance.refusals import Refused
from compliance.trail import recording


class ComplaintIncomplete(Refused):
    code = "complaint-incomplete"
    status = 422


@dataclass(frozen=True)
class Received:
    """What came in (211.198(b)(1))."""

    product: str
    lot: str
    complainant: str
    nature: str
    received_on: date


def record(*, received: Received, actor: User, at: datetime) -> Complaint:
    """Record a complaint as it came in."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    texts = (received.product, received.lot, received.complainant)
    if not all(text.strip() for text in texts) or len(received.nature.strip()) < 20:
        raise ComplaintIncomplete(
            "a complaint has product, lot (or “unknown”) and complainant, and says in 20 "
            "characters or more what it is about"
        )
    if received.received_on > at.date():
        raise ComplaintIncomplete("a complaint was received today or before")
    with recording.recording(
        Action.COMPLAINT_RECORDED, actor=actor, at=at, reason=f"complaint on {received.product}"
    ):
        return Complaint.objects.create(
            number=numbering.next_number(Complaint, prefix="CP", at=at),
            product=received.product.strip(), lot=received.lot.strip(),
            complainant=received.complainant.strip(), nature=received.nature.strip(),
            received_on=received.received_on, recorded_by=actor, recorded_at=at,
        )  # fmt: skip


def decide(
    complaint: Complaint, *, deviation: Deviation | None, reason: str, actor: User, at: datetime
) -> Complaint:
    """Have a complaint investigated in a deviation, or say why no investigation is needed."""
    COMPLAINT.permit(actor, OfComplaint.DECIDE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.COMPLAINT_DECIDED, actor=actor, at=at, reason=text):
        held = COMPLAINT.take(complaint, OfComplaint.DECIDE)
        held.is_investigated = deviation is not None
        held.deviation = deviation
        held.why_not = "" if deviation else text
        held.save(update_fields=["is_investigated", "deviation", "why_not"])
    return held


def answer(complaint: Complaint, *, reply: str, actor: User, at: datetime) -> Complaint:
    """Record the reply; after the investigation, where one was decided on."""
    COMPLAINT.permit(actor, OfComplaint.ANSWER)
    text = recording.demand_reason(reply)
    with recording.recording(Action.COMPLAINT_ANSWERED, actor=actor, at=at, reason=text):
        held = COMPLAINT.take(complaint, OfComplaint.ANSWER)
        if held.is_investigated is None:
            raise ComplaintIncomplete(f"{held.number}: decide first whether it is investigated")
        if held.deviation is not None and held.deviation.is_open:
            raise ComplaintIncomplete(f"{held.number} waits for {held.deviation.number}")
        held.state, held.reply, held.answered_at = ComplaintState.ANSWERED, text, at
        held.save(update_fields=["state", "reply", "answered_at"])
    return held
