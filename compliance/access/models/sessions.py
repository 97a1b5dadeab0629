"""Sessions of people, and where their passwords came from."""

from django.db import models
from django.db.models import F, Q

from compliance.access.models.people import User
from compliance.trail.capture import controlled


class SessionEnd(models.TextChoices):
    SIGNED_OUT = "signed-out", "Signed out"
    IDLE = "idle", "Idle for too long"
    LIMIT = "limit", "Open for too long"
    REVOKED = "revoked", "Revoked by an administrator"
    DEACTIVATED = "deactivated", "Person deactivated"
    ROLES_CHANGED = "roles-changed", "Roles changed"
    PASSWORD_CHANGED = "password-changed", "Password changed"


@controlled(guards=("keep_as_recorded",))
class PersonSession(models.Model):
    """One signed-in session; once ended it is never open again."""

    person = models.ForeignKey(User, models.PROTECT, related_name="sessions")
    opened_at = models.DateTimeField(db_index=True)
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField("program", max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=20, choices=SessionEnd.choices, blank=True)

    class Meta:
        verbose_name = "session"
        indexes = [models.Index(fields=["person"], condition=Q(ended_at=None), name="session_open")]
        constraints = [
            models.CheckConstraint(
                name="session_ended_with_reason",
                condition=Q(ended_at=None, ended_why="")
                | (Q(ended_at__gte=F("opened_at")) & Q(ended_why__in=SessionEnd.values)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.username} since {self.opened_at:%Y-%m-%d %H:%M:%S} UTC ({self.pk})"


@controlled(append_only=True)
class PasswordChange(models.Model):
    """Who chose a password: the person, or somebody who could have used it (21 CFR 11.200(a)(3))."""

    person = models.ForeignKey(User, models.PROTECT, related_name="password_changes")
    is_own = models.BooleanField()
    set_by = models.CharField(max_length=200, help_text="Name of whoever set it.")
    set_by_id = models.CharField(max_length=100)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Password of {self.person.username} set by {self.set_by} ({self.pk})"
