import compliance.trail.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("access", "__first__"),
        ("trail", "0002_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Deviation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("under-investigation", "Under investigation"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled as a duplicate"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("person", "Reported by a person"),
                            ("alert", "Accepted alert of a twin"),
                            ("import", "Imported from another system"),
                            ("watch", "Found by the watch over a model"),
                        ],
                        max_length=10,
                    ),
                ),
                ("occurred_at", models.DateTimeField(help_text="When it happened in the plant.")),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=60)),
                ("due_on", models.DateField()),
                ("immediate_action", models.TextField(blank=True)),
                (
                    "root_cause_category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not determined"),
                            ("equipment", "Equipment"),
                            ("material", "Material"),
                            ("method", "Method or procedure"),
                            ("environment", "Environment"),
                            ("measurement", "Measurement"),
                            ("training", "Training or instruction"),
                            ("system", "Computerised or quality system"),
                            ("human-error", "Human error"),
                        ],
                        max_length=20,
                    ),
                ),
                ("root_cause", models.TextField(blank=True)),
                (
                    "alternatives_considered",
                    models.TextField(
                        blank=True,
                        help_text="EU GMP Chapter 8: other causes that were ruled out, and how.",
                    ),
                ),
                (
                    "impact",
                    models.TextField(
                        blank=True, help_text="Effect on product quality, and on which batches."
                    ),
                ),
                ("corrective_action", models.TextField(blank=True)),
                ("conclusion", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("claims", compliance.trail.fields.CanonicalJSONField(blank=True, default=dict)),
                (
                    "source_text",
                    models.TextField(blank=True, help_text="The imported report, unchanged."),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not sorted"),
                            ("process", "Process parameter"),
                            ("equipment", "Equipment or utility"),
                            ("material", "Material"),
                            ("laboratory", "Laboratory"),
                            ("documentation", "Documentation"),
                            ("environment", "Environment"),
                            ("computerised-system", "Computerised system"),
                            ("other", "Other"),
                        ],
                        default="",
                        max_length=30,
                    ),
                ),
                (
                    "concerns",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Code of what it is about: a tag, a unit.",
                        max_length=120,
                    ),
                ),
                (
                    "duplicate_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duplicates",
                        to="quality.deviation",
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="quality.deviation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(
                                models.Q(("root_cause_category", ""), _negated=True),
                                models.Q(("root_cause", ""), _negated=True),
                                models.Q(("conclusion", ""), _negated=True),
                                models.Q(("impact", ""), _negated=True),
                                ("closed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="deviation_closed_with_cause_and_conclusion",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "under-investigation", "closed", "cancelled"])
                        ),
                        name="deviation_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("duplicate_of__isnull", False), ("state", "cancelled")),
                            models.Q(
                                models.Q(("state", "cancelled"), _negated=True),
                                ("duplicate_of", None),
                            ),
                            _connector="OR",
                        ),
                        name="deviation_cancelled_names_its_original",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "category__in",
                                [
                                    "",
                                    "process",
                                    "equipment",
                                    "material",
                                    "laboratory",
                                    "documentation",
                                    "environment",
                                    "computerised-system",
                                    "other",
                                ],
                            )
                        ),
                        name="deviation_category_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["minor", "major", "critical"])),
                        name="deviation_severity_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Classification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(help_text="Version of the rule.", max_length=20)),
                ("answers", compliance.trail.fields.CanonicalJSONField()),
                (
                    "by_rule",
                    models.CharField(
                        choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
                        max_length=10,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
                        max_length=10,
                    ),
                ),
                ("rationale", models.TextField()),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="classifications",
                        to="quality.deviation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rationale", ""), _negated=True),
                        name="classification_has_rationale",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CauseConsidered",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("equipment", "Equipment"),
                            ("material", "Material"),
                            ("method", "Method or procedure"),
                            ("environment", "Environment"),
                            ("measurement", "Measurement"),
                            ("training", "Training or instruction"),
                            ("system", "Computerised or quality system"),
                            ("human-error", "Human error"),
                        ],
                        max_length=20,
                    ),
                ),
                ("cause", models.TextField()),
                (
                    "finding",
                    models.CharField(
                        choices=[
                            ("ruled-out", "Ruled out"),
                            ("contributing", "Contributing"),
                            ("root", "Root cause"),
                        ],
                        max_length=20,
                    ),
                ),
                ("how", models.TextField(help_text="By which evidence.")),
                ("considered_at", models.DateTimeField()),
                (
                    "considered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="causes",
                        to="quality.deviation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("how", ""), _negated=True),
                            models.Q(("cause", ""), _negated=True),
                            models.Q(("category", ""), _negated=True),
                        ),
                        name="cause_says_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("finding__in", ["ruled-out", "contributing", "root"])),
                        name="cause_finding_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Capa",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("corrective", "Corrective"), ("preventive", "Preventive")],
                        max_length=20,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("deviation", "Deviation"),
                            ("audit", "Audit or inspection"),
                            ("complaint", "Complaint"),
                            ("trend", "Trend"),
                            ("review", "Management or periodic review"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "source_text",
                    models.TextField(blank=True, help_text="Which audit, complaint or trend."),
                ),
                ("problem", models.TextField(help_text="What failed, or could fail, and why.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Approved, in work"),
                            ("implemented", "Implemented, effect to be checked"),
                            ("effective", "Effective"),
                            ("ineffective", "Not effective"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=20,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_on", models.DateField(help_text="Until when everything is implemented.")),
                (
                    "criterion",
                    models.TextField(
                        help_text="How it will be seen that it helped; set beforehand."
                    ),
                ),
                ("check_due_on", models.DateField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("implemented_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        help_text="The CAPA that did not help.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="quality.capa",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviations",
                    models.ManyToManyField(
                        blank=True, related_name="capas", to="quality.deviation"
                    ),
                ),
            ],
            options={
                "verbose_name": "CAPA",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "draft",
                                    "approved",
                                    "implemented",
                                    "effective",
                                    "ineffective",
                                    "closed",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="capa_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("criterion", ""), _negated=True),
                        name="capa_has_criterion",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(
                                models.Q(("state", "closed"), _negated=True), ("closed_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="capa_closed_at_its_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviationNote",
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
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="quality.deviation",
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
        ),
        migrations.CreateModel(
            name="EffectivenessCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_effective", models.BooleanField()),
                (
                    "observed",
                    models.TextField(help_text="What was measured, against the criterion."),
                ),
                ("checked_at", models.DateTimeField()),
                (
                    "capa",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="quality.capa",
                    ),
                ),
                (
                    "checked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Escalation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("record", models.CharField(max_length=63)),
                ("number", models.CharField(max_length=120)),
                ("level", models.PositiveSmallIntegerField()),
                ("days_overdue", models.PositiveIntegerField()),
                (
                    "addressed_to",
                    models.CharField(help_text="The role that was told.", max_length=60),
                ),
                ("escalated_at", models.DateTimeField()),
                ("due_on", models.DateField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("record", "number", "level", "due_on"),
                        name="one_escalation_a_level",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Extension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_before", models.DateField()),
                ("due_after", models.DateField()),
                ("reason", models.TextField()),
                ("requested_at", models.DateTimeField()),
                ("is_granted", models.BooleanField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, default="")),
                (
                    "answered_by",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extensions",
                        to="quality.deviation",
                    ),
                ),
                (
                    "requested_by",
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
                        condition=models.Q(("due_after__gt", models.F("due_before"))),
                        name="extension_goes_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_by", None),
                            models.Q(("answered_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="extension_answered_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answered_at", None), ("answered_by", None), ("is_granted", None)
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                                ("is_granted__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="extension_answered_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_granted", None)),
                        fields=("deviation",),
                        name="one_extension_asked",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Neighbour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(help_text="Which rule suggested it.", max_length=60)),
                ("kind", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("because", models.CharField(max_length=300)),
                ("suggested_at", models.DateTimeField()),
                (
                    "effect",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "To be considered"),
                            ("affected", "Affected"),
                            ("not-affected", "Not affected"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="neighbours",
                        to="quality.deviation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("deviation", "kind", "name"), name="neighbour_suggested_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("effect", "")),
                            models.Q(
                                ("effect__in", ["affected", "not-affected"]),
                                models.Q(("reason", ""), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="neighbour_decided_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PeriodicReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("system", models.CharField(max_length=120)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("concluded", "Concluded")],
                        default="open",
                        max_length=20,
                    ),
                ),
                (
                    "figures",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Collected when the review was opened."
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("conclusion", models.TextField(blank=True, default="")),
                ("concluded_at", models.DateTimeField(blank=True, null=True)),
                ("next_due_on", models.DateField(blank=True, null=True)),
                (
                    "opened_by",
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
                        condition=models.Q(("ends_on__gt", models.F("starts_on"))),
                        name="periodic_review_of_a_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            models.Q(
                                ("concluded_at__isnull", False),
                                ("next_due_on__isnull", False),
                                ("state", "concluded"),
                                models.Q(("conclusion", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="periodic_review_concluded_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecurrenceAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "earlier",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Numbers of the deviations that it answers."
                    ),
                ),
                ("is_recurrence", models.BooleanField()),
                ("text", models.TextField()),
                ("answered_at", models.DateTimeField()),
                (
                    "answered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recurrence_answers",
                        to="quality.deviation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reminded_on", models.DateField()),
                ("days_overdue", models.PositiveIntegerField()),
                ("addressed_to", models.CharField(max_length=200)),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="quality.deviation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("deviation", "reminded_on"), name="one_reminder_a_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Scale",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(unique=True)),
                ("title", models.CharField(max_length=120)),
                ("highest", models.PositiveSmallIntegerField()),
                (
                    "severe_from",
                    models.PositiveSmallIntegerField(
                        help_text="From this severity on a risk is never accepted by its number alone."
                    ),
                ),
                ("approved_at", models.DateTimeField()),
                (
                    "approved_by",
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
                            ("highest__gte", 3), ("highest__lte", 10), ("severe_from__gte", 2)
                        ),
                        name="scale_is_a_scale",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Risk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "scope",
                    models.TextField(help_text="Process, system or function; what is left out."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("rating", "Being rated"),
                            ("accepted", "Accepted"),
                            ("to-mitigate", "To be mitigated"),
                            ("retired", "Retired"),
                        ],
                        default="rating",
                        max_length=20,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "round",
                    models.PositiveSmallIntegerField(default=1, help_text="Raised by each review."),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not sorted"),
                            ("process", "Process parameter"),
                            ("equipment", "Equipment or utility"),
                            ("material", "Material"),
                            ("laboratory", "Laboratory"),
                            ("documentation", "Documentation"),
                            ("environment", "Environment"),
                            ("computerised-system", "Computerised system"),
                            ("other", "Other"),
                        ],
                        default="",
                        help_text="Deviations of this category are counted against its occurrence.",
                        max_length=30,
                    ),
                ),
                ("concerns", models.CharField(blank=True, default="", max_length=120)),
                ("rationale", models.TextField(blank=True, default="")),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("review_due_on", models.DateField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "scale",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="quality.scale",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["rating", "accepted", "to-mitigate", "retired"])
                        ),
                        name="risk_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "to-mitigate"]), _negated=True),
                            models.Q(
                                models.Q(("rationale", ""), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("review_due_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="risk_decided_with_rationale",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FailureMode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.CharField(max_length=200)),
                ("effect", models.TextField()),
                ("cause", models.TextField()),
                ("controls", models.TextField(blank=True)),
                (
                    "risk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="modes",
                        to="quality.risk",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField()),
                ("justification", models.TextField()),
                (
                    "classification",
                    models.CharField(
                        choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("assessed", "Assessed, to be approved"),
                            ("approved", "Approved, being implemented"),
                            ("implemented", "Implemented, to be reviewed"),
                            ("reviewed", "Reviewed, to be closed"),
                            ("closed", "Closed"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Withdrawn"),
                        ],
                        default="requested",
                        max_length=20,
                    ),
                ),
                ("is_emergency", models.BooleanField(default=False)),
                ("requested_at", models.DateTimeField()),
                ("due_on", models.DateField()),
                (
                    "emergency_at",
                    models.DateTimeField(
                        blank=True, help_text="When quality let an emergency go ahead.", null=True
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("effective_on", models.DateField(blank=True, null=True)),
                ("implemented_at", models.DateTimeField(blank=True, null=True)),
                ("review_due_on", models.DateField(blank=True, null=True)),
                (
                    "review",
                    models.TextField(
                        blank=True, default="", help_text="What the change brought about."
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "requester",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "risk",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="quality.risk",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "requested",
                                    "assessed",
                                    "approved",
                                    "implemented",
                                    "reviewed",
                                    "closed",
                                    "rejected",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="change_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("emergency_at", None), ("is_emergency", True), _connector="OR"
                        ),
                        name="change_emergency_declared",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["reviewed", "closed"]), _negated=True),
                            models.Q(
                                models.Q(("review", ""), _negated=True),
                                ("reviewed_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="change_reviewed_in_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Impact",
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
                            ("recipe", "Master recipes"),
                            ("model", "Twin models"),
                            ("validation", "Validation and qualification"),
                            ("equipment", "Equipment"),
                            ("document", "Documents and procedures"),
                            ("training", "Training"),
                            ("regulatory", "Marketing authorisation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("identifier", models.CharField(blank=True, max_length=120)),
                ("is_affected", models.BooleanField()),
                ("assessment", models.TextField()),
                ("assessed_at", models.DateTimeField()),
                (
                    "assessed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="impacts",
                        to="quality.change",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("change", "kind", "identifier"), name="impact_assessed_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_affected", False),
                            models.Q(("identifier", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="impact_names_what_is_affected",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("assessment", ""), _negated=True),
                        name="impact_assessed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "recipe",
                                    "model",
                                    "validation",
                                    "equipment",
                                    "document",
                                    "training",
                                    "regulatory",
                                ],
                            )
                        ),
                        name="impact_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rating",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("round", models.PositiveSmallIntegerField()),
                ("severity", models.PositiveSmallIntegerField()),
                ("occurrence", models.PositiveSmallIntegerField()),
                ("detection", models.PositiveSmallIntegerField()),
                ("rationale", models.TextField()),
                ("rated_at", models.DateTimeField()),
                (
                    "mode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="quality.failuremode",
                    ),
                ),
                (
                    "rater",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mode", "round", "rater"), name="rated_once_a_round"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("detection__gte", 1), ("occurrence__gte", 1), ("severity__gte", 1)
                        ),
                        name="rating_from_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rationale", ""), _negated=True),
                        name="rating_has_rationale",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("deviations_since", models.PositiveIntegerField()),
                ("is_rated_again", models.BooleanField()),
                ("reviewed_at", models.DateTimeField()),
                ("next_due_on", models.DateField(blank=True, null=True)),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "risk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="quality.risk",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScaleLevel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("severity", "Severity"),
                            ("occurrence", "Occurrence"),
                            ("detection", "Detection"),
                        ],
                        max_length=12,
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("definition", models.TextField()),
                (
                    "scale",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="levels",
                        to="quality.scale",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scale", "dimension", "level"), name="level_defined_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("definition", ""), _negated=True), name="level_defined"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrailReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("concluded", "Concluded"),
                            ("abandoned", "Abandoned"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="As evidence is asked for: batch, period...", max_length=20
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("title", models.CharField(max_length=300)),
                (
                    "wanted",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="The scope as it was asked."
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "seed",
                    models.CharField(
                        help_text="The random part of the sample follows of it: the reviewer's words, and random ones.",
                        max_length=120,
                    ),
                ),
                (
                    "rules",
                    models.CharField(
                        help_text="Version of the rules of the sample.", max_length=20
                    ),
                ),
                (
                    "hours",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Working hours that the rules went by, with their zone.",
                    ),
                ),
                (
                    "tree_size",
                    models.BigIntegerField(help_text="Entries of the log that were in the tree."),
                ),
                ("entry_count", models.PositiveIntegerField(help_text="Entries of the scope.")),
                (
                    "entries_digest",
                    models.CharField(help_text="SHA-256 of their ids.", max_length=64),
                ),
                ("actors", models.TextField(blank=True)),
                ("conclusion", models.TextField(blank=True, default="")),
                ("concluded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "name"], name="quality_tra_kind_d24bd4_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("concluded_at__isnull", False),
                                ("state", "concluded"),
                                models.Q(("conclusion", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "concluded"), _negated=True),
                                ("concluded_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="trail_review_concluded_in_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "concluded", "abandoned"])),
                        name="trail_review_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SampledEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("entry", models.BigIntegerField(help_text="Id of the entry in the trail.")),
                (
                    "reasons",
                    compliance.trail.fields.CanonicalJSONField(
                        help_text="Rules that drew it; “random” for the seeded part."
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "To be assessed"),
                            ("no-concern", "No concern"),
                            ("finding", "Finding"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("text", models.TextField(blank=True, default="")),
                ("assessed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deviation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trail_findings",
                        to="quality.deviation",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sample",
                        to="quality.trailreview",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("review", "entry"), name="entry_drawn_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "finding"), _negated=True),
                            models.Q(("text", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="finding_in_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["", "no-concern", "finding"])),
                        name="outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CapaAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "evidence",
                    models.TextField(blank=True, default="", help_text="Where it can be seen."),
                ),
                (
                    "attachment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trail.attachment",
                    ),
                ),
                (
                    "capa",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="quality.capa",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
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
                            models.Q(("done_at", None), ("done_by", None)),
                            models.Q(
                                ("done_at__isnull", False),
                                ("done_by__isnull", False),
                                models.Q(("evidence", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="capa_action_done_with_evidence",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("function", models.CharField(max_length=30)),
                ("approved_at", models.DateTimeField()),
                ("comment", models.TextField(blank=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="quality.change",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("change", "function"), name="one_approval_a_function"
                    ),
                    models.UniqueConstraint(
                        fields=("change", "approved_by"), name="one_function_a_person"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChangeTask",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.TextField(blank=True, default="")),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="quality.change",
                    ),
                ),
                (
                    "owner",
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
                            ("done_at", None),
                            models.Q(("outcome", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="change_task_done_with_outcome",
                    )
                ],
            },
        ),
    ]
