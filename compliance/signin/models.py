"""What people sign in with beside the password, and their identities at other providers."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.trail.capture import controlled


class FactorKind(models.TextChoices):
    TOTP = "totp", "Authenticator app"
    SECURITY_KEY = "security-key", "Security key"
    RECOVERY_CODES = "recovery-codes", "Recovery codes"


@controlled(digest_only=("secret",), guards=("keep_as_enrolled",))
class SecondFactor(models.Model):
    """Something that one person has, from its tested enrolment to its removal (21 CFR 11.300(e)).

    `secret` is encrypted for an authenticator app, and digests for recovery codes; the trail has
    a digest of it only.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="second_factors"
    )
    kind = models.CharField(max_length=20, choices=FactorKind.choices)
    name = models.CharField(max_length=100, help_text="As its owner calls it.")
    secret = models.TextField(blank=True)
    credential_id = models.TextField(blank=True, help_text="Of a security key, as hex.")
    public_key = models.TextField(blank=True, help_text="COSE key of a security key, as hex.")
    model_id = models.CharField(
        max_length=36, blank=True, help_text="AAGUID: which model of security key it is."
    )
    enrolled_at = models.DateTimeField()
    tested_at = models.DateTimeField(help_text="When it gave its first right answer.")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="factor_has_what_its_kind_needs",
                condition=(
                    Q(kind=FactorKind.SECURITY_KEY) & ~Q(credential_id="") & ~Q(public_key="")
                )
                | (Q(kind__in=[FactorKind.TOTP, FactorKind.RECOVERY_CODES]) & ~Q(secret="")),
            ),
            models.CheckConstraint(
                name="factor_tested_when_enrolled", condition=Q(tested_at__gte=F("enrolled_at"))
            ),
            models.CheckConstraint(
                name="factor_removed_by_somebody",
                condition=Q(removed_at=None, removed_by="")
                | Q(removed_at__gte=F("enrolled_at")) & ~Q(removed_by=""),
            ),
            models.UniqueConstraint(
                fields=["credential_id"], condition=~Q(credential_id=""), name="security_key_once"
            ),
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=Q(removed_at=None, kind__in=["totp", "recovery-codes"]),
                name="one_app_and_one_set_of_codes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} “{self.name}” of {self.person.username} ({self.pk})"

    @property
    def is_active(self) -> bool:
        return self.removed_at is None


@controlled(append_only=True, guards=("of_enrolled_factor",))
class FactorUse(models.Model):
    """One right answer of a second factor. The same answer is never taken twice."""

    factor = models.ForeignKey(SecondFactor, models.PROTECT, related_name="uses")
    answer = models.CharField(
        max_length=64,
        help_text="Time step, or digest of the recovery code or challenge.",
    )
    counter = models.BigIntegerField(default=0, help_text="Of the security key, when it counts.")
    address = models.CharField(max_length=64, blank=True)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "use of a second factor"
        verbose_name_plural = "uses of second factors"
        constraints = [models.UniqueConstraint(fields=["factor", "answer"], name="no_answer_twice")]

    def __str__(self) -> str:
        return f"{self.factor} at {self.used_at:%Y-%m-%d %H:%M:%S} UTC ({self.pk})"


@controlled(guards=("keep_as_linked",))
class IdentityLink(models.Model):
    """A person's identity at an identity provider, linked by an administrator.

    An identity that was one person's never becomes another's, also after the link ended.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="identity_links"
    )
    provider = models.CharField(max_length=200, help_text="As the installation's settings name it.")
    subject = models.CharField(max_length=200, help_text="The provider's own, lasting identifier.")
    linked_at = models.DateTimeField()
    linked_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "subject"],
                condition=Q(ended_at=None),
                name="identity_linked_once",
            ),
            models.CheckConstraint(
                name="link_ends_after_it_began",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("linked_at")),
            ),
            models.CheckConstraint(
                name="link_names_an_identity", condition=~Q(provider="") & ~Q(subject="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.username} is {self.subject} at {self.provider} ({self.pk})"
