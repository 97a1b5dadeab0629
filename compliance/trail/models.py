"""What the application reads of the trail, and the refusals that it keeps."""

from datetime import datetime

from django.db import models

from compliance.trail.capture import controlled


class EntryQuerySet(models.QuerySet["Entry"]):
    def of_record(self, table: str, record_id: object) -> "EntryQuerySet":
        """Return one record's entries, the first one first."""
        return self.filter(record=table, record_id=str(record_id)).order_by("entry_id")

    def by_actor(self, actor: str) -> "EntryQuerySet":
        return self.filter(actor=actor)

    def between(self, start: datetime, end: datetime) -> "EntryQuerySet":
        """Return entries of the time from `start` on, before `end`."""
        return self.filter(at__gte=start, at__lt=end)

    def of_act(self, act: str) -> "EntryQuerySet":
        return self.filter(act=act)


class Entry(models.Model):
    """One changed row: who, in which role, what, why. A view; nobody writes it."""

    entry_id = models.BigIntegerField(primary_key=True)
    log_id = models.SmallIntegerField("log")
    index = models.BigIntegerField("leaf", db_column="idx", null=True)
    at = models.DateTimeField()
    act = models.CharField()
    action = models.CharField()
    actor = models.CharField()
    role = models.CharField()
    op = models.CharField("kind", choices=[(one, one) for one in ("insert", "update", "delete")])
    reason = models.CharField()
    record = models.CharField()
    record_id = models.CharField()
    record_seq = models.BigIntegerField("number")
    source = models.CharField()
    digest = models.BinaryField(null=True)  # null, as the body, when the entry is not here
    body = models.TextField(null=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = 'audit"."entry_view'  # Django quotes it: "audit"."entry_view"
        default_permissions = ("view",)
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.action} {self.record} {self.record_id} #{self.record_seq}"


class Checkpoint(models.Model):
    """A signed statement of the log about itself. Nobody writes it here."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        managed = False
        default_permissions = ("view",)
        db_table = 'audit"."checkpoint'

    def __str__(self) -> str:
        return f"checkpoint of {self.size} leaves"


@controlled(append_only=True)
class Refusal(models.Model):
    """An act that a rule refused: what was tried, by whom, and which rule said no."""

    action = models.CharField(max_length=100)
    code = models.CharField(max_length=100)
    message = models.TextField()
    subject = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=200)
    actor_id = models.CharField(max_length=100)
    role = models.CharField(max_length=200)
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_index=True)
    # What makes a repeat the same refusal (refusals.record); older ones have none
    key = models.CharField(max_length=64, unique=True, null=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.action} refused: {self.code}"


@controlled(append_only=True, guards=("kinds_apart",))
class LogEvent(models.Model):
    """What the log says about itself: a key changed, a token received, a verification done."""

    kind = models.CharField(max_length=40, db_index=True)
    document = models.TextField()  # canonical JSON
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


@controlled(append_only=True)
class Attachment(models.Model):
    """A file that belongs to a record, kept under its digest outside of the database."""

    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    filename = models.CharField(max_length=200)
    subject = models.CharField(max_length=200, db_index=True)
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "filename", "sha256"], name="attachment_stored_once"
            ),
            models.CheckConstraint(
                name="attachment_digest", condition=models.Q(sha256__regex="^[0-9a-f]{64}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.pk})"
