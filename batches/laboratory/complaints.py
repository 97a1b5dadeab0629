"""Take complaints, look at the batches they may concern, and answer them (21 CFR 211.198)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from batches.execution.models import Batch
from batches.laboratory import states
from batches.laboratory.actions import Action
from batches.laboratory.models import Complaint, ComplaintBatch, ComplaintState
from batches.laboratory.states import ComplaintStep
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

ANSWER_WITHIN = timedelta(days=30)
NEIGHBOURS_WITHIN = timedelta(days=90)


class ComplaintIncomplete(Refused):
    code = "complaint-incomplete"
    status = 422


class InvestigatorCloses(Refused):
    code = "complaint-investigator-is-approver"


@dataclass(frozen=True)
class Told:
    """What was told, in the complainant's words where there are any (211.198(b)(1))."""

    complainant: str
    product_text: str
    nature: str
    is_serious: bool
    lot_text: str = ""


@dataclass(frozen=True)
class Answer:
    """What the investigation found, or why there is none (211.198(b)(2), (3))."""

    needs_investigation: bool
    findings: str = ""
    follow_up: str = ""
    no_investigation_reason: str = ""
    reply: str = ""
    deviation: Deviation | None = None


def open_(*, told: Told, received_at: datetime, actor: User, at: datetime) -> Complaint:
    """Open a complaint; a lot number that is a batch of ours is linked when it is looked at."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    if received_at > at or len(told.nature.strip()) < 20 or not told.product_text.strip():
        raise ComplaintIncomplete(
            "a complaint says of which product, and in 20 characters or more of what nature; it "
            "was received by now"
        )
    with recording.recording(
        Action.COMPLAINT_OPENED, actor=actor, at=at, reason=f"complaint on {told.product_text}"
    ):
        return Complaint.objects.create(
            number=numbering.next_number(Complaint, prefix="CPL", at=at),
            received_at=received_at,
            opened_at=at,
            opened_by=actor,
            due_on=(at + ANSWER_WITHIN).date(),
            **vars(told),
        )


def consider(
    complaint: Complaint, *, batch: Batch, is_affected: bool, finding: str, actor: User,
    at: datetime,
) -> ComplaintBatch:  # fmt: skip
    """Record what was found when a batch was looked at because of a complaint."""
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(finding)
    with recording.recording(Action.COMPLAINT_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = _take(complaint, ComplaintStep.LINK_BATCH)
        if ComplaintBatch.objects.filter(complaint=locked, batch=batch).exists():
            raise ComplaintIncomplete(f"{batch} is considered in {locked} already")
        return ComplaintBatch.objects.create(
            complaint=locked, batch=batch, is_affected=is_affected, finding=text, linked_by=actor,
            linked_at=at,
        )  # fmt: skip


def neighbours(complaint: Complaint) -> QuerySet[Batch]:
    """Return the batches that the investigation has yet to look at (21 CFR 211.192).

    The batch that was named, and those of its product that were issued within 90 days of an
    affected one.
    """
    seen = Batch.objects.filter(complaint_links__complaint=complaint)
    wanted = Batch.objects.filter(number=complaint.lot_text) if complaint.lot_text else seen.none()
    affected = list(
        seen.filter(complaint_links__complaint=complaint, complaint_links__is_affected=True)
    )
    for one in affected:
        wanted = wanted | Batch.objects.filter(
            recipe__product=one.recipe.product_id,
            issued_at__range=(one.issued_at - NEIGHBOURS_WITHIN, one.issued_at + NEIGHBOURS_WITHIN),
        )
    return wanted.exclude(pk__in=seen.values("pk")).distinct().order_by("number")


def investigate(
    complaint: Complaint, *, answer: Answer, actor: User, at: datetime, reason: str
) -> Complaint:
    """Record or amend the findings, or why no investigation is needed."""
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(reason)
    _demand_whole(complaint, answer)
    with recording.recording(Action.COMPLAINT_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = _take(complaint, ComplaintStep.INVESTIGATE)
        for name, value in vars(answer).items():
            setattr(locked, name, value.strip() if isinstance(value, str) else value)
        locked.investigator = actor
        locked.state = ComplaintState.INVESTIGATED
        locked.save()
        return locked


def close(complaint: Complaint, *, confirmed: Confirmed, reason: str) -> Complaint:
    """Close a complaint by signature of quality, when every neighbour batch was looked at."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.CLOSE_DEVIATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.COMPLAINT_CLOSED, actor=actor, at=at, reason=text):
        locked = _take(complaint, ComplaintStep.CLOSE)
        if actor.pk == locked.investigator_id:
            raise InvestigatorCloses(f"{locked}: whoever investigated does not close it")
        left = list(neighbours(locked).values_list("number", flat=True)[:10])
        if locked.needs_investigation and left:
            raise ComplaintIncomplete(
                f"{locked}: not looked at yet: {', '.join(left)}; say of each what was found"
            )
        signing.sign(locked, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        locked.state, locked.approver, locked.closed_at = ComplaintState.CLOSED, actor, at
        locked.save(update_fields=["state", "approver", "closed_at"])
    return locked


def _take(complaint: Complaint, step: ComplaintStep) -> Complaint:
    locked = Complaint.objects.select_for_update().get(pk=complaint.pk)
    states.demand(locked, locked.state, step)
    return locked


def _demand_whole(complaint: Complaint, answer: Answer) -> None:
    if not answer.needs_investigation:
        if len(answer.no_investigation_reason.strip()) < 20:
            raise ComplaintIncomplete("without an investigation, say why in 20 characters or more")
        if complaint.is_serious:
            raise ComplaintIncomplete(
                f"{complaint} is of a serious adverse experience: it is investigated"
            )
    elif len(answer.findings.strip()) < 20 or len(answer.follow_up.strip()) < 8:
        raise ComplaintIncomplete("an investigation has findings and a follow-up")


@signing.signable(Complaint, meanings=[Meaning.CLOSED])
def content(complaint: Complaint) -> Mapping[str, canonical.Value]:
    """What a signature under a complaint covers; who complained may be erased one day."""
    fields = (
        "number", "product_text", "lot_text", "nature", "is_serious", "needs_investigation",
        "no_investigation_reason", "findings", "follow_up", "reply",
    )  # fmt: skip
    batches = complaint.batch_links.select_related("batch").order_by("batch__number")
    return {
        **{name: getattr(complaint, name) for name in fields},
        "deviation": complaint.deviation.number if complaint.deviation else None,
        "batches": [[one.batch.number, one.is_affected, one.finding] for one in batches],
    }
