import compliance.trail.fields
import django.db.models.deletion
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("predictions", "0003_trial_named"),
    ]

    operations = [
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("claimed", "Running"),
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("expired", "Expired"),
                            ("superseded", "Superseded"),
                            ("stated", "No move to answer"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(max_length=60)),
                ("requested_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("seed", models.PositiveBigIntegerField()),
                (
                    "input",
                    models.TextField(blank=True, help_text="The question, as canonical JSON."),
                ),
                ("input_digest", models.CharField(blank=True, max_length=64)),
                (
                    "output",
                    models.TextField(blank=True, help_text="The advice, as canonical JSON."),
                ),
                ("output_digest", models.CharField(blank=True, max_length=64)),
                (
                    "environment",
                    compliance.trail.fields.CanonicalJSONField(blank=True, default=dict),
                ),
                ("problem", models.TextField(blank=True)),
                (
                    "is_trial",
                    models.BooleanField(
                        default=True, help_text="By a version that is not qualified."
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        help_text="move, none-needed, not-enough, no-lever or undecided",
                        max_length=20,
                    ),
                ),
                ("range_low", models.CharField(blank=True, help_text="L/h", max_length=30)),
                ("range_high", models.CharField(blank=True, help_text="L/h", max_length=30)),
                (
                    "range_source",
                    models.CharField(
                        blank=True,
                        help_text="By which words the recipe registers the range.",
                        max_length=200,
                    ),
                ),
                ("target", models.CharField(blank=True, max_length=30)),
                (
                    "before",
                    compliance.trail.fields.CanonicalJSONField(
                        blank=True,
                        default=list,
                        help_text="Probability as is, with its 90 % interval.",
                    ),
                ),
                (
                    "after",
                    compliance.trail.fields.CanonicalJSONField(
                        blank=True,
                        default=list,
                        help_text="Probability with the move, with its 90 % interval.",
                    ),
                ),
                ("added_l", models.CharField(blank=True, max_length=30)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("last_safe_at", models.DateTimeField(blank=True, null=True)),
                ("last_safe_low_at", models.DateTimeField(blank=True, null=True)),
                ("last_safe_high_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it was answered, expired or superseded.",
                        null=True,
                    ),
                ),
                ("answered_by", models.CharField(blank=True, max_length=60)),
                ("answer_reason", models.TextField(blank=True)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="predictions.alert",
                    ),
                ),
                (
                    "prediction",
                    models.ForeignKey(
                        help_text="What the twin saw, and which version of it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="predictions.prediction",
                    ),
                ),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supersedes",
                        to="advice.proposal",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("alert", "prediction"), name="proposal_once_a_prediction"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("alert",),
                        name="one_open_proposal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "state__in",
                                    [
                                        "open",
                                        "accepted",
                                        "rejected",
                                        "expired",
                                        "superseded",
                                        "stated",
                                    ],
                                ),
                                _negated=True,
                            ),
                            models.Q(
                                models.Q(("input", ""), _negated=True),
                                models.Q(("output", ""), _negated=True),
                                models.Q(("outcome", ""), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="proposal_given_with_output",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "rejected"]), _negated=True),
                            models.Q(
                                models.Q(("answered_by", ""), _negated=True),
                                models.Q(("answer_reason", ""), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="proposal_answered_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "open"), _negated=True),
                            models.Q(("last_safe_at__isnull", False), ("outcome", "move")),
                            _connector="OR",
                        ),
                        name="proposal_open_with_move",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "superseded"), _negated=True),
                            ("superseded_by__isnull", False),
                            _connector="OR",
                        ),
                        name="proposal_superseded_by_another",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("compared_at", models.DateTimeField()),
                ("until", models.DateTimeField(help_text="The last moment that was compared.")),
                (
                    "followed",
                    models.CharField(
                        choices=[
                            ("followed", "Followed"),
                            ("partly", "Followed in part"),
                            ("not-followed", "Not followed"),
                            ("no-move", "No move was proposed"),
                            ("unknown", "No reading of the feed"),
                        ],
                        max_length=15,
                    ),
                ),
                (
                    "from_move_l_per_h",
                    models.CharField(
                        blank=True,
                        help_text="Mean distance of the feed from the proposed one.",
                        max_length=30,
                    ),
                ),
                (
                    "from_recipe_l_per_h",
                    models.CharField(
                        blank=True,
                        help_text="Mean distance of the feed from the recipe's.",
                        max_length=30,
                    ),
                ),
                (
                    "done",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="[[hour of the batch, L/h], ...], hourly means"
                    ),
                ),
                (
                    "hours_measured",
                    models.PositiveIntegerField(
                        help_text="Hours with a value of what was endangered."
                    ),
                ),
                (
                    "is_crossed",
                    models.BooleanField(
                        blank=True,
                        help_text="Whether an hourly mean or a result was beyond the limit.",
                        null=True,
                    ),
                ),
                ("crossed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "inside_as_is",
                    models.PositiveIntegerField(
                        help_text="Hours inside the interval foretold without the move."
                    ),
                ),
                (
                    "inside_moved",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Hours inside the interval foretold with the move.",
                        null=True,
                    ),
                ),
                (
                    "proposal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="comparison",
                        to="advice.proposal",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("crossed_at__isnull", False), ("is_crossed", True)),
                            models.Q(("crossed_at__isnull", True), ("is_crossed", False)),
                            models.Q(("crossed_at__isnull", True), ("is_crossed__isnull", True)),
                            _connector="OR",
                        ),
                        name="comparison_crossed_at_a_moment",
                    )
                ]
            },
        ),
    ]
