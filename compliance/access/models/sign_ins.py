"""Every attempt to give credentials."""

from django.db import models

from compliance.trail.capture import controlled


class SignInOutcome(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    WRONG = "wrong", "Wrong name or password"
    LOCKED = "locked", "Refused: locked"
    SIGNED_OUT = "signed-out", "Signed out"


@controlled(append_only=True)
class SignIn(models.Model):
    """One attempt to give credentials: for a session, a signature, or a client's access token."""

    username = models.CharField(max_length=150, db_index=True)
    purpose = models.CharField(
        max_length=20,
        choices=[("session", "Session"), ("signature", "Signature"), ("token", "Access token")],
    )
    outcome = models.CharField(max_length=20, choices=SignInOutcome.choices)
    address = models.CharField(max_length=64, blank=True)
    attempted_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "sign-in"

    def __str__(self) -> str:
        return f"{self.username} {self.outcome} {self.attempted_at:%Y-%m-%d %H:%M:%S} ({self.pk})"
