"""What is done to equipment: qualified, calibrated, cleaned, repaired and used."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.assets.models.equipment import Equipment
from compliance.access.models import ProcedureVersion
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled


class Stage(models.TextChoices):
    IQ = "iq", "Installation qualification"
    OQ = "oq", "Operational qualification"
    PQ = "pq", "Performance qualification"


@controlled(guards=("guard_done_once",))
class Qualification(models.Model):
    """One stage of a qualification, performed by one person and approved by QA (Annex 15)."""

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="qualifications")
    stage = models.CharField(max_length=2, choices=Stage.choices)
    protocol = models.CharField(max_length=100, help_text="Number and version of the protocol.")
    report = models.CharField(max_length=100, help_text="Number of the report with its results.")
    summary = models.TextField()
    performed_on = models.DateField()
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="qualification_stage_known", condition=Q(stage__in=Stage.values)
            ),
            models.CheckConstraint(
                name="qualification_approved_by_another_person",
                condition=Q(approved_by=None) | ~Q(approved_by=F("performed_by")),
            ),
            models.CheckConstraint(
                name="qualification_approved_when",
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="qualification_valid_after_performed",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("performed_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.equipment} {self.stage.upper()} ({self.pk})"


@controlled(append_only=True, guards=("guard_part_change",))
class PartChange(models.Model):
    """A component that was replaced: what was there, and what is there now."""

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="part_changes")
    component = models.CharField(max_length=100)
    old_manufacturer = models.CharField(max_length=100)
    old_model = models.CharField(max_length=100)
    old_serial_number = models.CharField(max_length=100)
    new_manufacturer = models.CharField(max_length=100)
    new_model = models.CharField(max_length=100)
    new_serial_number = models.CharField(max_length=100)
    is_like_for_like = models.BooleanField()
    change_reference = models.CharField(
        max_length=60, blank=True, help_text="Number of the change control."
    )
    reason = models.TextField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Another make or model is never like for like, whatever somebody ticks.
            models.CheckConstraint(
                name="part_like_for_like_is_same_make",
                condition=Q(is_like_for_like=False)
                | Q(new_manufacturer=F("old_manufacturer"), new_model=F("old_model")),
            ),
            models.CheckConstraint(
                name="part_other_make_under_change_control",
                condition=Q(is_like_for_like=True) | ~Q(change_reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.equipment} {self.component} ({self.pk})"


@controlled(guards=("guard_done_once",))
class Calibration(models.Model):
    """One calibration of an instrument, checked by a second person (21 CFR 211.68(a), 211.160(b)(4))."""

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="calibrations")
    performed_at = models.DateTimeField()
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    as_found = models.CharField(max_length=200, help_text="What it read before any adjustment.")
    as_found_in_tolerance = models.BooleanField()
    as_left = models.CharField(max_length=200, help_text="What it read after any adjustment.")
    as_left_in_tolerance = models.BooleanField()
    reference_standard = models.CharField(max_length=100)
    certificate = models.CharField(max_length=100)
    due_on = models.DateField(help_text="The last day on which this calibration holds.")
    recorded_at = models.DateTimeField()
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="About the uses that are in doubt.",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="calibration_verified_by_another_person",
                condition=Q(verified_by=None) | ~Q(verified_by=F("performed_by")),
            ),
            models.CheckConstraint(
                name="calibration_verified_when",
                condition=Q(verified_by=None, verified_at=None)
                | Q(verified_by__isnull=False, verified_at__isnull=False),
            ),
            models.CheckConstraint(
                name="calibration_recorded_after_performed",
                condition=Q(recorded_at__gte=F("performed_at")),
            ),
        ]
        indexes = [models.Index(fields=["equipment", "performed_at"])]

    def __str__(self) -> str:
        return f"{self.equipment} calibration {self.certificate} ({self.pk})"


class CleaningOutcome(models.TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished, not yet verified"
    ACCEPTED = "accepted", "Accepted"
    FAILED = "failed", "Failed"


@controlled(guards=("guard_done_once",))
class Cleaning(models.Model):
    """One cleaning: done by one person, verified by another (21 CFR 211.67(b), 211.182)."""

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="cleanings")
    procedure_version = models.ForeignKey(ProcedureVersion, models.PROTECT, related_name="+")
    is_changeover = models.BooleanField(help_text="Between two products.")
    previous_product = models.CharField(max_length=100, blank=True)
    next_product = models.CharField(max_length=100, blank=True)
    dirty_since = models.DateTimeField(null=True, blank=True, help_text="End of the last use.")
    is_dirty_hold_exceeded = models.BooleanField(default=False)
    remark = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    outcome = models.CharField(
        max_length=10, choices=CleaningOutcome.choices, default=CleaningOutcome.RUNNING
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["equipment"], condition=Q(outcome__in=["running", "finished"]),
                name="one_cleaning_at_a_time",
            ),
            models.CheckConstraint(
                name="cleaning_outcome_known", condition=Q(outcome__in=CleaningOutcome.values)
            ),
            models.CheckConstraint(
                name="cleaning_verified_by_another_person",
                condition=Q(verified_by=None) | ~Q(verified_by=F("performed_by")),
            ),
            models.CheckConstraint(
                name="cleaning_accepted_only_verified",
                condition=~Q(outcome__in=["accepted", "failed"])
                | Q(
                    verified_by__isnull=False, verified_at__isnull=False, finished_at__isnull=False
                ),
            ),
            models.CheckConstraint(
                name="cleaning_finished_after_start",
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="cleaning_late_with_remark",
                condition=Q(is_dirty_hold_exceeded=False) | ~Q(remark=""),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.equipment} cleaning ({self.pk})"


@controlled(guards=("guard_use", "guard_upkeep"))
class EquipmentUse(models.Model):
    """One use of equipment, for its log book (21 CFR 211.182)."""

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="uses")
    purpose = models.CharField(max_length=200, help_text="E.g. the batch and its phase.")
    campaign = models.CharField(
        max_length=100, blank=True,
        help_text="Uses of one campaign follow each other without a cleaning between them.",
    )  # fmt: skip
    product = models.CharField(max_length=100, blank=True)
    used_from = models.DateTimeField()
    used_until = models.DateTimeField(null=True, blank=True)
    used_by = models.CharField(max_length=100)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["equipment"], condition=Q(used_until=None), name="one_use_at_a_time"
            ),
            models.CheckConstraint(
                name="use_ends_after_start",
                condition=Q(used_until=None) | Q(used_until__gte=F("used_from")),
            ),
            models.CheckConstraint(name="use_has_purpose", condition=~Q(purpose="")),
        ]
        indexes = [models.Index(fields=["equipment", "used_from"])]

    def __str__(self) -> str:
        return f"{self.equipment} for {self.purpose} ({self.pk})"
