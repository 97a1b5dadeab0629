"""Pages of exchange: receipts, messages, sources with what they sent, and who is told of changes."""

from batches.exchange.admin import declared, messages, receipts, streams, webhooks

__all__ = ["declared", "messages", "receipts", "streams", "webhooks"]
