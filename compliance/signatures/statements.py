"""Draft, publish and acknowledge the accountability statement (21 CFR 11.10(j))."""

from collections.abc import Mapping
from datetime import datetime

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import accountability, signing
from compliance.signatures.actions import Action
from compliance.signatures.confirming import Confirmed
from compliance.signatures.models import Meaning, Signature, Statement
from compliance.trail import recording
from compliance.trail.tlog import canonical


class StatementIncomplete(Refused):
    code = "statement-incomplete"
    status = 422


class StatementPublished(Refused):
    code = "statement-published"


class StatementNotInForce(Refused):
    """Only the statement in force is acknowledged."""

    code = "statement-not-in-force"


class AuthorIsApprover(Refused):
    """Whoever wrote a statement does not approve it."""

    code = "author-is-approver"


class AlreadyAcknowledged(Refused):
    code = "already-acknowledged"


def draft(*, text: str, actor: User, at: datetime, reason: str) -> Statement:
    """Write the next version; it has no effect until another person publishes it."""
    authority.demand(actor, Duty.MANAGE_TRAINING)
    why = recording.demand_reason(reason)
    if len(text.strip()) < 40:
        raise StatementIncomplete(
            "a statement says, in 40 characters or more, what a signature binds its signer to"
        )
    with recording.recording(Action.STATEMENT_DRAFTED, actor=actor, at=at, reason=why):
        last = Statement.objects.select_for_update().order_by("-version").first()
        return Statement.objects.create(
            version=last.version + 1 if last else 1,
            text=text.strip(),
            drafted_by=actor,
            drafted_at=at,
        )


def publish(statement: Statement, *, confirmed: Confirmed, reason: str) -> Statement:
    """Put a version in force by signature; everybody acknowledges it before the next signing."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.MANAGE_TRAINING)
    why = recording.demand_reason(reason)
    with recording.recording(Action.STATEMENT_PUBLISHED, actor=actor, at=at, reason=why):
        locked = Statement.objects.select_for_update().get(pk=statement.pk)
        if locked.effective_at is not None:
            raise StatementPublished(f"{locked} is published already")
        newer = Statement.objects.exclude(effective_at=None).filter(version__gt=locked.version)
        if newer.exists():
            raise StatementPublished(f"a newer version than {locked} is in force; draft a new one")
        if locked.drafted_by_id == actor.pk:
            raise AuthorIsApprover(f"{locked}: ask a second person to approve what you wrote")
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed, comment=why)
        locked.effective_at = at
        locked.save(update_fields=["effective_at"])
    return locked


def acknowledge(statement: Statement, *, confirmed: Confirmed) -> Signature:
    """Acknowledge, by signature, the statement in force."""
    in_force = accountability.effective()
    if in_force is None or in_force.pk != statement.pk:
        raise StatementNotInForce(f"{statement} is not in force; acknowledge the one that is")
    if accountability.acknowledgement(confirmed.signer) is not None:
        raise AlreadyAcknowledged(f"{confirmed.signer.username} has acknowledged {statement}")
    return signing.sign(statement, meaning=Meaning.ACKNOWLEDGED, confirmed=confirmed)


@signing.signable(Statement, meanings=[Meaning.APPROVED, Meaning.ACKNOWLEDGED])
def signed_content(statement: Statement) -> Mapping[str, canonical.Value]:
    return {"version": statement.version, "text": statement.text}
