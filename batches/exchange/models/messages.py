"""What other systems sent in formats of their own, and what was declared to read it by."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models import Batch
from compliance.access.models import Device
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from compliance.trail.models import Attachment


class DeclarationState(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    EFFECTIVE = "effective", "Effective"
    SUPERSEDED = "superseded", "Superseded"
    WITHDRAWN = "withdrawn", "Withdrawn"


def _approved_by_another(name: str) -> list[models.CheckConstraint]:
    """Return what holds for whatever one person declares and a second one approves."""
    return [
        models.CheckConstraint(
            name=f"{name}_state_known", condition=Q(state__in=DeclarationState.values)
        ),
        models.CheckConstraint(
            name=f"{name}_approved_by_another",
            condition=Q(approved_by=None) | Q(proposed_by=None) | ~Q(approved_by=F("proposed_by")),
        ),
        models.CheckConstraint(
            name=f"{name}_effective_is_approved",
            condition=~Q(state__in=["effective", "superseded"])
            | Q(approved_by__isnull=False, approved_at__isnull=False)
            | (Q(proposed_by=None) & ~Q(origin="")),
        ),
    ]


class Declared(models.Model):
    """What one person proposes and a second one approves; a change is the next version."""

    version = models.PositiveIntegerField()
    state = models.CharField(
        max_length=10, choices=DeclarationState.choices, default=DeclarationState.PROPOSED
    )
    origin = models.CharField(
        max_length=100, blank=True, help_text="The table of the product that it came with."
    )
    reason = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Empty for what came with the product.",
    )  # fmt: skip
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


@controlled(guards=("keep_declared",))
class UnitAlias(Declared):
    """A unit as somebody writes it: which UCUM code it is, how it is shown, and what it measures."""

    raw = models.CharField(max_length=60, help_text="As written by the source, sign for sign.")
    code = models.CharField(max_length=40, help_text="UCUM code.")
    display = models.CharField(max_length=40)
    dimension = models.CharField(max_length=60, help_text="What it measures.")

    class Meta:
        verbose_name_plural = "unit aliases"
        constraints = [
            models.UniqueConstraint(fields=["raw", "version"], name="alias_version_once"),
            models.UniqueConstraint(
                fields=["raw"], condition=Q(state="effective"), name="alias_effective_once"
            ),
            models.CheckConstraint(
                name="alias_says_all", condition=~(Q(code="") | Q(display="") | Q(dimension=""))
            ),
            *_approved_by_another("alias"),
        ]

    def __str__(self) -> str:
        return f"{self.raw} v{self.version}"


@controlled(guards=("keep_declared",))
class SenderMapping(Declared):
    """What the columns or properties of a sender's messages are (see `formats.declared`)."""

    name = models.CharField(max_length=60)
    definition = CanonicalJSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="mapping_version_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="effective"), name="mapping_effective_once"
            ),
            *_approved_by_another("mapping"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class MessageState(models.TextChoices):
    RECEIVED = "received", "Received"
    MAPPED = "mapped", "Mapped"
    QUARANTINED = "quarantined", "In quarantine"
    RESOLVED = "resolved", "Resolved"
    REFUSED = "refused", "Dismissed"


@controlled(guards=("keep_message",))
class Message(models.Model):
    """One message as it came, byte for byte, with the report of what became of each part of it."""

    state = models.CharField(
        max_length=12, choices=MessageState.choices, default=MessageState.RECEIVED
    )
    format = models.CharField(max_length=80)
    format_version = models.CharField(max_length=40, blank=True)
    media_type = models.CharField(max_length=100)
    own_id = models.CharField(max_length=120, blank=True, help_text="As the message names itself.")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes, unpacked.")
    size = models.PositiveIntegerField()
    attachment = models.ForeignKey(Attachment, models.PROTECT, related_name="+")
    converted_by = models.CharField(
        max_length=100, blank=True, help_text="The program, and its version, that read a raw file."
    )
    converted = models.ForeignKey(
        Attachment, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="What that program made of it.",
    )  # fmt: skip
    mapping = models.ForeignKey(
        SenderMapping, models.PROTECT, related_name="messages", null=True, blank=True
    )
    batch = models.ForeignKey(
        Batch, models.PROTECT, related_name="messages", null=True, blank=True,
        help_text="The batch that it is about: as said beside it, by itself, or chosen.",
    )  # fmt: skip
    report = CanonicalJSONField(default=dict)
    source = models.ForeignKey(
        Device, models.PROTECT, related_name="messages", null=True, blank=True,
        help_text="The system that sent it; empty when a person did.",
    )  # fmt: skip
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    received_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True, help_text="What a person did about it, and why.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "sha256"], name="message_of_device_once"),
            models.UniqueConstraint(fields=["sent_by", "sha256"], name="message_of_person_once"),
            models.UniqueConstraint(
                fields=["source", "own_id"], condition=~Q(own_id=""), name="message_own_id_once"
            ),
            models.CheckConstraint(
                name="message_state_known", condition=Q(state__in=MessageState.values)
            ),
            models.CheckConstraint(
                name="message_has_one_sender",
                condition=Q(source=None, sent_by__isnull=False)
                | Q(source__isnull=False, sent_by=None),
            ),
            models.CheckConstraint(
                name="message_ended_by_a_person_with_reason",
                condition=~Q(state__in=["resolved", "refused"])
                | (Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision="")),
            ),
            models.CheckConstraint(
                name="message_digest_is_sha256", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
        ]
        indexes = [models.Index(fields=["state", "received_at"])]

    def __str__(self) -> str:
        return f"message {self.pk} {self.format}"
