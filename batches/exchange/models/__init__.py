"""What exchange keeps: receipts, what sources sent, what was missing, and who is told of changes."""

from batches.exchange.models.receipts import Receipt
from batches.exchange.models.streams import Gap, Source, SourceRecord
from batches.exchange.models.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Position,
    Replay,
    Scheme,
    Subscription,
)

__all__ = [
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "Gap",
    "Position",
    "Receipt",
    "Replay",
    "Scheme",
    "Source",
    "SourceRecord",
    "Subscription",
]
