"""What sources send: each record with its natural key, its four times and its place in the order."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.access.models import Device
from compliance.trail.capture import controlled


@controlled(guards=("keep_source",))
class Source(models.Model):
    """A system whose records a device brings; its thresholds say what is late or doubtful."""

    code = models.CharField(max_length=60, unique=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="sources")
    description = models.CharField(max_length=200, blank=True)
    late_after_s = models.PositiveIntegerField(
        "late after (s)", default=900, help_text="Received so long after it was observed."
    )
    backfilled_after_s = models.PositiveIntegerField(
        "backfilled after (s)", default=3600, help_text="So long that it comes from a store."
    )
    clock_skew_s = models.PositiveIntegerField(
        "clock suspect beyond (s)", default=60,
        help_text="Its clock is so far from ours when it sends, or ahead of ours.",
    )  # fmt: skip
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="source_backfilled_is_late",
                condition=Q(backfilled_after_s__gte=F("late_after_s")),
            ),
            models.CheckConstraint(
                name="source_code_plain", condition=Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
            ),
        ]

    def __str__(self) -> str:
        return self.code


@controlled(append_only=True, digest_only=("content",), guards=("keep_version",))
class SourceRecord(models.Model):
    """One version of one record of a source, as it was accepted; a correction is the next one."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="records")
    record_id = models.CharField("record", max_length=120)
    version = models.PositiveIntegerField(default=1)
    previous = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by_version"
    )
    reason = models.CharField(max_length=1000, blank=True, help_text="Of a correction.")
    corrected_by = models.CharField(
        max_length=100, blank=True, help_text="Who corrected it, as the source names them."
    )
    sequence = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=20)
    content = models.TextField(help_text="As digested: canonical JSON; empty for readings.")
    content_digest = models.CharField(max_length=64)
    observed_text = models.CharField(max_length=40, help_text="As sent, with its offset.")
    observed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    is_backfilled = models.BooleanField(default=False)
    is_clock_suspect = models.BooleanField(default=False)
    doubts = models.CharField(max_length=300, blank=True, help_text="Which threshold was passed.")
    subject = models.CharField(max_length=100, help_text="Table and number of what was recorded.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "record_id", "version"], name="source_record_once"
            ),
            models.UniqueConstraint(fields=["source", "sequence"], name="source_sequence_once"),
            models.CheckConstraint(
                name="source_record_corrected_with_reason",
                condition=Q(version=1, previous=None)
                | (Q(version__gt=1, previous__isnull=False) & ~Q(reason="") & ~Q(corrected_by="")),
            ),
            models.CheckConstraint(
                name="source_sequence_counts", condition=Q(sequence=None) | Q(sequence__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.record_id} version {self.version}"

    @property
    def flags(self) -> list[str]:
        named = (
            ("late", self.is_late),
            ("backfilled", self.is_backfilled),
            ("clock-suspect", self.is_clock_suspect),
        )
        return [name for name, is_set in named if is_set]


@controlled(guards=("keep_gap",))
class Gap(models.Model):
    """Numbers that a source left out: closed by what comes late, or explained by a person."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="gaps")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    missing = models.BigIntegerField(help_text="How many of them have not come yet.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    explanation = models.TextField(blank=True, help_text="Why they will never come.")
    explained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    explained_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "first"], condition=Q(missing__gt=0), name="gap_open")
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "first"], name="gap_once"),
            models.CheckConstraint(
                name="gap_counts",
                condition=Q(first__gte=1, last__gte=F("first"), missing__gte=0)
                & Q(missing__lte=F("last") - F("first") + 1),
            ),
            models.CheckConstraint(
                name="gap_closed_when_nothing_is_missing",
                condition=Q(missing=0, closed_at__isnull=False)
                | Q(missing__gt=0, closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="gap_explained_by_somebody",
                condition=Q(explanation="", explained_by=None, explained_at=None)
                | (~Q(explanation="") & Q(explained_by__isnull=False, explained_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.first} to {self.last}"

    @property
    def state(self) -> str:
        if self.missing == 0:
            return "closed"
        return "explained" if self.explanation else "open"
