import compliance.trail.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("access", "0001_initial"),
        ("access", "__first__"),
        ("assets", "0001_initial"),
        ("quality", "0001_initial"),
        ("recipes", "0001_initial"),
        ("trail", "0002_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=60, unique=True)),
                (
                    "recipe_digest",
                    models.CharField(help_text="Of the recipe as issued.", max_length=64),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "Issued"),
                            ("running", "Running"),
                            ("suspended", "Suspended"),
                            ("completed", "Completed"),
                            ("aborted", "Aborted"),
                        ],
                        default="issued",
                        max_length=10,
                    ),
                ),
                (
                    "disposition",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("held", "On hold"),
                            ("rework", "In rework"),
                            ("released", "Released"),
                            ("recalled", "Recalled"),
                            ("rejected", "Rejected"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("issued_at", models.DateTimeField()),
                ("issue_reason", models.TextField(blank=True)),
                (
                    "planned_size",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "planned_unit",
                    models.CharField(blank=True, help_text="UCUM code.", max_length=30),
                ),
                (
                    "scale",
                    models.DecimalField(
                        decimal_places=6,
                        default=1,
                        help_text="Multiple of the recipe's batch size; its quantities are multiplied by it.",
                        max_digits=12,
                    ),
                ),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "checked_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who checked the issued copy against the master (EU GMP 4.20).",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviations",
                    models.ManyToManyField(
                        blank=True, related_name="batches", to="quality.deviation"
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty when a system issued it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recipe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="recipes.masterrecipe",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("number"),
                        name="batch_number_once_in_any_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="batch_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["issued", "running", "suspended", "completed", "aborted"],
                            )
                        ),
                        name="batch_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scale__gt", 0)), name="batch_scale_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("planned_size", None),
                            models.Q(
                                ("planned_size__gt", 0),
                                models.Q(("planned_unit", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_size_with_unit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by", None),
                            ("issued_by", None),
                            models.Q(("checked_by", models.F("issued_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="batch_copy_checked_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disposition", "released"), _negated=True),
                            ("state", "completed"),
                            _connector="OR",
                        ),
                        name="batch_released_only_completed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchEvent",
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
                        choices=[
                            ("batch-started", "Batch started"),
                            ("batch-ended", "Batch ended"),
                            ("phase-started", "Phase started"),
                            ("phase-ended", "Phase ended"),
                            ("phase-held", "Phase held"),
                            ("phase-resumed", "Phase resumed"),
                            ("phase-aborted", "Phase aborted"),
                            ("batch-suspended", "Batch suspended"),
                            ("batch-resumed", "Batch resumed"),
                            ("addition", "Material addition"),
                            ("sampling", "Sampling"),
                            ("observation", "Observation"),
                            ("measurement", "Measurement"),
                            ("alarm", "Alarm"),
                            ("batch-aborted", "Batch aborted"),
                        ],
                        max_length=20,
                    ),
                ),
                ("phase", models.CharField(blank=True, max_length=100)),
                ("text", models.TextField(blank=True)),
                (
                    "performed_by",
                    models.CharField(
                        blank=True, help_text="As the source names them.", max_length=100
                    ),
                ),
                ("tag", models.CharField(blank=True, max_length=60)),
                (
                    "value",
                    models.CharField(
                        blank=True, help_text="As written by the source.", max_length=60
                    ),
                ),
                ("unit", models.CharField(blank=True, max_length=30)),
                ("details", compliance.trail.fields.CanonicalJSONField(blank=True, default=dict)),
                ("occurred_at", models.DateTimeField()),
                (
                    "occurred_text",
                    models.CharField(
                        help_text="The source's own text, offset and all.", max_length=40
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "is_backfilled",
                    models.BooleanField(
                        default=False,
                        help_text="Sent later by a store-and-forward source, from its own record.",
                    ),
                ),
                (
                    "is_zone_assumed",
                    models.BooleanField(
                        default=False,
                        help_text="The source gave no zone; the site's zone was assumed.",
                    ),
                ),
                ("message_id", models.CharField(max_length=120)),
                (
                    "late_reason",
                    models.TextField(blank=True, help_text="Why a person entered it late."),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="execution.batch",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="The person who entered it; empty when a system sent it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        help_text="The system that sent it; empty when a person entered it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.device",
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["batch", "occurred_at"], name="execution_b_batch_i_a75751_idx"
                    ),
                    models.Index(
                        condition=models.Q(("details", {}), _negated=True),
                        fields=["kind", "occurred_at"],
                        name="event_with_details",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "message_id"), name="event_message_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("witness", None),
                            ("recorded_by", None),
                            models.Q(("witness", models.F("recorded_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="event_witness_is_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "batch-started",
                                    "batch-ended",
                                    "phase-started",
                                    "phase-ended",
                                    "phase-held",
                                    "phase-resumed",
                                    "phase-aborted",
                                    "batch-suspended",
                                    "batch-resumed",
                                    "addition",
                                    "sampling",
                                    "observation",
                                    "measurement",
                                    "alarm",
                                    "batch-aborted",
                                ],
                            )
                        ),
                        name="event_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchPhase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order", models.PositiveIntegerField()),
                ("unit_procedure", models.CharField(max_length=100)),
                ("operation", models.CharField(blank=True, max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("instruction", models.TextField(blank=True)),
                ("duration_min", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "hold_limit_min",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Longest time to the start of the next phase (211.111).",
                        null=True,
                    ),
                ),
                ("needs_verification", models.BooleanField(default=False)),
                ("equipment_kind", models.CharField(blank=True, max_length=60)),
                ("parallel_group", models.CharField(blank=True, max_length=40)),
                (
                    "procedure",
                    models.CharField(
                        blank=True,
                        help_text="Code of the procedure that its people are trained in.",
                        max_length=40,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("held", "Held"),
                            ("done", "Done"),
                            ("aborted", "Aborted"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phases",
                        to="execution.batch",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recipe_phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="recipes.recipephase",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "order"), name="batch_phase_order_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running", "held", "done", "aborted"])
                        ),
                        name="phase_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verified_by", None),
                            ("started_by", None),
                            models.Q(("verified_by", models.F("started_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="phase_verified_by_another_than_started_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verified_by", None),
                            ("ended_by", None),
                            models.Q(("verified_by", models.F("ended_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="phase_verified_by_another_than_ended_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", None)),
                            models.Q(
                                ("state", "done"),
                                ("verified_at__isnull", False),
                                ("verified_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="phase_verified_only_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="phase_ends_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchParameter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tag", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=10)),
                ("unit", models.CharField(max_length=30)),
                ("criticality", models.CharField(max_length=6)),
                (
                    "low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "target",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "proven_low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "proven_high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "alert_low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "alert_high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "action_low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "action_high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("is_required", models.BooleanField(default=False)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parameters",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parameters",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "tag"), name="batch_parameter_tag_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchMaterial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                ("material_code", models.CharField(max_length=60)),
                ("kind", models.CharField(max_length=10)),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=20)),
                ("unit", models.CharField(max_length=30)),
                ("tolerance_low_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                ("tolerance_high_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                ("excess_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                ("is_potency_adjusted", models.BooleanField(default=False)),
                ("amount_per_dosage_unit", models.CharField(blank=True, max_length=100)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="materials",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="materials",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "line"), name="batch_material_line_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)),
                        name="batch_material_quantity_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60)),
                ("version", models.CharField(max_length=20)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("specimen_digest", models.CharField(blank=True, max_length=64)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="labels",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="labels",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "code"), name="batch_label_code_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("attached_at", models.DateTimeField()),
                (
                    "attached_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "attachment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trail.attachment",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "attachment"), name="batch_file_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchException",
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
                        choices=[
                            ("out-of-limits", "Value outside its limits"),
                            ("implausible", "Implausible value confirmed"),
                            ("not-judged", "Value that could not be judged"),
                            ("late-entry", "Late entry"),
                            ("charge", "Charge outside its tolerance"),
                            ("yield", "Yield outside its limits"),
                            ("reconciliation", "Reconciliation outside its limits"),
                            ("hold-time", "Time limit exceeded"),
                            ("interruption", "Phase or batch interrupted"),
                            ("examination", "Examination not conforming"),
                            ("source-not-usable", "Source not qualified or not calibrated"),
                            ("reading-conflict", "Reading sent again with another value"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="Table and number of what was entered.", max_length=100
                    ),
                ),
                ("clause", models.CharField(max_length=60)),
                ("text", models.TextField()),
                (
                    "is_critical",
                    models.BooleanField(default=False, help_text="It concerns a CPP or a CQA."),
                ),
                ("detected_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("assessed", "Assessed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("assessment", models.TextField(blank=True)),
                ("assessed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assessed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exceptions",
                        to="execution.batch",
                    ),
                ),
                (
                    "caused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_exceptions",
                        to="quality.deviation",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exceptions",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["batch", "state"], name="execution_b_batch_i_7c6f06_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "kind", "subject"), name="exception_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "out-of-limits",
                                    "implausible",
                                    "not-judged",
                                    "late-entry",
                                    "charge",
                                    "yield",
                                    "reconciliation",
                                    "hold-time",
                                    "interruption",
                                    "examination",
                                    "source-not-usable",
                                    "reading-conflict",
                                ],
                            )
                        ),
                        name="exception_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("assessed_by", None),
                            ("caused_by", None),
                            models.Q(("assessed_by", models.F("caused_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="exception_assessed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("assessed_at", None), ("assessed_by", None), ("state", "open")
                            ),
                            models.Q(
                                ("assessed_at__isnull", False),
                                ("assessed_by__isnull", False),
                                ("state", "assessed"),
                                models.Q(("assessment", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="exception_assessed_with_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "assessed"), _negated=True),
                            models.Q(
                                (
                                    "kind__in",
                                    [
                                        "charge",
                                        "examination",
                                        "hold-time",
                                        "out-of-limits",
                                        "reconciliation",
                                        "source-not-usable",
                                        "yield",
                                    ],
                                ),
                                _negated=True,
                            ),
                            ("deviation__isnull", False),
                            _connector="OR",
                        ),
                        name="exception_of_limits_has_deviation",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchSampling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("count", models.PositiveIntegerField()),
                ("timing", models.CharField(max_length=200)),
                (
                    "quantity",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("unit", models.CharField(blank=True, max_length=30)),
                ("specification", models.CharField(blank=True, max_length=60)),
                ("specification_version", models.CharField(blank=True, max_length=20)),
                ("tests", compliance.trail.fields.CanonicalJSONField(blank=True, default=list)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sampling",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sampling",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batch sampling",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "name"), name="batch_sampling_name_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchYield",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=20)),
                ("unit", models.CharField(max_length=30)),
                ("low_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                ("high_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="yields",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="yields",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "phase"), name="batch_yield_once_a_phase"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Calculation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("yield", "Yield"),
                            ("reconciliation", "Reconciliation"),
                            ("charge", "Charge"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject", models.CharField(help_text="What was computed.", max_length=200)),
                ("formula", models.CharField(max_length=60)),
                ("formula_version", models.PositiveIntegerField()),
                (
                    "inputs",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Each input as [value, unit], as texts."
                    ),
                ),
                ("places", models.PositiveSmallIntegerField()),
                ("rounding", models.CharField(max_length=10)),
                ("result", models.CharField(max_length=60)),
                (
                    "recomputed",
                    models.CharField(
                        help_text="By the second, separate evaluation.", max_length=60
                    ),
                ),
                ("unit", models.CharField(max_length=30)),
                (
                    "low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("is_within", models.BooleanField(default=True)),
                ("computed_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calculations",
                        to="execution.batch",
                    ),
                ),
                (
                    "computed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calculations",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("result", models.F("recomputed")),
                            models.Q(("result", ""), _negated=True),
                        ),
                        name="calculation_agrees_with_its_repetition",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("purpose__in", ["yield", "reconciliation", "charge", "other"])
                        ),
                        name="calculation_purpose_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                (
                    "gross",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "tare",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("net", models.DecimalField(decimal_places=6, max_digits=20)),
                (
                    "unit",
                    models.CharField(
                        help_text="As declared by the bill of materials.", max_length=30
                    ),
                ),
                (
                    "given",
                    models.CharField(
                        blank=True,
                        help_text="Net amount as read, where it was converted.",
                        max_length=80,
                    ),
                ),
                (
                    "override_reason",
                    models.TextField(
                        blank=True,
                        help_text="Why an amount above its tolerance is what was charged.",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="execution.batch",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="assets.materiallot",
                    ),
                ),
                (
                    "material",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="execution.batchmaterial",
                    ),
                ),
                (
                    "movement",
                    models.OneToOneField(
                        help_text="In the ledger of the lot.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charge",
                        to="assets.movement",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "scale_used",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assets.equipment",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
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
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="charge_witness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verified_by", models.F("performed_by")), _negated=True
                        ),
                        name="charge_verified_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("net__gt", 0)), name="charge_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("gross", None), ("tare", None)),
                            models.Q(
                                ("gross__isnull", False),
                                (
                                    "net",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("gross"), "-", models.F("tare")
                                    ),
                                ),
                                ("tare__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="charge_net_is_gross_less_tare",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EquipmentNeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=60)),
                ("requirement", models.CharField(blank=True, max_length=300)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="equipment_needs",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="equipment_needs",
                        to="execution.batchphase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "name"), name="equipment_need_name_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EquipmentAssignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                (
                    "state_text",
                    models.CharField(help_text="Its state when it was taken.", max_length=200),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="equipment",
                        to="execution.batch",
                    ),
                ),
                (
                    "equipment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="assets.equipment",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="equipment",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "use",
                    models.ForeignKey(
                        help_text="In the log book of the equipment; it says when the use ended.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="assets.equipmentuse",
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "need",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="execution.equipmentneed",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="assignment_witness",
                    ),
                    models.UniqueConstraint(
                        fields=("phase", "equipment", "use"), name="assigned_once_a_phase_and_use"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Examination",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("area-before", "Area clearance before use"),
                            ("area-after", "Area clearance after use"),
                            ("packages", "Examination of packaged and labelled product"),
                        ],
                        max_length=20,
                    ),
                ),
                ("is_conforming", models.BooleanField()),
                (
                    "finding",
                    models.TextField(
                        help_text="What was looked at, how much of it, and what was found."
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="examinations",
                        to="execution.batch",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="examinations",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
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
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="examination_witness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", None)),
                            models.Q(
                                ("verified_at__isnull", False),
                                ("verified_by__isnull", False),
                                models.Q(("verified_by", models.F("performed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="examination_verified",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["area-before", "area-after", "packages"])),
                        name="examination_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("finding", ""), _negated=True),
                        name="examination_says_what",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InProcessResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "value_text",
                    models.CharField(
                        help_text="As entered: trailing zeros are data.", max_length=60
                    ),
                ),
                ("value", models.DecimalField(decimal_places=12, max_digits=30)),
                ("unit", models.CharField(help_text="As declared by the recipe.", max_length=30)),
                (
                    "given_value",
                    models.CharField(blank=True, help_text="Before a conversion.", max_length=60),
                ),
                ("given_unit", models.CharField(blank=True, max_length=30)),
                (
                    "standing",
                    models.CharField(
                        choices=[
                            ("within", "Within"),
                            ("outside-normal", "Outside normal"),
                            ("outside-proven", "Outside proven"),
                            ("beyond-action", "Beyond action"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "override_reason",
                    models.TextField(blank=True, help_text="Why an implausible value is right."),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="in_process_results",
                        to="execution.batch",
                    ),
                ),
                (
                    "parameter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="execution.batchparameter",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="in_process_results",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "in-process result",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="in_process_witness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", None)),
                            models.Q(
                                ("verified_at__isnull", False),
                                ("verified_by__isnull", False),
                                models.Q(("verified_by", models.F("performed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="in_process_verified",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "standing__in",
                                ["within", "outside-normal", "outside-proven", "beyond-action"],
                            )
                        ),
                        name="in_process_standing_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("given_unit", ""), ("given_value", "")),
                            models.Q(
                                ("given_value", ""),
                                ("given_unit", ""),
                                _connector="OR",
                                _negated=True,
                            ),
                            _connector="OR",
                        ),
                        name="in_process_converted_both_ways",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IssuedCopy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", compliance.trail.fields.CanonicalJSONField()),
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="issued_copy",
                        to="execution.batch",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "issued copies",
            },
        ),
        migrations.CreateModel(
            name="LabelUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("issued", models.PositiveIntegerField()),
                ("used", models.PositiveIntegerField()),
                ("returned", models.PositiveIntegerField()),
                ("destroyed", models.PositiveIntegerField()),
                ("sampled", models.PositiveIntegerField(default=0)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="label_uses",
                        to="execution.batch",
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="execution.batchlabel",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="label_uses",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "reconciliation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="label_use",
                        to="execution.calculation",
                    ),
                ),
                (
                    "specimen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trail.attachment",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
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
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="label_use_witness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", None)),
                            models.Q(
                                ("verified_at__isnull", False),
                                ("verified_by__isnull", False),
                                models.Q(("verified_by", models.F("performed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="label_use_verified",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MaterialAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "performed_at",
                    models.DateTimeField(help_text="When it was done, as the person says."),
                ),
                ("recorded_at", models.DateTimeField(help_text="When it was entered.")),
                ("late_reason", models.TextField(blank=True, help_text="Why it was entered late.")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("issued", models.DecimalField(decimal_places=6, max_digits=20)),
                ("charged", models.DecimalField(decimal_places=6, max_digits=20)),
                ("returned", models.DecimalField(decimal_places=6, max_digits=20)),
                ("wasted", models.DecimalField(decimal_places=6, max_digits=20)),
                (
                    "unit",
                    models.CharField(
                        help_text="As declared by the bill of materials.", max_length=30
                    ),
                ),
                (
                    "limit_percent",
                    models.DecimalField(
                        decimal_places=3,
                        help_text="How far the account may be from 100 percent.",
                        max_digits=6,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="material_accounts",
                        to="execution.batch",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_accounts",
                        to="assets.materiallot",
                    ),
                ),
                (
                    "material",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="execution.batchmaterial",
                    ),
                ),
                (
                    "performed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="material_accounts",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "reconciliation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="material_account",
                        to="execution.calculation",
                    ),
                ),
                (
                    "scrapped",
                    models.OneToOneField(
                        blank=True,
                        help_text="What was wasted, in the ledger of the lot.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_account",
                        to="assets.movement",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "witness",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who saw what was entered late.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("material", "lot"), name="material_accounted_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("witness", None),
                            models.Q(("witness", models.F("performed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="account_witness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", None)),
                            models.Q(
                                ("verified_at__isnull", False),
                                ("verified_by__isnull", False),
                                models.Q(("verified_by", models.F("performed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="account_verified",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("charged__gt", 0),
                            ("issued__gt", 0),
                            ("returned__gte", 0),
                            ("wasted__gte", 0),
                        ),
                        name="account_amounts_possible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scrapped", None), ("wasted", 0)),
                            models.Q(("scrapped__isnull", False), ("wasted__gt", 0)),
                            _connector="OR",
                        ),
                        name="account_waste_is_scrapped",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProducedLot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="produced",
                        to="execution.batch",
                    ),
                ),
                (
                    "lot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="made_by",
                        to="assets.materiallot",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReadingSegment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message_id", models.CharField(max_length=120)),
                ("count", models.PositiveIntegerField()),
                (
                    "repeated",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Samples of the post that were here already, with the same value.",
                    ),
                ),
                (
                    "conflicting",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Samples that were here already with another value: kept beside.",
                    ),
                ),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "root",
                    models.CharField(
                        help_text="Merkle root over the samples, in order.", max_length=64
                    ),
                ),
                (
                    "conflict_root",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Merkle root over the conflicting ones.",
                        max_length=64,
                    ),
                ),
                (
                    "content_digest",
                    models.CharField(help_text="SHA-256 of the posted bytes.", max_length=64),
                ),
                ("is_backfilled", models.BooleanField(default=False)),
                ("recorded_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="segments",
                        to="execution.batch",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.device",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["batch", "first_at"], name="execution_r_batch_i_16ab43_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "message_id"), name="segment_message_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remarks",
                        to="execution.batch",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remarks",
                        to="execution.batchphase",
                    ),
                ),
                (
                    "written_by",
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
                        condition=models.Q(("text", ""), _negated=True), name="remark_not_empty"
                    )
                ],
            },
        ),
    ]
