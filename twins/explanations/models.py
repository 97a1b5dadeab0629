"""Explanations of alerts: what an alarm may be, and what it costs. They change nothing else."""

from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from twins.predictions.asked.models import Asked
from twins.predictions.models import Alert, Prediction


class ExplanationState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    CLAIMED = "claimed", "Running"
    EXPLAINED = "explained", "Explained"
    NOTHING = "nothing-to-explain", "Nothing to explain"
    NOT_EXPLAINED = "not-explained", "Could not be explained"


ENDED = (ExplanationState.EXPLAINED, ExplanationState.NOTHING, ExplanationState.NOT_EXPLAINED)


# An answer has every weight, sign and course: its bytes are in the row, their digest is in the trail.
@controlled(digest_only=("input", "output"), guards=("a_trial_named", "an_explanation_final"))
class Explanation(Asked):
    """One explanation of one alert, of the rows that one prediction saw.

    The question names those rows by the digest of the prediction's input, which keeps them. Numbers
    are the digits of the answer's document. A trigger refuses every change once it has ended, and one
    that was not asked for first (migration 0002).
    """

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="explanations")
    prediction = models.ForeignKey(
        Prediction, models.PROTECT, related_name="explanations",
        help_text="What the twin saw, and which version of it.",
    )  # fmt: skip
    state = models.CharField(max_length=20, choices=ExplanationState.choices)
    code_digest = models.CharField(max_length=64, blank=True, help_text="Of all twins' sources.")
    refusal = models.CharField(
        max_length=60, blank=True, help_text="Code of the refusal when it could not be explained."
    )
    is_trial = models.BooleanField(
        default=True, help_text="The version that raised the alarm was not qualified."
    )

    verdict = models.CharField(
        max_length=20, blank=True, help_text="process, probe, normal, none or undecided"
    )
    likeliest = models.CharField(max_length=100, blank=True, help_text="The likeliest hypothesis.")
    weight = models.CharField(max_length=30, blank=True, help_text="Its weight, 0 to 1.")
    proposed = models.CharField(
        max_length=20, blank=True, help_text="Class of its impact: major, minor or undecided."
    )

    class Meta:
        constraints = [
            # What could not be explained may be asked for again.
            models.UniqueConstraint(
                fields=["alert", "prediction"], condition=~Q(state="not-explained"),
                name="explanation_once_a_prediction",
            ),
            models.CheckConstraint(
                name="explanation_ended_with_answer",
                condition=~Q(state__in=["explained", "nothing-to-explain"])
                | (~Q(input="") & ~Q(output="") & ~Q(code_digest="")),
            ),
            models.CheckConstraint(
                name="explanation_explained_in_words",
                condition=~Q(state="explained") | (~Q(verdict="") & ~Q(likeliest="") & ~Q(weight="")),
            ),
            models.CheckConstraint(
                name="explanation_refused_in_words",
                condition=Q(state="not-explained", problem__gt="", refusal__gt="")
                | (~Q(state="not-explained") & Q(problem="", refusal="")),
            ),
            models.CheckConstraint(
                name="explanation_ended_at_a_moment",
                condition=Q(state__in=[one.value for one in ENDED], finished_at__isnull=False)
                | (~Q(state__in=[one.value for one in ENDED]) & Q(finished_at__isnull=True)),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"explanation {self.pk} of alert {self.alert_id}"
