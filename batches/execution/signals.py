"""The one signal of the product: something about a batch was recorded, and is committed."""

from django.db import transaction
from django.dispatch import Signal

from batches.execution.models import Batch

# Arguments: batch (Batch, as the act held it), kind ("event", "readings" or "result"), record_id
# (int). It is sent after the commit; a receiver that fails is logged, hinders no other and undoes
# nothing.
batch_event_recorded = Signal()


def announce(batch: Batch, *, kind: str, record_id: int) -> None:
    """Send the signal when the transaction under way has committed."""

    def send() -> None:  # a name of its own: Django tells by it what failed after a commit
        batch_event_recorded.send_robust(sender=None, batch=batch, kind=kind, record_id=record_id)

    transaction.on_commit(send, robust=True)
