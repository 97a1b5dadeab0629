"""Electronic signatures: who signed which version of what, and what it means (21 CFR 11.50)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


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


class Means(models.TextChoices):
    """How the signer was authenticated again for this one signature."""

    PASSWORD = "password", "Name and password"
    SECURITY_KEY = "security-key", "Security key, over the digest of the record"
    IDENTITY_PROVIDER = "identity-provider", "Identity provider, signed in anew"


@controlled(guards=("keep_published",))
class Statement(models.Model):
    """One version of the accountability statement (21 CFR 11.10(j)). What is published stays."""

    version = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Nobody for the first version, which comes with the product.",
    )  # fmt: skip
    drafted_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "accountability statement"
        constraints = [
            models.CheckConstraint(name="statement_says_something", condition=~Q(text=""))
        ]

    def __str__(self) -> str:
        return f"Accountability statement, version {self.version}"


@controlled(append_only=True, guards=("of_own_key",))
class Reauthentication(models.Model):
    """A signer authenticated again by other means than the password; good for one signature.

    A security key's answer covers the digest of the record, the meaning, the signer and the time:
    whoever has this row and the public key verifies it without this program.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    means = models.CharField(max_length=20, choices=Means.choices)
    code_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the code.")
    made_at = models.DateTimeField()
    address = models.CharField(max_length=64, blank=True)
    # Of a security key: what it was asked, and what it answered, as hex.
    record = models.CharField(max_length=63, blank=True)
    record_id = models.CharField(max_length=60, blank=True)
    record_digest = models.CharField(max_length=64, blank=True)
    meaning = models.CharField(max_length=20, blank=True, choices=Meaning.choices)
    asked_at = models.DateTimeField(null=True, blank=True)
    nonce = models.CharField(max_length=64, blank=True)
    domain = models.CharField(max_length=200, blank=True, help_text="That the key is bound to.")
    credential_id = models.TextField(blank=True)
    public_key = models.TextField(blank=True, help_text="COSE key.")
    authenticator_data = models.TextField(blank=True)
    client_data = models.TextField(blank=True)
    answer = models.TextField(blank=True, help_text="The security key's signature.")
    # Of an identity provider.
    issuer = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="reauthentication_is_whole",
                condition=(
                    Q(means=Means.SECURITY_KEY)
                    & ~Q(record="") & ~Q(record_id="") & ~Q(record_digest="") & ~Q(meaning="")
                    & ~Q(nonce="") & ~Q(credential_id="") & ~Q(answer="") & ~Q(asked_at=None)
                )
                | (Q(means=Means.IDENTITY_PROVIDER) & ~Q(issuer="") & ~Q(subject="")),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_means_display()} by {self.person.username} ({self.pk})"


@controlled(append_only=True, guards=("keep_signature_true",))
class Signature(models.Model):
    """One signature under one version of one record. It is never altered, moved or removed.

    A trigger refuses it when the record does not exist, when name or role are not the signer's at
    that moment, or when the accountability statement in force is not acknowledged.
    """

    record = models.CharField(max_length=63, help_text="Table of the signed record.")
    record_id = models.CharField(max_length=60)
    record_digest = models.CharField(max_length=64, help_text="SHA-256 of the signed content.")
    content_parts = CanonicalJSONField(
        default=dict,
        help_text="SHA-256 of each part of the signed content; the digest is of these.",
    )
    meaning = models.CharField(max_length=20, choices=Meaning.choices)
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="signatures")
    # Frozen at signing: a later change of role or name does not reach back.
    printed_name = models.CharField(max_length=200)
    username = models.CharField(max_length=60)
    role = models.CharField(max_length=120)
    comment = models.TextField(blank=True)
    signed_at = models.DateTimeField()
    zone = models.CharField(max_length=64, default="UTC", help_text="Zone of the site's clocks.")
    means = models.CharField(max_length=20, choices=Means.choices, default=Means.PASSWORD)
    confirmation = models.CharField(
        max_length=32,
        blank=True,
        help_text="Names the one re-authentication that it was given with.",
    )
    reauthentication = models.OneToOneField(
        Reauthentication, models.PROTECT, null=True, blank=True, related_name="signature"
    )
    binding = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 over all of the above; see `binding`."
    )

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
            models.CheckConstraint(
                name="signature_means_known",
                condition=Q(means=Means.PASSWORD, reauthentication=None)
                | ~Q(means=Means.PASSWORD) & Q(means__in=Means.values)
                & ~Q(reauthentication=None),
            ),
            models.UniqueConstraint(
                fields=["confirmation"], condition=~Q(confirmation=""),
                name="one_signature_a_confirmation",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        meaning = self.get_meaning_display()
        return f"{self.printed_name}: {meaning} of {self.record} {self.record_id} ({self.pk})"
