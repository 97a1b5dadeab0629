import compliance.trail.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("access", "0001_initial"),
        ("access", "__first__"),
        ("assets", "0001_initial"),
        ("execution", "0001_initial"),
        ("quality", "0001_initial"),
        ("recipes", "0001_initial"),
        ("signatures", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Complaint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("received_at", models.DateTimeField()),
                (
                    "complainant",
                    models.CharField(help_text="Who complained; may be erased.", max_length=200),
                ),
                (
                    "product_text",
                    models.CharField(help_text="Name and strength, as told.", max_length=120),
                ),
                (
                    "lot_text",
                    models.CharField(blank=True, help_text="Lot number, as told.", max_length=60),
                ),
                ("nature", models.TextField()),
                (
                    "is_serious",
                    models.BooleanField(
                        help_text="Serious and unexpected adverse drug experience."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("investigated", "Investigated"),
                            ("closed", "Closed"),
                        ],
                        default="open",
                        max_length=14,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_on", models.DateField()),
                ("needs_investigation", models.BooleanField(blank=True, null=True)),
                ("no_investigation_reason", models.TextField(blank=True)),
                ("findings", models.TextField(blank=True)),
                ("follow_up", models.TextField(blank=True)),
                ("reply", models.TextField(blank=True, help_text="What the complainant was told.")),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
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
                    "deviation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="complaints",
                        to="quality.deviation",
                    ),
                ),
                (
                    "investigator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                        condition=models.Q(("state__in", ["open", "investigated", "closed"])),
                        name="complaint_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            models.Q(
                                ("needs_investigation", True),
                                models.Q(("findings", ""), _negated=True),
                                models.Q(("follow_up", ""), _negated=True),
                            ),
                            models.Q(
                                ("needs_investigation", False),
                                models.Q(("no_investigation_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="complaint_investigated_or_said_why_not",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approver", None),
                            models.Q(("approver", models.F("investigator")), _negated=True),
                            _connector="OR",
                        ),
                        name="complaint_closed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(("approver__isnull", False), ("closed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="complaint_closed_has_approver",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ComplaintBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_affected", models.BooleanField()),
                ("finding", models.TextField(help_text="What was looked at, and what was found.")),
                ("linked_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="complaint_links",
                        to="execution.batch",
                    ),
                ),
                (
                    "complaint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_links",
                        to="laboratory.complaint",
                    ),
                ),
                (
                    "linked_by",
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
                        fields=("complaint", "batch"), name="complaint_batch_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("finding", ""), _negated=True),
                        name="complaint_batch_was_looked_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reagent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("lot", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reagent", "Reagent"),
                            ("standard", "Reference standard"),
                            ("column", "Column"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "purity",
                    models.CharField(
                        blank=True, help_text="Assigned content, as certified.", max_length=60
                    ),
                ),
                ("opened_on", models.DateField(blank=True, null=True)),
                ("expires_on", models.DateField()),
                ("is_withdrawn", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("code", "lot"), name="reagent_lot_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["reagent", "standard", "column"])),
                        name="reagent_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("instrument", models.CharField(help_text="Code of the equipment.", max_length=60)),
                ("method_code", models.CharField(max_length=40)),
                ("method_version", models.CharField(max_length=20)),
                ("planned_injections", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("aborted", "Aborted"),
                            ("reviewed", "Reviewed"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("was_aborted", models.BooleanField(default=False)),
                (
                    "suitability",
                    models.CharField(
                        blank=True,
                        choices=[("", "Not judged"), ("passed", "Passed"), ("failed", "Failed")],
                        max_length=8,
                    ),
                ),
                (
                    "suitability_text",
                    models.TextField(blank=True, help_text="Criteria and what was found."),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reviewed_entries",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Entries of its audit trail that the reviewer saw.",
                        null=True,
                    ),
                ),
                (
                    "analyst",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "equipment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="assets.equipment",
                    ),
                ),
                (
                    "reviewer",
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewer", None),
                            models.Q(("reviewer", models.F("analyst")), _negated=True),
                            _connector="OR",
                        ),
                        name="run_reviewed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "reviewed"), _negated=True),
                            models.Q(
                                ("reviewed_at__isnull", False),
                                ("reviewed_entries__isnull", False),
                                ("reviewer__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="run_reviewed_with_its_trail",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("started_at")),
                            _connector="OR",
                        ),
                        name="run_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "running"), ("ended_at__isnull", False), _connector="OR"
                        ),
                        name="run_ended_has_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["running", "completed", "aborted", "reviewed"])
                        ),
                        name="run_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("suitability__in", ["", "passed", "failed"])),
                        name="run_suitability_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunReagent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reagent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="laboratory.reagent",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reagents",
                        to="laboratory.run",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "reagent"), name="run_reagent_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=80)),
                ("point", models.CharField(blank=True, max_length=100)),
                ("taken_at", models.DateTimeField()),
                ("taken_by", models.CharField(blank=True, max_length=100)),
                (
                    "registered_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When a person entered it; empty for what a system sent.",
                        null=True,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="samples",
                        to="execution.batch",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="aliquots",
                        to="laboratory.sample",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.device",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="sample_number_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Injection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sample", "Sample"),
                            ("standard", "Standard"),
                            ("blank", "Blank"),
                            ("suitability", "System suitability"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("completed", "Completed"),
                            ("aborted", "Aborted"),
                            ("invalid", "Invalid"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.TextField(blank=True, help_text="Why it was aborted or is invalid."),
                ),
                ("injected_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "raw_data_digest",
                    models.CharField(
                        blank=True, help_text="SHA-256 of the raw data, as attached.", max_length=64
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="injections",
                        to="laboratory.run",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="injections",
                        to="laboratory.sample",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="injection_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="injection_number_from_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["sample", "standard", "blank", "suitability"])
                        ),
                        name="injection_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "sample"), ("sample__isnull", False)),
                            models.Q(models.Q(("kind", "sample"), _negated=True), ("sample", None)),
                            _connector="OR",
                        ),
                        name="injection_of_a_sample_names_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "completed"),
                            models.Q(
                                ("outcome__in", ["aborted", "invalid"]),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="injection_failed_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("raw_data_digest__regex", "^([0-9a-f]{64})?$")),
                        name="injection_digest_is_sha256",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustodyEvent",
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
                            ("received", "Received"),
                            ("stored", "Stored"),
                            ("split", "Split"),
                            ("disposed", "Disposed of"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("by", models.CharField(max_length=100)),
                ("location", models.CharField(blank=True, max_length=100)),
                ("remark", models.TextField(blank=True)),
                ("happened_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="custody",
                        to="laboratory.sample",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["received", "stored", "split", "disposed", "cancelled"])
                        ),
                        name="custody_kind_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SampleCustody",
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
                            ("taken", "Taken"),
                            ("received", "Received"),
                            ("disposed", "Disposed of"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "location",
                    models.CharField(blank=True, help_text="Where it is kept now.", max_length=100),
                ),
                (
                    "sample",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="standing",
                        to="laboratory.sample",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sample custodies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["taken", "received", "disposed", "cancelled"])
                        ),
                        name="sample_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SequenceNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "orphan",
                    models.CharField(
                        help_text="What is explained, as it is listed.", max_length=120
                    ),
                ),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="laboratory.run",
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
                    models.UniqueConstraint(fields=("run", "orphan"), name="orphan_explained_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Specification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("release", "Release"),
                            ("stability", "Shelf life"),
                            ("material", "Material"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "material",
                    models.CharField(blank=True, help_text="Code of a material.", max_length=100),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="specifications",
                        to="recipes.product",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("product", "use"), name="one_specification_a_use"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("use", "material"),
                                ("product", None),
                                models.Q(("material", ""), _negated=True),
                            ),
                            models.Q(
                                ("use__in", ["release", "stability"]), ("product__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="specification_of_product_or_material",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpecificationVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("effective", "Effective"),
                            ("superseded", "Superseded"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("drafted_at", models.DateTimeField()),
                ("effective_at", models.DateTimeField(blank=True, null=True)),
                ("superseded_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(help_text="Why there is this version.")),
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
                    "specification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="laboratory.specification",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("specification", "version"), name="specification_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "effective")),
                        fields=("specification",),
                        name="one_effective_specification",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approver", None),
                            models.Q(("approver", models.F("author")), _negated=True),
                            _connector="OR",
                        ),
                        name="specification_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approver", None), ("effective_at", None), ("state", "draft")
                            ),
                            models.Q(
                                models.Q(("state", "draft"), _negated=True),
                                ("approver__isnull", False),
                                ("effective_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="specification_effective_only_approved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "superseded"), ("superseded_at__isnull", False)),
                            models.Q(
                                models.Q(("state", "superseded"), _negated=True),
                                ("superseded_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="specification_superseded_at_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "effective", "superseded"])),
                        name="specification_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpecificationTest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tag",
                    models.CharField(
                        help_text="As the laboratory's system posts it.", max_length=60
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "point",
                    models.CharField(
                        blank=True,
                        help_text="Of samples of this point only; empty: of every one.",
                        max_length=100,
                    ),
                ),
                ("method_code", models.CharField(max_length=40)),
                ("method_version", models.CharField(max_length=20)),
                (
                    "kind",
                    models.CharField(
                        choices=[("numeric", "Numeric"), ("text", "Attribute")],
                        default="numeric",
                        max_length=8,
                    ),
                ),
                ("unit", models.CharField(blank=True, help_text="UCUM code.", max_length=30)),
                (
                    "low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("conforming_text", models.CharField(blank=True, max_length=40)),
                (
                    "alert_low",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                (
                    "alert_high",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("decimals", models.PositiveSmallIntegerField(default=0)),
                (
                    "rounding",
                    models.CharField(
                        choices=[("half-up", "Half up (USP 7.20)"), ("half-even", "Half to even")],
                        default="half-up",
                        max_length=10,
                    ),
                ),
                ("replicates", models.PositiveSmallIntegerField(default=1)),
                (
                    "reported_as",
                    models.CharField(
                        choices=[("mean", "Mean"), ("lowest", "Lowest"), ("highest", "Highest")],
                        default="mean",
                        max_length=8,
                    ),
                ),
                (
                    "is_each_judged",
                    models.BooleanField(
                        default=True,
                        help_text="Each replicate must meet the limits, not only what is reported.",
                    ),
                ),
                ("is_mandatory", models.BooleanField(default=True)),
                ("may_be_skipped", models.BooleanField(default=False)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tests",
                        to="laboratory.specificationversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "tag", "point"), name="test_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("low", None),
                            ("high", None),
                            ("low__lte", models.F("high")),
                            _connector="OR",
                        ),
                        name="test_limits_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("alert_low", None),
                            ("alert_high", None),
                            ("alert_low__lte", models.F("alert_high")),
                            _connector="OR",
                        ),
                        name="test_alerts_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "numeric"),
                                ("conforming_text", ""),
                                models.Q(("unit", ""), _negated=True),
                            ),
                            models.Q(
                                ("alert_high", None),
                                ("alert_low", None),
                                ("high", None),
                                ("kind", "text"),
                                ("low", None),
                                models.Q(("conforming_text", ""), _negated=True),
                                ("replicates", 1),
                            ),
                            _connector="OR",
                        ),
                        name="test_limits_of_its_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decimals__lte", 6), ("replicates__gte", 1), ("replicates__lte", 50)
                        ),
                        name="test_replicates_possible",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Result",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tag", models.CharField(max_length=60)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "value_text",
                    models.CharField(
                        help_text="As reported: trailing zeros are data.", max_length=40
                    ),
                ),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=9,
                        help_text="Of an attribute: 1 conforms, 0 does not.",
                        max_digits=24,
                    ),
                ),
                ("unit", models.CharField(max_length=30)),
                ("analyst", models.CharField(blank=True, max_length=100)),
                ("reported_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "reason",
                    models.TextField(
                        blank=True, help_text="Why a later version replaces an earlier one."
                    ),
                ),
                ("message_id", models.CharField(max_length=120)),
                (
                    "judged_value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=9,
                        help_text="Rounded as declared.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                (
                    "judgement",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not judged"),
                            ("conforms", "Conforms"),
                            ("oos", "Out of specification"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "trend",
                    models.TextField(
                        blank=True, help_text="Why it is out of trend; empty: it is not."
                    ),
                ),
                (
                    "entered_by",
                    models.ForeignKey(
                        blank=True,
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.device",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="laboratory.run",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="laboratory.sample",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="laboratory.specificationtest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "message_id"), name="result_message_once"
                    ),
                    models.UniqueConstraint(
                        fields=("sample", "tag", "version"), name="result_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("version", 1), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="result_correction_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("judgement", ""), ("test", None)),
                            models.Q(
                                ("judgement__in", ["conforms", "oos"]), ("test__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="result_judged_by_a_test",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Replicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("value_text", models.CharField(max_length=40)),
                ("value", models.DecimalField(decimal_places=9, max_digits=24)),
                (
                    "injection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replicates",
                        to="laboratory.injection",
                    ),
                ),
                (
                    "result",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replicates",
                        to="laboratory.result",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("result", "number"), name="replicate_number_once"
                    ),
                    models.UniqueConstraint(
                        fields=("result", "injection"), name="replicate_injection_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ResultReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("comment", models.TextField(blank=True)),
                ("reviewed_at", models.DateTimeField()),
                (
                    "result",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review",
                        to="laboratory.result",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "signature",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="signatures.signature",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlanPoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("point", models.CharField(max_length=100)),
                ("samples", models.PositiveSmallIntegerField(help_text="How many, at least.")),
                (
                    "amount",
                    models.CharField(help_text="Of each sample, e.g. `3 x 10 mL`.", max_length=60),
                ),
                ("storage", models.CharField(blank=True, max_length=100)),
                ("instruction", models.TextField(blank=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan",
                        to="laboratory.specificationversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "point"), name="plan_point_once"),
                    models.CheckConstraint(
                        condition=models.Q(("samples__gte", 1)), name="plan_point_has_samples"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StabilityStudy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("long-term", "Long term"),
                            ("intermediate", "Intermediate"),
                            ("accelerated", "Accelerated"),
                            ("ongoing", "Ongoing"),
                        ],
                        max_length=14,
                    ),
                ),
                ("condition", models.CharField(help_text="E.g. 25 °C / 60 % RH.", max_length=80)),
                ("container", models.CharField(blank=True, max_length=120)),
                ("started_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
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
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stability_studies",
                        to="execution.batch",
                    ),
                ),
                (
                    "specification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="studies",
                        to="laboratory.specificationversion",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "stability studies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["planned", "running", "completed"])),
                        name="study_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approver", None),
                            models.Q(("approver", models.F("author")), _negated=True),
                            _connector="OR",
                        ),
                        name="study_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "planned"), ("approver__isnull", False), _connector="OR"
                        ),
                        name="study_runs_only_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StabilityPull",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.PositiveSmallIntegerField()),
                ("due_on", models.DateField()),
                ("opens_on", models.DateField()),
                ("closes_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("pulled", "Pulled"),
                            ("missed", "Missed"),
                        ],
                        default="planned",
                        max_length=8,
                    ),
                ),
                ("pulled_at", models.DateTimeField(blank=True, null=True)),
                ("pulled_by", models.CharField(blank=True, max_length=100)),
                (
                    "remark",
                    models.TextField(
                        blank=True, help_text="Why it was missed, or pulled out of window."
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pulls",
                        to="laboratory.stabilitystudy",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("study", "month"), name="pull_month_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_on__lte", models.F("closes_on")),
                            ("opens_on__lte", models.F("due_on")),
                        ),
                        name="pull_window_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["planned", "pulled", "missed"])),
                        name="pull_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "pulled"),
                                ("pulled_at__isnull", False),
                                models.Q(("pulled_by", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "pulled"), _negated=True), ("pulled_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="pull_done_has_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "missed"), _negated=True),
                            models.Q(("remark", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="pull_missed_has_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StabilityResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("value_text", models.CharField(max_length=40)),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=9,
                        help_text="Of an attribute: 1 conforms, 0 does not.",
                        max_digits=24,
                    ),
                ),
                (
                    "judged_value",
                    models.DecimalField(blank=True, decimal_places=9, max_digits=24, null=True),
                ),
                (
                    "judgement",
                    models.CharField(
                        choices=[
                            ("", "Not judged"),
                            ("conforms", "Conforms"),
                            ("oos", "Out of specification"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("tested_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pull",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="laboratory.stabilitypull",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stability_results",
                        to="laboratory.specificationtest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("pull", "test", "version"), name="stability_result_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("version", 1), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="stability_correction_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("judgement__in", ["conforms", "oos"])),
                        name="stability_result_is_judged",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OosInvestigation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("value_text", models.CharField(max_length=40)),
                ("limits_text", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("phase-one", "Phase I: laboratory"),
                            ("cause-found", "Assignable cause found"),
                            ("phase-two", "Phase II: full investigation"),
                            ("plan-proposed", "Retest plan proposed"),
                            ("retesting", "Retesting"),
                            ("retested", "Retested"),
                            ("concluded", "Concluded"),
                            ("closed", "Closed"),
                        ],
                        default="phase-one",
                        max_length=14,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_on", models.DateField()),
                ("checklist", compliance.trail.fields.CanonicalJSONField(blank=True, default=dict)),
                ("is_preparation_retained", models.BooleanField(blank=True, null=True)),
                ("interview", models.TextField(blank=True, help_text="What the analyst said.")),
                (
                    "has_cause",
                    models.BooleanField(blank=True, help_text="An assignable one.", null=True),
                ),
                (
                    "cause_category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("preparation", "Preparation of sample or standard"),
                            ("instrument", "Instrument"),
                            ("method", "Method not followed"),
                            ("calculation", "Calculation or transcription"),
                            ("sample-handling", "Handling of the sample in the laboratory"),
                        ],
                        max_length=16,
                    ),
                ),
                ("cause", models.TextField(blank=True)),
                ("cause_evidence", models.TextField(blank=True)),
                ("phase_one_closed_at", models.DateTimeField(blank=True, null=True)),
                ("production_review", models.TextField(blank=True)),
                (
                    "plan_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("retest", "Retest of the original sample"),
                            ("resample", "Test of a new sample"),
                        ],
                        max_length=10,
                    ),
                ),
                ("retest_count", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("plan_rationale", models.TextField(blank=True)),
                ("resample_justification", models.TextField(blank=True)),
                ("plan_approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "conclusion",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("confirmed", "OOS confirmed"),
                            ("invalidated", "Result invalidated"),
                            ("inconclusive", "Inconclusive: the OOS stands"),
                        ],
                        max_length=14,
                    ),
                ),
                ("conclusion_text", models.TextField(blank=True)),
                ("concluded_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
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
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oos",
                        to="execution.batch",
                    ),
                ),
                (
                    "investigator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan_approver",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan_author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "retest_analyst",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "result",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oos",
                        to="laboratory.result",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oos",
                        to="laboratory.specificationtest",
                    ),
                ),
                (
                    "stability_result",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oos",
                        to="laboratory.stabilityresult",
                    ),
                ),
            ],
            options={
                "verbose_name": "OOS investigation",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("result__isnull", False), ("stability_result", None)),
                            models.Q(("result", None), ("stability_result__isnull", False)),
                            _connector="OR",
                        ),
                        name="oos_of_one_result",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "phase-one",
                                    "cause-found",
                                    "phase-two",
                                    "plan-proposed",
                                    "retesting",
                                    "retested",
                                    "concluded",
                                    "closed",
                                ],
                            )
                        ),
                        name="oos_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("phase_one_closed_at", None), ("state", "phase-one")),
                            models.Q(
                                ("has_cause__isnull", False),
                                ("investigator__isnull", False),
                                ("is_preparation_retained__isnull", False),
                                ("phase_one_closed_at__isnull", False),
                                models.Q(("state", "phase-one"), _negated=True),
                                models.Q(("interview", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="oos_phase_one_first",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("has_cause", True), _negated=True),
                            models.Q(
                                models.Q(("cause_category", ""), _negated=True),
                                models.Q(("cause", ""), _negated=True),
                                models.Q(("cause_evidence", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="oos_cause_with_evidence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("conclusion", "invalidated"), _negated=True),
                            models.Q(
                                ("has_cause", True),
                                models.Q(("cause", ""), _negated=True),
                                models.Q(("cause_evidence", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="oos_invalidated_only_with_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("plan_kind", ""), ("retest_count", None)),
                            models.Q(
                                ("plan_author__isnull", False),
                                ("plan_kind__in", ["retest", "resample"]),
                                ("retest_analyst__isnull", False),
                                ("retest_count__gte", 1),
                                ("retest_count__lte", 20),
                                models.Q(("plan_rationale", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="oos_plan_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("plan_kind", "resample"), _negated=True),
                            models.Q(("resample_justification", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="oos_resample_is_justified",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("plan_approver", None),
                            models.Q(("plan_approver", models.F("plan_author")), _negated=True),
                            _connector="OR",
                        ),
                        name="oos_plan_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["retesting", "retested"]), _negated=True),
                            models.Q(
                                ("plan_approved_at__isnull", False),
                                ("plan_approver__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="oos_no_retest_without_approved_plan",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["concluded", "closed"]), _negated=True),
                            models.Q(
                                ("conclusion__in", ["confirmed", "invalidated", "inconclusive"]),
                                models.Q(("conclusion_text", ""), _negated=True),
                                ("concluded_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="oos_concluded_with_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approver", None),
                            models.Q(("approver", models.F("investigator")), _negated=True),
                            _connector="OR",
                        ),
                        name="oos_closed_by_quality",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(("approver__isnull", False), ("closed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="oos_closed_has_approver",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OosDeviation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                ("linked_at", models.DateTimeField()),
                (
                    "deviation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="oos_links",
                        to="quality.deviation",
                    ),
                ),
                (
                    "oos",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deviation_links",
                        to="laboratory.oosinvestigation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("oos", "deviation"), name="oos_deviation_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ResultInvalidation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("invalidated_at", models.DateTimeField()),
                (
                    "oos",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invalidation",
                        to="laboratory.oosinvestigation",
                    ),
                ),
                (
                    "result",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invalidation",
                        to="laboratory.result",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Retest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("value_text", models.CharField(max_length=40)),
                ("value", models.DecimalField(decimal_places=9, max_digits=24)),
                ("is_outside", models.BooleanField()),
                ("tested_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "analyst",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "oos",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retests",
                        to="laboratory.oosinvestigation",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retests",
                        to="laboratory.run",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty for a sample of a stability study.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retests",
                        to="laboratory.sample",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("oos", "number"), name="retest_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="StabilityReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reviewed_at", models.DateTimeField()),
                (
                    "result",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review",
                        to="laboratory.stabilityresult",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "signature",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="signatures.signature",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TestDecision",
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
                        choices=[("hold", "On hold"), ("resume", "Resumed"), ("skip", "Skipped")],
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField()),
                ("decided_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="test_decisions",
                        to="execution.batch",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="laboratory.specificationtest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["hold", "resume", "skip"])),
                        name="test_decision_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="test_decision_has_reason",
                    ),
                ],
            },
        ),
    ]
