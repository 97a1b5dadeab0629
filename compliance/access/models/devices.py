"""The systems that post, each with an identity of its own."""

from django.db import models

from compliance.access.duties import DUTIES, Duty
from compliance.trail.capture import controlled
from compliance.trail.recording import Identity


class DeviceKind(models.TextChoices):
    MES = "mes", "MES"
    LIMS = "lims", "LIMS"
    HISTORIAN = "historian", "Historian or sensor gateway"
    TWIN = "twin", "Simulated plant"


@controlled(digest_only=("secret_digest",))
class Device(models.Model):
    """A system that posts with its own identity (21 CFR 11.10(h)); its secret is kept as a digest."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=DeviceKind.choices)
    secret_digest = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    enrolled_at = models.DateTimeField()

    is_authenticated = True
    is_anonymous = False

    def __str__(self) -> str:
        return self.name

    @property
    def duties(self) -> frozenset[Duty]:
        return DUTIES["device"] if self.is_active else frozenset()

    def trail_identity(self) -> Identity:
        return Identity(id=f"device:{self.pk}", name=self.name, role="device")
