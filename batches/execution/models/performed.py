"""What every entry of a person says: when it was done and recorded, by whom, and who saw it late."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

# The trigger `keep_time` of every table made from `Performed` reads these columns.
WITNESS_IS_ANOTHER = Q(witness=None) | ~Q(witness=F("performed_by"))


class Performed(models.Model):
    """21 CFR 211.100(b): documented at the time of performance, or late with reason and witness."""

    performed_at = models.DateTimeField(help_text="When it was done, as the person says.")
    recorded_at = models.DateTimeField(help_text="When it was entered.")
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    late_reason = models.TextField(blank=True, help_text="Why it was entered late.")
    witness = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Who saw what was entered late.",
    )  # fmt: skip

    class Meta:
        abstract = True


class Verifiable(Performed):
    """An entry that a second person verifies, once; the trigger `keep_entry` keeps the rest."""

    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


VERIFIED_BY_ANOTHER = Q(verified_by=None, verified_at=None) | (
    Q(verified_by__isnull=False, verified_at__isnull=False) & ~Q(verified_by=F("performed_by"))
)
