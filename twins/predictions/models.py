"""Predictions over running batches and the alerts they raise. They change nothing else."""

from django.db import models
from django.db.models import Q

from batches.execution.models import Batch
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from twins.hub.models import ModelVersion


class PredictionState(models.TextChoices):
    CLAIMED = "claimed", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


# A request has thousands of readings: its bytes are in the row, their digest is in the trail.
@controlled(digest_only=("input", "output"), guards=("a_prediction_final", "a_trial_named"))
class Prediction(models.Model):
    """One run of one model version on one batch, with all that is needed to repeat it exactly.

    A trigger refuses every change to a prediction that has ended (migration 0002).
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions")
    state = models.CharField(max_length=10, choices=PredictionState.choices)
    as_of = models.DateTimeField(help_text="Nothing the plant knew later was used.")
    horizon_h = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    input = models.TextField(blank=True, help_text="The request, as canonical JSON.")
    input_digest = models.CharField(max_length=64, blank=True)
    output = models.TextField(blank=True, help_text="The forecast, as canonical JSON.")
    output_digest = models.CharField(max_length=64, blank=True)
    status = models.CharField(
        max_length=20,
        blank=True,
        help_text="forecast, undecided or out-of-domain; of a watching twin normal or deviation",
    )
    environment = CanonicalJSONField(default=dict, blank=True)
    claimed_at = models.DateTimeField(help_text="Renewed while the run goes on.")
    claimed_by = models.CharField(
        max_length=100, blank=True, help_text="Worker: host, process and a number of the claim."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=60, blank=True, help_text="Code of the refusal.")
    problem = models.TextField(blank=True, help_text="Words of the refusal.")
    is_trial = models.BooleanField(
        default=True, help_text="The version was not qualified when it ran."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "model_version", "as_of"], name="prediction_once_a_moment"
            ),
            models.CheckConstraint(
                name="prediction_done_with_output",
                condition=~Q(state="done")
                | (~Q(input="") & ~Q(output="") & ~Q(status="") & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="prediction_failed_with_problem", condition=~Q(state="failed") | ~Q(problem="")
            ),
        ]
        indexes = [  # few are claimed at once, among very many
            models.Index(
                fields=["claimed_at"], condition=Q(state="claimed"), name="prediction_claimed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch} as of {self.as_of:%Y-%m-%d %H:%M} ({self.pk})"


class AlertState(models.TextChoices):
    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


class AlertSide(models.TextChoices):
    LOW = "low", "Below"
    HIGH = "high", "Above"
    UNLIKE = "odd", "Unlike normal batches"


@controlled(guards=("a_trial_named",))
class Alert(models.Model):
    """A predicted or present deviation: how likely, how soon and why; a person answers it."""

    prediction = models.ForeignKey(Prediction, models.PROTECT, related_name="alerts")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="alerts")
    tag = models.CharField(max_length=60)
    side = models.CharField(max_length=4, choices=AlertSide.choices)
    limit = models.CharField(max_length=40)
    unit = models.CharField(max_length=30)
    probability = models.CharField(max_length=30)
    impact_probability = models.CharField(
        max_length=30, blank=True, help_text="That it costs product, where the twin tells it apart."
    )
    lead_time_h = models.CharField(
        max_length=30, blank=True, help_text="Median hours until the limit is crossed."
    )
    lead_time_low_h = models.CharField(max_length=30, blank=True)
    lead_time_high_h = models.CharField(max_length=30, blank=True)
    contributions = CanonicalJSONField(
        help_text="[[variable, log-odds or share of the score that it added], ...]"
    )
    state = models.CharField(max_length=10, choices=AlertState.choices, default=AlertState.OPEN)
    raised_at = models.DateTimeField()
    is_trial = models.BooleanField(
        default=True, help_text="Raised by a version that is not qualified."
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answer_reason = models.TextField(blank=True)
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="alerts", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "tag", "side"], condition=Q(state="open"), name="one_open_alert"
            ),
            models.CheckConstraint(
                name="alert_answered_with_reason",
                condition=Q(state="open") | (~Q(answered_by="") & ~Q(answer_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.tag} ({self.pk})"
