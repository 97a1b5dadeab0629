"""What somebody responsible must know at once, and that they know (21 CFR 11.300(d))."""

from django.db import models
from django.db.models import Q

from compliance.access.models.people import User
from compliance.trail.capture import controlled


class AlarmKind(models.TextChoices):
    LOCKED = "locked", "Name locked after wrong passwords"
    UNKNOWN_TOKEN = "unknown-token", "Unknown device token"
    REVOKED_TOKEN = "revoked-token", "Token of a revoked device"
    DEVICE_NOT_QUALIFIED = "device-not-qualified", "Device not qualified"
    CLOCK = "clock", "Clock stepped back or apart"
    REPEATED_REFUSALS = "repeated-refusals", "Many refused acts"
    ADMINISTRATOR_MADE = "administrator-made", "Administrator role given"
    LEAVER_ACTIVE = "leaver-active", "Leaver is still active"
    REVIEW_OVERDUE = "review-overdue", "Review of access is overdue"
    WEBHOOK_STOPPED = "webhook-stopped", "Receiver of changes takes nothing"


@controlled(guards=("keep_as_recorded", "not_by_the_concerned"))
class SecurityAlarm(models.Model):
    """One alarm. Nobody alters or removes it; somebody not concerned acknowledges it, once."""

    kind = models.CharField(max_length=30, choices=AlarmKind.choices)
    text = models.TextField()
    # Identities as in the trail (user:5): whom it is about, and who caused it. No foreign keys:
    # an alarm is committed by itself, also about somebody whose own record is rolled back.
    about_id = models.CharField(max_length=100)
    about = models.CharField(max_length=200)
    caused_by_id = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=64, blank=True)
    raised_at = models.DateTimeField(db_index=True)
    key = models.CharField(max_length=64, unique=True)  # what makes a repeat the same alarm
    acknowledged_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    acknowledged_role = models.CharField(max_length=200, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["raised_at"], condition=Q(acknowledged_at=None), name="alarm_waiting"
            )
        ]
        constraints = [
            models.CheckConstraint(name="alarm_kind_known", condition=Q(kind__in=AlarmKind.values)),
            models.CheckConstraint(name="alarm_says_what", condition=~Q(text="")),
            models.CheckConstraint(
                name="alarm_acknowledged_by_whom_and_why",
                condition=Q(
                    acknowledged_at=None, acknowledged_by=None, acknowledged_role="", comment=""
                )
                | (
                    Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False)
                    & ~Q(acknowledged_role="")
                    & Q(comment__regex=r"\S.{6,}\S")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"Alarm {self.pk}: {self.get_kind_display()}"

    @property
    def is_waiting(self) -> bool:
        return self.acknowledged_at is None
