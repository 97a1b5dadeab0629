"""CAPA: what is changed so that a failure does not come again, or not at all (ICH Q10, 3.2.2)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.quality.models.deviations import Deviation
from compliance.trail.capture import controlled
from compliance.trail.models import Attachment


class CapaKind(models.TextChoices):
    CORRECTIVE = "corrective", "Corrective"
    PREVENTIVE = "preventive", "Preventive"


class CapaSource(models.TextChoices):
    DEVIATION = "deviation", "Deviation"
    AUDIT = "audit", "Audit or inspection"
    COMPLAINT = "complaint", "Complaint"
    TREND = "trend", "Trend"
    REVIEW = "review", "Management or periodic review"
    OTHER = "other", "Other"


class CapaState(models.TextChoices):
    DRAFT = "draft", "Draft"
    APPROVED = "approved", "Approved, in work"
    IMPLEMENTED = "implemented", "Implemented, effect to be checked"
    EFFECTIVE = "effective", "Effective"
    INEFFECTIVE = "ineffective", "Not effective"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


@controlled(guards=("keep_states", "keep_gates"))
class Capa(models.Model):
    """One corrective or preventive action plan, closed only when its effect was checked."""

    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=CapaKind.choices)
    source = models.CharField(max_length=20, choices=CapaSource.choices)
    source_text = models.TextField(blank=True, help_text="Which audit, complaint or trend.")
    problem = models.TextField(help_text="What failed, or could fail, and why.")
    state = models.CharField(max_length=20, choices=CapaState.choices, default=CapaState.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    due_on = models.DateField(help_text="Until when everything is implemented.")
    criterion = models.TextField(help_text="How it will be seen that it helped; set beforehand.")
    check_due_on = models.DateField()
    approved_at = models.DateTimeField(null=True, blank=True)
    implemented_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    deviations = models.ManyToManyField(Deviation, related_name="capas", blank=True)
    follows = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followers",
        help_text="The CAPA that did not help.",
    )  # fmt: skip

    class Meta:
        verbose_name = "CAPA"
        constraints = [
            models.CheckConstraint(
                name="capa_state_known", condition=Q(state__in=CapaState.values)
            ),
            models.CheckConstraint(name="capa_has_criterion", condition=~Q(criterion="")),
            models.CheckConstraint(
                name="capa_closed_at_its_end",
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state not in (CapaState.CLOSED, CapaState.CANCELLED)


controlled()(Capa.deviations.through)


@controlled(guards=("keep_capa_open", "keep_done", "keep_plan"))
class CapaAction(models.Model):
    """One thing to be done, by whom and until when; done with its evidence."""

    capa = models.ForeignKey(Capa, models.PROTECT, related_name="actions")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    evidence = models.TextField(blank=True, default="", help_text="Where it can be seen.")
    attachment = models.ForeignKey(
        Attachment, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="capa_action_done_with_evidence",
                condition=Q(done_at=None, done_by=None)
                | (Q(done_at__isnull=False, done_by__isnull=False) & ~Q(evidence="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.capa} action {self.pk}"


@controlled(append_only=True, guards=("keep_checker_apart", "keep_capa_implemented"))
class EffectivenessCheck(models.Model):
    """Whether it helped, by the criterion set beforehand, seen by somebody other than the owner."""

    capa = models.ForeignKey(Capa, models.PROTECT, related_name="checks")
    is_effective = models.BooleanField()
    observed = models.TextField(help_text="What was measured, against the criterion.")
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.capa} checked ({self.pk})"
