"""Keep one receipt for each accepted write, in the same transaction as what it changed."""

from datetime import datetime

from batches.exchange.actions import Action
from batches.exchange.models import Receipt
from compliance.api_contract.idempotency import Posted
from compliance.trail import recording
from compliance.written_once import Insertion, Lookup

_known = Lookup(Receipt, "sender", "method", "path", "idempotency_key")
_store = Insertion(Receipt)


def find(posted: Posted) -> Receipt | None:
    """Return the receipt of this write when it was accepted before."""
    return _known(posted.sender.trail_identity().id, posted.method, posted.path, posted.key)


def keep(posted: Posted, *, status: int, answer: str, at: datetime) -> Receipt:
    """Write the receipt of a write that was just made in this transaction."""
    identity = posted.sender.trail_identity()
    begin, act = recording.closing(
        Action.MESSAGE_ACCEPTED, actor=posted.sender, at=at, reason=f"message {posted.key}"
    )
    receipt = Receipt(
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
    return _store(receipt, after=begin)
