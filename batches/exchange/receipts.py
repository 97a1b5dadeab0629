"""Keep one receipt for each accepted write, in the same transaction as what it changed."""

from datetime import datetime

from django.db import connection

from batches.exchange.actions import Action
from batches.exchange.models import Receipt
from compliance.api_contract.idempotency import Posted
from compliance.trail import recording


def find(posted: Posted) -> Receipt | None:
    """Return the receipt of this write when it was accepted before."""
    return Receipt.objects.filter(
        sender=posted.sender.trail_identity().id,
        method=posted.method,
        path=posted.path,
        idempotency_key=posted.key,
    ).first()


def keep(posted: Posted, *, status: int, answer: str, at: datetime) -> Receipt:
    """Write the receipt of a write that was just made in this transaction."""
    with connection.cursor() as cursor:
        # The act that made the change has ended, but its words are still set in this transaction.
        cursor.execute(
            "SELECT coalesce(nullif(current_setting('audit.act', true), '')::json ->> 'id', '')"
        )
        (act,) = cursor.fetchone()
    with recording.recording(
        Action.MESSAGE_ACCEPTED, actor=posted.sender, at=at, reason=f"message {posted.key}"
    ):
        identity = posted.sender.trail_identity()
        return Receipt.objects.create(
            sender=identity.id,
            sender_name=identity.name[:60],
            idempotency_key=posted.key,
            method=posted.method,
            path=posted.path,
            request_digest=posted.digest,
            status=status,
            answer=answer,
            act=act,
            recorded_at=at,
        )
