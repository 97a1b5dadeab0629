"""How a device gets access tokens by OAuth2: its clients, their secrets, and what was issued."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from compliance.access.models.devices import Device
from compliance.trail.capture import controlled


@controlled(guards=("keep_as_recorded",))
class ApiClient(models.Model):
    """A client of the API (RFC 6749 4.4): it speaks for one device, at one site, within its scopes."""

    client_id = models.CharField(max_length=40, unique=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="clients")
    site = models.CharField(
        max_length=200, help_text="Origin of the log of the site that it was registered for."
    )
    scopes = models.TextField(help_text="Separated by spaces.")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API client"
        constraints = [
            models.CheckConstraint(
                name="client_revoked_after_it_was_made",
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("created_at")),
            ),
            models.CheckConstraint(
                name="client_has_scopes", condition=~Q(scopes="") & ~Q(site="") & ~Q(client_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.client_id

    @property
    def scope_list(self) -> list[str]:
        return self.scopes.split()


@controlled(digest_only=("digest",), guards=("keep_as_recorded", "two_at_most"))
class ClientSecret(models.Model):
    """One secret of a client, as a digest; two are valid at once while one replaces the other."""

    client = models.ForeignKey(ApiClient, models.PROTECT, related_name="secrets")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="Set when the next secret was made; empty: the newest."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(ends_at=None, revoked_at=None),
                name="one_newest_secret",
            ),
        ]

    def __str__(self) -> str:
        return f"Secret {self.pk} of client {self.client_id}"

    def is_valid_at(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.ends_at is None or at < self.ends_at)


@controlled(append_only=True, digest_only=("digest",), guards=("of_valid_secret",))
class AccessToken(models.Model):
    """One access token as it was issued; it is kept as a digest, and never prolonged."""

    secret = models.ForeignKey(ClientSecret, models.PROTECT, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.TextField()
    address = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_is_short_lived",
                condition=Q(expires_at__gt=F("issued_at"))
                & Q(expires_at__lte=F("issued_at") + timedelta(hours=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"Access token {self.pk} of secret {self.secret_id}"
