"""Everything that happened to accounts, in one list that the database composes."""

from django.db import models


class AccessEventKind(models.TextChoices):
    SIGNED_IN = "accepted", "Signed in"
    WRONG = "wrong", "Wrong name or password"
    LOCKED_ATTEMPT = "locked", "Refused: locked"
    SIGNED_OUT = "signed-out", "Signed out"
    SESSION_OPENED = "session-opened", "Session opened"
    SESSION_ENDED = "session-ended", "Session ended"
    PERSON_CREATED = "person-created", "Person created"
    PASSWORD_OWN = "password-own", "Own password chosen"
    PASSWORD_SET = "password-set", "Password set by another"
    ROLE_GIVEN = "role-given", "Role given"
    ROLE_ENDED = "role-ended", "Role ended"
    IDENTITY_PROVEN = "identity-proven", "Identity proven"
    IDENTITY_WITHDRAWN = "identity-withdrawn", "Proof of identity withdrawn"
    ALARM = "alarm", "Alarm raised"
    ALARM_ACKNOWLEDGED = "alarm-acknowledged", "Alarm acknowledged"


class AccessEvent(models.Model):
    """One line of the access log. A view; nobody writes it."""

    id = models.CharField(primary_key=True, max_length=60)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=AccessEventKind.choices)
    username = models.CharField(max_length=150)
    detail = models.TextField()
    address = models.CharField(max_length=64)

    class Meta:
        managed = False
        db_table = "access_log"
        default_permissions = ("view",)
        verbose_name = "access event"
        verbose_name_plural = "access log"

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.username}"
