"""The systems that post, each with an identity of its own."""

from django.db import models
from django.db.models import Q

from compliance.access.duties import DUTIES, Duty
from compliance.access.models.people import User
from compliance.trail.capture import controlled
from compliance.trail.recording import Identity


class DeviceKind(models.TextChoices):
    MES = "mes", "MES"
    LIMS = "lims", "LIMS"
    HISTORIAN = "historian", "Historian or sensor gateway"
    TWIN = "twin", "Simulated plant"


class Qualification(models.TextChoices):
    UNQUALIFIED = "unqualified", "Not qualified"
    QUALIFIED = "qualified", "Qualified"
    RETIRED = "retired", "Retired"


@controlled(digest_only=("secret_digest",), guards=("retired_for_good",))
class Device(models.Model):
    """A system that posts with its own identity (21 CFR 11.10(h)); its secret is kept as a digest."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=DeviceKind.choices)
    secret_digest = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    enrolled_at = models.DateTimeField()
    bound_to = models.CharField(
        max_length=60, blank=True, help_text="Code of the equipment or system that it speaks for."
    )
    qualification = models.CharField(
        max_length=20, choices=Qualification.choices, default=Qualification.UNQUALIFIED
    )
    qualified_until = models.DateField(null=True, blank=True, help_text="Empty: without end.")
    qualified_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    qualified_at = models.DateTimeField(null=True, blank=True)

    is_authenticated = True
    is_anonymous = False

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="device_qualification_known",
                condition=Q(qualification__in=Qualification.values),
            ),
            models.CheckConstraint(
                name="device_qualified_for_equipment",
                condition=~Q(qualification="qualified")
                | (~Q(bound_to="") & Q(qualified_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def duties(self) -> frozenset[Duty]:
        """Give nothing to a device that is revoked or not qualified; its end is asked at the edge."""
        may_post = self.is_active and self.qualification == Qualification.QUALIFIED
        return DUTIES["device"] if may_post else frozenset()

    def trail_identity(self) -> Identity:
        return Identity(id=f"device:{self.pk}", name=self.name, role="device")
