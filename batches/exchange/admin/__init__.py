"""Pages of exchange: receipts, sources with what they sent, and who is told of changes."""

from batches.exchange.admin import receipts, streams, webhooks

__all__ = ["receipts", "streams", "webhooks"]
