"""Keep one receipt for each accepted write, in the same transaction as what it changed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.utils import OperationalError

from batches.exchange.actions import Action
from batches.exchange.models import Receipt
from compliance.access.authority import Principal
from compliance.refusals import Refused
from compliance.trail import recording

LOCK_NOT_AVAILABLE = "55P03"
WAIT = "5s"


class KeyReused(Refused):
    """The key was used for another body: sender and receiver disagree about what it names."""

    code = "idempotency-key-reused"
    status = 422


class KeyInFlight(Refused):
    """A request with this key is under way; ask again in a moment."""

    code = "idempotency-key-in-flight"


@dataclass(frozen=True)
class Posted:
    """One write as it was asked for: who, where, under which key, and the digest of its bytes."""

    sender: Principal
    method: str
    path: str
    key: str
    digest: str


def find(posted: Posted) -> Receipt | None:
    """Return the receipt of this write when it was accepted before; raise `KeyReused`."""
    receipt = Receipt.objects.filter(
        sender=posted.sender.trail_identity().id,
        method=posted.method,
        path=posted.path,
        idempotency_key=posted.key,
    ).first()
    if receipt is not None and receipt.request_digest != posted.digest:
        raise KeyReused(
            f"the Idempotency-Key {posted.key} was used for another body at "
            f"{receipt.recorded_at.isoformat()}; take a new key for a new message"
        )
    return receipt


def claim(posted: Posted) -> None:
    """Let one transaction at a time work under a key; raise `KeyInFlight` after five seconds.

    A second sender waits here, and then finds the first one's receipt.
    """
    scope = "\n".join((posted.sender.trail_identity().id, posted.method, posted.path, posted.key))
    lock = int.from_bytes(hashlib.sha256(scope.encode()).digest()[:8], signed=True)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise KeyInFlight(
            f"a request with the Idempotency-Key {posted.key} is under way; send it again"
        ) from error


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
        return Receipt.objects.create(
            sender=posted.sender.trail_identity().id,
            sender_name=posted.sender.trail_identity().name,
            idempotency_key=posted.key,
            method=posted.method,
            path=posted.path,
            request_digest=posted.digest,
            status=status,
            answer=answer,
            act=act,
            recorded_at=at,
        )
