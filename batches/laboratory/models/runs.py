"""Runs of instruments with every injection, also the aborted and invalid ones (211.194(a))."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.assets.models import Equipment
from batches.laboratory.models.samples import Sample
from compliance.trail.capture import controlled

_SHA256 = r"^([0-9a-f]{64})?$"


class ReagentKind(models.TextChoices):
    REAGENT = "reagent", "Reagent"
    STANDARD = "standard", "Reference standard"
    COLUMN = "column", "Column"


@controlled()
class Reagent(models.Model):
    """One lot of a reagent or reference standard, with its expiry (211.194(c))."""

    code = models.CharField(max_length=40)
    lot = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ReagentKind.choices)
    purity = models.CharField(
        max_length=60, blank=True, help_text="Assigned content, as certified."
    )
    opened_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField()
    is_withdrawn = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "lot"], name="reagent_lot_once"),
            models.CheckConstraint(
                name="reagent_kind_known", condition=Q(kind__in=ReagentKind.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.lot}"


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    ABORTED = "aborted", "Aborted"
    REVIEWED = "reviewed", "Reviewed"


class Suitability(models.TextChoices):
    OPEN = "", "Not judged"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


@controlled(guards=("follow_states",))
class Run(models.Model):
    """One sequence on one instrument by one analyst; an aborted one stays, and is reviewed too."""

    number = models.CharField(max_length=40, unique=True)
    instrument = models.CharField(max_length=60, help_text="Code of the equipment.")
    equipment = models.ForeignKey(
        Equipment, models.PROTECT, related_name="runs", null=True, blank=True
    )
    method_code = models.CharField(max_length=40)
    method_version = models.CharField(max_length=20)
    analyst = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    planned_injections = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    was_aborted = models.BooleanField(default=False)
    suitability = models.CharField(max_length=8, choices=Suitability.choices, blank=True)
    suitability_text = models.TextField(blank=True, help_text="Criteria and what was found.")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_entries = models.PositiveIntegerField(
        null=True, blank=True, help_text="Entries of its audit trail that the reviewer saw."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="run_reviewed_by_another",
                condition=Q(reviewer=None) | ~Q(reviewer=F("analyst")),
            ),
            models.CheckConstraint(
                name="run_reviewed_with_its_trail",
                condition=~Q(state="reviewed")
                | Q(
                    reviewer__isnull=False,
                    reviewed_at__isnull=False,
                    reviewed_entries__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="run_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="run_ended_has_moment",
                condition=Q(state="running") | Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(name="run_state_known", condition=Q(state__in=RunState.values)),
            models.CheckConstraint(
                name="run_suitability_known", condition=Q(suitability__in=Suitability.values)
            ),
        ]

    def __str__(self) -> str:
        return self.number


@controlled(append_only=True, guards=("only_in_date",))
class RunReagent(models.Model):
    """A reagent or standard that a run used."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="reagents")
    reagent = models.ForeignKey(Reagent, models.PROTECT, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "reagent"], name="run_reagent_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.reagent}"


class InjectionKind(models.TextChoices):
    SAMPLE = "sample", "Sample"
    STANDARD = "standard", "Standard"
    BLANK = "blank", "Blank"
    SUITABILITY = "suitability", "System suitability"


class InjectionOutcome(models.TextChoices):
    COMPLETED = "completed", "Completed"
    ABORTED = "aborted", "Aborted"
    INVALID = "invalid", "Invalid"


@controlled(guards=("keep_injections",))
class Injection(models.Model):
    """One injection as the instrument numbered it; it is kept whatever became of it."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="injections")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=InjectionKind.choices)
    sample = models.ForeignKey(
        Sample, models.PROTECT, related_name="injections", null=True, blank=True
    )
    outcome = models.CharField(max_length=10, choices=InjectionOutcome.choices)
    reason = models.TextField(blank=True, help_text="Why it was aborted or is invalid.")
    injected_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    raw_data_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the raw data, as attached."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="injection_number_once"),
            models.CheckConstraint(name="injection_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="injection_kind_known", condition=Q(kind__in=InjectionKind.values)
            ),
            models.CheckConstraint(
                name="injection_of_a_sample_names_it",
                condition=(Q(kind="sample") & Q(sample__isnull=False))
                | (~Q(kind="sample") & Q(sample=None)),
            ),
            models.CheckConstraint(
                name="injection_failed_with_reason",
                condition=Q(outcome="completed")
                | (Q(outcome__in=["aborted", "invalid"]) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="injection_digest_is_sha256", condition=Q(raw_data_digest__regex=_SHA256)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} injection {self.number}"


@controlled(append_only=True)
class SequenceNote(models.Model):
    """What explains a gap in a sequence or data that nobody recorded; it does not fill the gap."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="notes")
    orphan = models.CharField(max_length=120, help_text="What is explained, as it is listed.")
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "orphan"], name="orphan_explained_once")
        ]

    def __str__(self) -> str:
        return f"{self.run} note on {self.orphan}"
