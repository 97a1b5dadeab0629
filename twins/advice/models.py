"""Proposals of a move for an alert, and how what was done compares. They change nothing else."""

from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from twins.predictions.asked.models import Asked
from twins.predictions.models import Alert, Prediction


class ProposalState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    CLAIMED = "claimed", "Running"
    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    SUPERSEDED = "superseded", "Superseded"
    STATED = "stated", "No move to answer"
    FAILED = "failed", "Failed"


GIVEN = (
    ProposalState.OPEN, ProposalState.ACCEPTED, ProposalState.REJECTED, ProposalState.EXPIRED,
    ProposalState.SUPERSEDED, ProposalState.STATED,
)  # fmt: skip


# A request holds a whole prediction's: its bytes are in the row, their digest is in the trail.
@controlled(
    digest_only=("input", "output"),
    guards=("a_proposal_asked", "a_proposal_final", "a_trial_named"),
)
class Proposal(Asked):
    """One answer to one alert, from one prediction: the smallest move, or why there is none.

    Numbers are the digits of the output's document. A trigger keeps what was proposed as it is, and
    refuses every change once it is answered, expired or superseded (migration 0002), and one that was
    not asked for first (migration 0004).
    """

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="proposals")
    prediction = models.ForeignKey(
        Prediction, models.PROTECT, related_name="proposals",
        help_text="What the twin saw, and which version of it.",
    )  # fmt: skip
    state = models.CharField(max_length=10, choices=ProposalState.choices)
    refusal = models.CharField(
        max_length=60, blank=True, help_text="Code of the refusal when there could be no advice."
    )
    is_trial = models.BooleanField(default=True, help_text="By a version that is not qualified.")

    outcome = models.CharField(
        max_length=20, blank=True,
        help_text="move, none-needed, not-enough, no-lever or undecided",
    )  # fmt: skip
    range_low = models.CharField(max_length=30, blank=True, help_text="L/h")
    range_high = models.CharField(max_length=30, blank=True, help_text="L/h")
    range_source = models.CharField(
        max_length=200, blank=True, help_text="By which words the recipe registers the range."
    )
    target = models.CharField(max_length=30, blank=True)
    before = CanonicalJSONField(
        default=list, blank=True, help_text="Probability as is, with its 90 % interval."
    )
    after = CanonicalJSONField(
        default=list, blank=True, help_text="Probability with the move, with its 90 % interval."
    )
    added_l = models.CharField(max_length=30, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    last_safe_at = models.DateTimeField(null=True, blank=True)
    last_safe_low_at = models.DateTimeField(null=True, blank=True)
    last_safe_high_at = models.DateTimeField(null=True, blank=True)

    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was answered, expired or superseded."
    )
    answered_by = models.CharField(max_length=60, blank=True)
    answer_reason = models.TextField(blank=True)
    superseded_by = models.ForeignKey(
        "self", models.PROTECT, related_name="supersedes", null=True, blank=True
    )

    class Meta:
        constraints = [
            # What failed may be asked for again.
            models.UniqueConstraint(
                fields=["alert", "prediction"], condition=~Q(state="failed"),
                name="proposal_once_a_prediction",
            ),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(state="open"), name="one_open_proposal"
            ),
            models.CheckConstraint(
                name="proposal_given_with_output",
                condition=~Q(state__in=[one.value for one in GIVEN])
                | (~Q(input="") & ~Q(output="") & ~Q(outcome="") & Q(finished_at__isnull=False)),
            ),
            # One that failed before there were codes has words only.
            models.CheckConstraint(
                name="proposal_failed_in_words",
                condition=Q(state="failed", problem__gt="")
                | (~Q(state="failed") & Q(problem="", refusal="")),
            ),
            models.CheckConstraint(
                name="proposal_answered_with_reason",
                condition=~Q(state__in=["accepted", "rejected"])
                | (~Q(answered_by="") & ~Q(answer_reason="") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="proposal_open_with_move",
                condition=~Q(state="open") | Q(outcome="move", last_safe_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_superseded_by_another",
                condition=~Q(state="superseded") | Q(superseded_by__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"proposal {self.pk} for alert {self.alert_id}"


class Followed(models.TextChoices):
    FOLLOWED = "followed", "Followed"
    PARTLY = "partly", "Followed in part"
    NOT_FOLLOWED = "not-followed", "Not followed"
    NO_MOVE = "no-move", "No move was proposed"
    UNKNOWN = "unknown", "No reading of the feed"


@controlled(append_only=True)
class Comparison(models.Model):
    """What was proposed beside what was done, and what came, once the horizon is over."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="comparison")
    compared_at = models.DateTimeField()
    until = models.DateTimeField(help_text="The last moment that was compared.")
    followed = models.CharField(max_length=15, choices=Followed.choices)
    from_move_l_per_h = models.CharField(
        max_length=30, blank=True, help_text="Mean distance of the feed from the proposed one."
    )
    from_recipe_l_per_h = models.CharField(
        max_length=30, blank=True, help_text="Mean distance of the feed from the recipe's."
    )
    done = CanonicalJSONField(help_text="[[hour of the batch, L/h], ...], hourly means")
    hours_measured = models.PositiveIntegerField(
        help_text="Hours with a value of what was endangered."
    )
    is_crossed = models.BooleanField(
        null=True, blank=True, help_text="Whether an hourly mean or a result was beyond the limit."
    )
    crossed_at = models.DateTimeField(null=True, blank=True)
    inside_as_is = models.PositiveIntegerField(
        help_text="Hours inside the interval foretold without the move."
    )
    inside_moved = models.PositiveIntegerField(
        null=True, blank=True, help_text="Hours inside the interval foretold with the move."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="comparison_crossed_at_a_moment",
                condition=Q(is_crossed=True, crossed_at__isnull=False)
                | Q(is_crossed=False, crossed_at__isnull=True)
                | Q(is_crossed__isnull=True, crossed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"comparison of {self.proposal}"
