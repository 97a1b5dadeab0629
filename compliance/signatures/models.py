"""Electronic signatures: who signed which version of what, and what it means (21 CFR 11.50)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled


class Meaning(models.TextChoices):
    """What a signature means: a controlled list (21 CFR 11.50(a)(3))."""

    AUTHORED = "authored", "Author"
    REVIEWED = "reviewed", "Review"
    INVESTIGATED = "investigated", "Investigation"
    APPROVED = "approved", "Approval"
    CLOSED = "closed", "Closure"
    RELEASED = "released", "Release"
    REJECTED = "rejected", "Rejection"
    PERFORMED = "performed", "Performance"
    VERIFIED = "verified", "Verification"
    CERTIFIED = "certified", "Certification"
    ACKNOWLEDGED = "acknowledged", "Acknowledgement"


@controlled(append_only=True)
class Signature(models.Model):
    """One signature under one version of one record. It is never altered, moved or removed."""

    record = models.CharField(max_length=63, help_text="Table of the signed record.")
    record_id = models.CharField(max_length=60)
    record_digest = models.CharField(max_length=64, help_text="SHA-256 of the signed content.")
    meaning = models.CharField(max_length=20, choices=Meaning.choices)
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="signatures")
    # Frozen at signing: a later change of role or name does not reach back.
    printed_name = models.CharField(max_length=200)
    username = models.CharField(max_length=60)
    role = models.CharField(max_length=120)
    comment = models.TextField(blank=True)
    signed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["record", "record_id"])]
        constraints = [
            models.CheckConstraint(
                name="signature_digest_is_sha256",
                condition=Q(record_digest__regex=r"^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="signature_meaning_known", condition=Q(meaning__in=Meaning.values)
            ),
        ]

    def __str__(self) -> str:
        meaning = self.get_meaning_display()
        return f"{self.printed_name}: {meaning} of {self.record} {self.record_id} ({self.pk})"
