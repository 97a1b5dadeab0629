"""Keep what was refused on record, also when the transaction that tried it is rolled back."""

from datetime import datetime
from enum import StrEnum

from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.actions import Action
from compliance.trail.models import Refusal
from compliance.trail.recording import Actor

ALIAS = "outside"


def record(
    refused: Refused, *, action: StrEnum | str, actor: Actor, at: datetime, subject: str = ""
) -> Refusal:
    """Write a refusal with its entry, in a connection that the caller's rollback does not reach."""
    identity = actor.trail_identity()
    with recording.recording(
        Action.ACT_REFUSED, actor=actor, at=at, reason=refused.code, using=ALIAS
    ):
        return Refusal.objects.using(ALIAS).create(
            action=str(action),
            code=refused.code,
            message=str(refused),
            subject=subject,
            actor=identity.name,
            actor_id=identity.id,
            role=identity.role,
            source=recording.source.get(),
            recorded_at=at,
        )
