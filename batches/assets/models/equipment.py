"""Equipment and instruments, with the states that decide whether they may be used."""

from django.db import models
from django.db.models import F, Q

from compliance.trail.capture import controlled


class EquipmentState(models.TextChoices):
    IN_QUALIFICATION = "in-qualification", "In qualification"
    QUALIFIED = "qualified", "Qualified"
    OUT_OF_SERVICE = "out-of-service", "Out of service"
    RETIRED = "retired", "Retired"


class CleaningState(models.TextChoices):
    """What 211.67 asks to be visible on equipment; `not-needed` for what touches no product."""

    NOT_NEEDED = "not-needed", "Not cleaned by procedure"
    TO_BE_CLEANED = "to-be-cleaned", "To be cleaned"
    IN_CLEANING = "in-cleaning", "In cleaning"
    CLEAN = "clean", "Clean"


@controlled(guards=("guard_equipment",))
class Equipment(models.Model):
    """One piece of equipment or one instrument (21 CFR 211.63 to 211.68; EU GMP 3.34 to 3.41)."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(
        max_length=40, db_index=True, help_text="Its class, e.g. bioreactor, balance or hplc."
    )
    location = models.CharField(max_length=100)
    manufacturer = models.CharField(max_length=100)
    model = models.CharField(max_length=100)
    serial_number = models.CharField(max_length=100)
    state = models.CharField(
        max_length=20, choices=EquipmentState.choices, default=EquipmentState.IN_QUALIFICATION
    )
    needed_stages = models.CharField(
        max_length=20, default="iq,oq,pq", help_text="Stages of qualification that it needs."
    )
    qualified_until = models.DateField(null=True, blank=True)
    qualification_lost_at = models.DateTimeField(
        null=True, blank=True, help_text="Stages approved before this moment no longer count."
    )
    # Calibration: both empty for what measures nothing.
    calibration_interval_days = models.PositiveIntegerField(null=True, blank=True)
    calibration_due_on = models.DateField(
        null=True, blank=True, help_text="The last day on which its calibration holds."
    )
    # Cleaning
    cleaning_state = models.CharField(
        max_length=20, choices=CleaningState.choices, default=CleaningState.NOT_NEEDED
    )
    dirty_hold_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="Cleaning begins within so many hours after use."
    )
    clean_hold_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="It stays clean for so many hours after cleaning."
    )
    cleaned_at = models.DateTimeField(null=True, blank=True)
    clean_until = models.DateTimeField(null=True, blank=True)
    service_after_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="Maintenance is due after so many running hours."
    )
    serviced_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "equipment"
        constraints = [
            models.CheckConstraint(
                name="equipment_state_known", condition=Q(state__in=EquipmentState.values)
            ),
            models.CheckConstraint(
                name="equipment_cleaning_state_known",
                condition=Q(cleaning_state__in=CleaningState.values),
            ),
            models.CheckConstraint(
                name="equipment_kind_plain", condition=Q(kind__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$")
            ),
            models.CheckConstraint(
                name="equipment_stages_known",
                condition=Q(needed_stages__regex=r"^(iq|oq|pq)(,(iq|oq|pq))*$"),
            ),
            models.CheckConstraint(
                name="equipment_due_only_with_interval",
                condition=Q(calibration_due_on=None) | Q(calibration_interval_days__gt=0),
            ),
            models.CheckConstraint(
                name="equipment_clean_since_when",
                condition=~Q(cleaning_state="clean")
                | (
                    Q(cleaned_at__isnull=False)
                    & (Q(clean_until=None) | Q(clean_until__gte=F("cleaned_at")))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_calibrated(self) -> bool:
        """Whether it is an instrument that needs calibration."""
        return self.calibration_interval_days is not None

    @property
    def is_cleaned(self) -> bool:
        return self.cleaning_state != CleaningState.NOT_NEEDED

    @property
    def stages(self) -> list[str]:
        return self.needed_stages.split(",")
