"""Keep the reference of the letter to the agency about electronic signatures (21 CFR 11.100(c))."""

from datetime import date, datetime

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import CertificationLetter, User
from compliance.refusals import Refused
from compliance.trail import recording


class LetterInvalid(Refused):
    """The record of the letter does not say what it must."""

    code = "certification-letter-invalid"
    status = 422


class LetterKnown(Refused):
    code = "certification-letter-known"


def record(
    *, reference: str, sent_on: date, addressed_to: str, actor: User, at: datetime
) -> CertificationLetter:
    """Record a letter that was sent; a later one stands beside it."""
    authority.demand(actor, Duty.REVIEW_ACCESS)
    reference, addressed_to = reference.strip(), addressed_to.strip()
    if len(reference) < 3 or len(addressed_to) < 3:
        raise LetterInvalid("a letter has a reference, and an office that it was sent to")
    if sent_on > at.date():
        raise LetterInvalid("a letter cannot have been sent in the future")
    if CertificationLetter.objects.filter(reference=reference).exists():
        raise LetterKnown(f"{reference} is on record already")
    with recording.recording(
        Action.CERTIFICATION_RECORDED, actor=actor, at=at, reason=f"letter {reference}"
    ):
        return CertificationLetter.objects.create(
            reference=reference, sent_on=sent_on, addressed_to=addressed_to,
            recorded_by=actor, recorded_at=at,
        )  # fmt: skip


def letter() -> CertificationLetter | None:
    """Return the newest letter, or None: then the readiness for FDA lacks it."""
    return CertificationLetter.objects.order_by("-sent_on", "-pk").first()
