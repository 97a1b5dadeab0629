"""The one signal of the product: something about a batch was recorded, and is committed."""

from functools import partial

from django.db import transaction
from django.dispatch import Signal

# Arguments: batch_id (int), kind ("event", "readings" or "result"), record_id (int). It is sent
# after the commit; a receiver that fails is logged and undoes nothing.
batch_event_recorded = Signal()


def announce(*, batch_id: int, kind: str, record_id: int) -> None:
    """Send the signal when the transaction under way has committed."""
    send = partial(
        batch_event_recorded.send, sender=None, batch_id=batch_id, kind=kind, record_id=record_id
    )
    transaction.on_commit(send, robust=True)
