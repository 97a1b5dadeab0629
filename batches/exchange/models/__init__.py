"""What exchange keeps: receipts, messages, streams, and who is told of changes."""

from batches.exchange.models.messages import Message, MessageState, SenderMapping, UnitAlias
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
    "Message",
    "MessageState",
    "Position",
    "Receipt",
    "Replay",
    "Scheme",
    "SenderMapping",
    "Source",
    "SourceRecord",
    "Subscription",
    "UnitAlias",
]
