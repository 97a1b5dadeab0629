"""Change control: what is to be changed, what it touches, who agreed (EU GMP Annex 15, 11)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.quality.models.risks import Risk
from compliance.trail.capture import controlled


class ChangeClass(models.TextChoices):
    MINOR = "minor", "Minor"
    MAJOR = "major", "Major"
    CRITICAL = "critical", "Critical"


class ChangeState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    ASSESSED = "assessed", "Assessed, to be approved"
    APPROVED = "approved", "Approved, being implemented"
    IMPLEMENTED = "implemented", "Implemented, to be reviewed"
    REVIEWED = "reviewed", "Reviewed, to be closed"
    CLOSED = "closed", "Closed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Withdrawn"


class ImpactKind(models.TextChoices):
    """What every change is asked about; nothing is left out without a word."""

    RECIPE = "recipe", "Master recipes"
    MODEL = "model", "Twin models"
    VALIDATION = "validation", "Validation and qualification"
    EQUIPMENT = "equipment", "Equipment"
    DOCUMENT = "document", "Documents and procedures"
    TRAINING = "training", "Training"
    REGULATORY = "regulatory", "Marketing authorisation"


@controlled(guards=("keep_states", "keep_gates"))
class Change(models.Model):
    """One change, from the request to the review after it."""

    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField()
    justification = models.TextField()
    classification = models.CharField(max_length=10, choices=ChangeClass.choices)
    state = models.CharField(
        max_length=20, choices=ChangeState.choices, default=ChangeState.REQUESTED
    )
    is_emergency = models.BooleanField(default=False)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    due_on = models.DateField()
    risk = models.ForeignKey(Risk, models.PROTECT, null=True, blank=True, related_name="changes")
    emergency_at = models.DateTimeField(
        null=True, blank=True, help_text="When quality let an emergency go ahead."
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    implemented_at = models.DateTimeField(null=True, blank=True)
    review_due_on = models.DateField(null=True, blank=True)
    review = models.TextField(blank=True, default="", help_text="What the change brought about.")
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="change_state_known", condition=Q(state__in=ChangeState.values)
            ),
            models.CheckConstraint(
                name="change_emergency_declared",
                condition=Q(emergency_at=None) | Q(is_emergency=True),
            ),
            models.CheckConstraint(
                name="change_reviewed_in_words",
                condition=~Q(state__in=["reviewed", "closed"])
                | (~Q(review="") & Q(reviewed_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state not in (
            ChangeState.CLOSED, ChangeState.REJECTED, ChangeState.CANCELLED
        )  # fmt: skip


@controlled(guards=("keep_change_unapproved",))
class Impact(models.Model):
    """What a change means for one thing, or that it means nothing for a kind of thing."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="impacts")
    kind = models.CharField(max_length=20, choices=ImpactKind.choices)
    identifier = models.CharField(max_length=120, blank=True)
    is_affected = models.BooleanField()
    assessment = models.TextField()
    assessed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assessed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["change", "kind", "identifier"], name="impact_assessed_once"
            ),
            models.CheckConstraint(
                name="impact_names_what_is_affected",
                condition=Q(is_affected=False) | ~Q(identifier=""),
            ),
            models.CheckConstraint(name="impact_assessed", condition=~Q(assessment="")),
            models.CheckConstraint(
                name="impact_kind_known", condition=Q(kind__in=ImpactKind.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change}: {self.kind} {self.identifier} ({self.pk})"


@controlled(append_only=True, guards=("keep_approver_apart",))
class Approval(models.Model):
    """One function's yes to a change, given by signature; one a function."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="approvals")
    function = models.CharField(max_length=30)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    comment = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["change", "function"], name="one_approval_a_function"),
            models.UniqueConstraint(fields=["change", "approved_by"], name="one_function_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.change} approved for {self.function}"


@controlled(guards=("keep_change_open", "keep_done", "keep_plan"))
class ChangeTask(models.Model):
    """One thing that has to be done so that the change is there."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="tasks")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="change_task_done_with_outcome",
                condition=Q(done_at=None) | ~Q(outcome=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.change} task {self.pk}"
