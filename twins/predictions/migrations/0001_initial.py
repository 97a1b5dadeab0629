import compliance.trail.fields
import django.db.models.deletion
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("execution", "0001_initial"),
        ("hub", "0001_initial"),
        ("quality", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Prediction",
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
                        choices=[("claimed", "Running"), ("done", "Done"), ("failed", "Failed")],
                        max_length=10,
                    ),
                ),
                ("as_of", models.DateTimeField(help_text="Nothing the plant knew later was used.")),
                ("horizon_h", models.PositiveIntegerField()),
                ("seed", models.PositiveBigIntegerField()),
                (
                    "input",
                    models.TextField(blank=True, help_text="The request, as canonical JSON."),
                ),
                ("input_digest", models.CharField(blank=True, max_length=64)),
                (
                    "output",
                    models.TextField(blank=True, help_text="The forecast, as canonical JSON."),
                ),
                ("output_digest", models.CharField(blank=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        blank=True, help_text="forecast, undecided or out-of-domain", max_length=20
                    ),
                ),
                (
                    "environment",
                    compliance.trail.fields.CanonicalJSONField(blank=True, default=dict),
                ),
                ("claimed_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.TextField(blank=True)),
                (
                    "is_trial",
                    models.BooleanField(
                        default=True, help_text="The version was not qualified when it ran."
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="predictions",
                        to="execution.batch",
                    ),
                ),
                (
                    "model_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="predictions",
                        to="hub.modelversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "model_version", "as_of"), name="prediction_once_a_moment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                models.Q(("input", ""), _negated=True),
                                models.Q(("output", ""), _negated=True),
                                models.Q(("status", ""), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="prediction_done_with_output",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "failed"), _negated=True),
                            models.Q(("problem", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="prediction_failed_with_problem",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tag", models.CharField(max_length=60)),
                (
                    "side",
                    models.CharField(choices=[("low", "Below"), ("high", "Above")], max_length=4),
                ),
                ("limit", models.CharField(max_length=40)),
                ("unit", models.CharField(max_length=30)),
                ("probability", models.CharField(max_length=30)),
                (
                    "lead_time_h",
                    models.CharField(
                        help_text="Median hours until the limit is crossed.", max_length=30
                    ),
                ),
                ("lead_time_low_h", models.CharField(max_length=30)),
                ("lead_time_high_h", models.CharField(max_length=30)),
                (
                    "contributions",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="[[variable, log-odds that it added], ...]"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("raised_at", models.DateTimeField()),
                (
                    "is_trial",
                    models.BooleanField(
                        default=True, help_text="Raised by a version that is not qualified."
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=60)),
                ("answer_reason", models.TextField(blank=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="execution.batch",
                    ),
                ),
                (
                    "deviation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="quality.deviation",
                    ),
                ),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="predictions.prediction",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("batch", "tag", "side"),
                        name="one_open_alert",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            models.Q(
                                models.Q(("answered_by", ""), _negated=True),
                                models.Q(("answer_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="alert_answered_with_reason",
                    ),
                ],
            },
        ),
    ]
