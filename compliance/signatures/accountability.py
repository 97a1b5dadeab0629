"""Ask whether a person has acknowledged what an electronic signature means (21 CFR 11.10(j))."""

from django.db import models

from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures.models import Meaning, Signature, Statement
from compliance.trail import capture


class AccountabilityNotAcknowledged(Refused):
    """Nobody signs before acknowledging the accountability statement in force."""

    code = "accountability-not-acknowledged"
    status = 403


def effective() -> Statement | None:
    """Return the statement in force: the newest one that is published."""
    return Statement.objects.exclude(effective_at=None).order_by("-version").first()


def acknowledgement(person: User) -> Signature | None:
    """Return the person's signature under the statement in force, or None."""
    statement = effective()
    if statement is None:
        return None
    return (
        Signature.objects.filter(
            record=capture.record_of(Statement),
            record_id=str(statement.pk),
            meaning=Meaning.ACKNOWLEDGED,
            signer=person,
        )
        .order_by("pk")
        .first()
    )


def is_acknowledgement(record: models.Model, meaning: Meaning) -> bool:
    return isinstance(record, Statement) and meaning == Meaning.ACKNOWLEDGED


def demand(person: User) -> None:
    """Pass when the person has acknowledged the statement in force."""
    if acknowledgement(person) is None:
        raise AccountabilityNotAcknowledged(
            f"{person.username} has not acknowledged the accountability statement in force; read "
            "and sign it first (Accountability in the admin, or POST /api/v1/accountability)"
        )
