"""What was accepted from other systems: one receipt for each write, so that a retry is harmless."""

from django.db import models

from batches.exchange.message_models import Message, MessageState, SenderMapping, UnitAlias
from compliance.trail.capture import controlled

__all__ = ["Message", "MessageState", "Receipt", "SenderMapping", "UnitAlias"]


@controlled(append_only=True)
class Receipt(models.Model):
    """The answer given to one accepted write; a repeat of the write gets the same again."""

    sender = models.CharField(
        max_length=60, help_text="Identity of the device or person, as in the trail."
    )
    sender_name = models.CharField(max_length=60)
    idempotency_key = models.CharField(max_length=120)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of the posted bytes.")
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    act = models.CharField(max_length=36, help_text="The act in the trail that made the change.")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "method", "path", "idempotency_key"], name="receipt_once"
            )
        ]
        indexes = [models.Index(fields=["idempotency_key"])]

    def __str__(self) -> str:
        return f"{self.sender_name} {self.idempotency_key} ({self.pk})"
