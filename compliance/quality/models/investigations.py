"""What an investigation considered: classification, causes, neighbours, recurrences, dates."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.quality.models.deviations import Deviation, RootCause, Severity
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled(append_only=True, guards=("keep_parent_open",))
class Classification(models.Model):
    """One answer to the rule's questions, and the severity that was given to a deviation by it."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="classifications")
    rule = models.CharField(max_length=20, help_text="Version of the rule.")
    answers = CanonicalJSONField()
    by_rule = models.CharField(max_length=10, choices=Severity.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    rationale = models.TextField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="classification_has_rationale", condition=~Q(rationale="")),
        ]

    def __str__(self) -> str:
        return f"{self.deviation} classified {self.severity} ({self.pk})"


class Finding(models.TextChoices):
    RULED_OUT = "ruled-out", "Ruled out"
    CONTRIBUTING = "contributing", "Contributing"
    ROOT = "root", "Root cause"


@controlled(append_only=True, guards=("keep_parent_open",))
class CauseConsidered(models.Model):
    """One possible cause that was looked at, what became of it, and how that was found."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="causes")
    category = models.CharField(max_length=20, choices=[one for one in RootCause.choices if one[0]])
    cause = models.TextField()
    finding = models.CharField(max_length=20, choices=Finding.choices)
    how = models.TextField(help_text="By which evidence.")
    considered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    considered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="cause_says_how", condition=~Q(how="") & ~Q(cause="") & ~Q(category="")
            ),
            models.CheckConstraint(
                name="cause_finding_known", condition=Q(finding__in=Finding.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deviation}: {self.get_category_display()} ({self.pk})"


class Effect(models.TextChoices):
    PENDING = "", "To be considered"
    AFFECTED = "affected", "Affected"
    NOT_AFFECTED = "not-affected", "Not affected"


@controlled(guards=("keep_parent_open", "keep_identity"))
class Neighbour(models.Model):
    """Something that may share the discrepancy: 21 CFR 211.192 extends the investigation to it."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="neighbours")
    rule = models.CharField(max_length=60, help_text="Which rule suggested it.")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    because = models.CharField(max_length=300)
    suggested_at = models.DateTimeField()
    effect = models.CharField(max_length=20, choices=Effect.choices, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deviation", "kind", "name"], name="neighbour_suggested_once"
            ),
            models.CheckConstraint(
                name="neighbour_decided_with_reason",
                condition=Q(effect="", decided_by=None, decided_at=None)
                | (
                    Q(effect__in=["affected", "not-affected"])
                    & ~Q(reason="")
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deviation}: {self.kind} {self.name}"


@controlled(append_only=True, guards=("keep_parent_open",))
class RecurrenceAnswer(models.Model):
    """What somebody says of the earlier deviations that look alike."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="recurrence_answers")
    earlier = CanonicalJSONField(help_text="Numbers of the deviations that it answers.")
    is_recurrence = models.BooleanField()
    text = models.TextField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.deviation}: recurrence answered ({self.pk})"


@controlled(guards=("keep_parent_open", "keep_identity"))
class Extension(models.Model):
    """A later due date that somebody asked for, and what quality said to it."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="extensions")
    due_before = models.DateField()
    due_after = models.DateField()
    reason = models.TextField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    is_granted = models.BooleanField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="extension_goes_forward", condition=Q(due_after__gt=F("due_before"))
            ),
            models.CheckConstraint(
                name="extension_answered_by_another",
                condition=Q(answered_by=None) | ~Q(answered_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="extension_answered_whole",
                condition=Q(is_granted=None, answered_by=None, answered_at=None)
                | Q(is_granted__isnull=False, answered_by__isnull=False, answered_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["deviation"], condition=Q(is_granted=None), name="one_extension_asked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deviation} to {self.due_after} ({self.pk})"


@controlled(append_only=True)
class Escalation(models.Model):
    """Work so late that the next level was told; once for each record and level."""

    record = models.CharField(max_length=63)
    number = models.CharField(max_length=120)
    level = models.PositiveSmallIntegerField()
    days_overdue = models.PositiveIntegerField()
    addressed_to = models.CharField(max_length=60, help_text="The role that was told.")
    escalated_at = models.DateTimeField()
    due_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record", "number", "level", "due_on"], name="one_escalation_a_level"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} escalated to level {self.level} ({self.pk})"
