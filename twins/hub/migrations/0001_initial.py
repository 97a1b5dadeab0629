import compliance.trail.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("access", "__first__"),
        ("quality", "0001_initial"),
        ("signatures", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("code_digest", models.CharField(max_length=64)),
                ("parameters_digest", models.CharField(max_length=64)),
                ("intended_use", models.TextField()),
                ("valid_range", models.TextField()),
                ("declarations", compliance.trail.fields.CanonicalJSONField()),
                ("registered_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft, on trial"),
                            ("qualified", "Qualified"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("qualified_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "code_digest", "parameters_digest"),
                        name="model_version_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("qualified_at", None), ("retired_at", None), ("state", "draft")
                            ),
                            models.Q(
                                ("qualified_at__isnull", False),
                                ("retired_at", None),
                                ("state", "qualified"),
                            ),
                            models.Q(
                                ("qualified_at__isnull", False),
                                ("retired_at__isnull", False),
                                ("state", "retired"),
                            ),
                            _connector="OR",
                        ),
                        name="model_version_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DriftCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "batches",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Keys of the batches of the window."
                    ),
                ),
                ("alpha", models.CharField(max_length=10)),
                ("results", compliance.trail.fields.CanonicalJSONField()),
                ("checked_at", models.DateTimeField()),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drift_checks",
                        to="hub.modelversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "number"), name="drift_window_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelDossier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subgroups",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Names of the subgroups that it is used in."
                    ),
                ),
                (
                    "limits",
                    models.TextField(help_text="What it cannot do, and must not be used for."),
                ),
                (
                    "training",
                    models.TextField(
                        help_text="Where the training data came from, or why there are none."
                    ),
                ),
                ("prepared_at", models.DateTimeField()),
                (
                    "prepared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dossier",
                        to="hub.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DriftFinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("input", "Input"), ("outcome", "Outcome")], max_length=10
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drift_findings",
                        to="quality.deviation",
                    ),
                ),
                (
                    "found_in",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="hub.driftcheck",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drift_findings",
                        to="hub.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SealedTestSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "provenance",
                    models.TextField(
                        help_text="Where the data came from, and how they were chosen."
                    ),
                ),
                (
                    "label_provenance",
                    models.TextField(help_text="Who said what happened, and how it was verified."),
                ),
                (
                    "is_generated",
                    models.BooleanField(help_text="The data were made by a simulation."),
                ),
                ("labels_digest", models.CharField(max_length=64)),
                (
                    "coverage",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="[[subgroup, batches, of them with an event], ...]"
                    ),
                ),
                (
                    "exclusions",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="[[batch left out, reason], ...]"
                    ),
                ),
                ("sealed_at", models.DateTimeField()),
                (
                    "sealed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Qualification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Criteria signed"),
                            ("passed", "Passed"),
                            ("failed", "Failed"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "replaces",
                    models.TextField(help_text="What it replaces, and how well that does it."),
                ),
                (
                    "drift_alpha",
                    models.CharField(
                        help_text="Chance of a false alarm of the drift watch, each window.",
                        max_length=10,
                    ),
                ),
                ("false_alarm_contract", models.CharField(max_length=10)),
                ("miss_contract", models.CharField(max_length=10)),
                ("drafted_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approver",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "signature",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="signatures.signature",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="qualifications",
                        to="hub.modelversion",
                    ),
                ),
                (
                    "test_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="qualifications",
                        to="hub.sealedtestset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approver", None),
                            models.Q(("approver", models.F("author")), _negated=True),
                            _connector="OR",
                        ),
                        name="qualification_author_is_not_approver",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved_at", None),
                                ("approver", None),
                                ("signature", None),
                                ("state", "draft"),
                            ),
                            models.Q(
                                ("state__in", ["approved", "passed", "failed"]),
                                ("approved_at__isnull", False),
                                ("approver__isnull", False),
                                ("signature__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="qualification_is_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Criterion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("metric", models.CharField(max_length=40)),
                (
                    "comparison",
                    models.CharField(
                        choices=[
                            ("at-least", "at least"),
                            ("at-most", "at most"),
                            ("above", "above"),
                            ("below", "below"),
                        ],
                        max_length=10,
                    ),
                ),
                ("threshold", models.CharField(max_length=30)),
                ("population", models.CharField(help_text="“all”, or a subgroup.", max_length=60)),
                (
                    "qualification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="criteria",
                        to="hub.qualification",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "criteria",
            },
        ),
        migrations.CreateModel(
            name="SealedBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=120)),
                ("content_digest", models.CharField(max_length=64)),
                ("subgroup", models.CharField(max_length=60)),
                ("rows", models.PositiveIntegerField()),
                (
                    "test_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="hub.sealedtestset",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sealed batches",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("test_set", "content_digest"), name="sealed_batch_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustodyLook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("looked_at", models.DateTimeField()),
                ("why", models.TextField()),
                (
                    "looked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "qualification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="looks",
                        to="hub.qualification",
                    ),
                ),
                (
                    "test_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="looks",
                        to="hub.sealedtestset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("test_set", "number"), name="custody_look_counted"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TestRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "is_second_look",
                    models.BooleanField(help_text="The test set had been opened before."),
                ),
                ("labels", compliance.trail.fields.CanonicalJSONField()),
                ("answers", compliance.trail.fields.CanonicalJSONField()),
                ("scores", compliance.trail.fields.CanonicalJSONField()),
                ("verdicts", compliance.trail.fields.CanonicalJSONField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("passed", "All criteria are met"),
                            ("failed", "A criterion is not met"),
                            ("without-skill", "No better than a guess"),
                        ],
                        max_length=20,
                    ),
                ),
                ("run_at", models.DateTimeField()),
                (
                    "deviation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="model_tests",
                        to="quality.deviation",
                    ),
                ),
                (
                    "look",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="run",
                        to="hub.custodylook",
                    ),
                ),
                (
                    "qualification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="run",
                        to="hub.qualification",
                    ),
                ),
                (
                    "run_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("deviation", None), ("outcome", "passed")),
                            models.Q(
                                ("deviation__isnull", False),
                                ("outcome__in", ["failed", "without-skill"]),
                            ),
                            _connector="OR",
                        ),
                        name="test_run_failed_with_deviation",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Trainer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trainers",
                        to="hub.modeldossier",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dossier", "person"), name="trainer_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=120)),
                ("content_digest", models.CharField(max_length=64)),
                ("rows", models.PositiveIntegerField()),
                (
                    "means",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="[[input, mean], ...]: what drift is compared with."
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="hub.modeldossier",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "training batches",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dossier", "content_digest"), name="training_batch_once"
                    )
                ],
            },
        ),
    ]
