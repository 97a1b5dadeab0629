"""Give recipes their parts, and their versions the people and days they need."""

import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import compliance.trail.fields


class Migration(migrations.Migration):
    dependencies = [
        ("recipes", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EquipmentRequirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(help_text="As equipment is registered.", max_length=60)),
                (
                    "requirement",
                    models.CharField(
                        blank=True, help_text="Size, range, material.", max_length=300
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ExpectedYield",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=20)),
                ("unit", models.CharField(help_text="UCUM code.", max_length=30)),
                ("low_pct", models.DecimalField(decimal_places=3, max_digits=6)),
                ("high_pct", models.DecimalField(decimal_places=3, max_digits=6)),
            ],
        ),
        migrations.CreateModel(
            name="LabelRequirement",
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
                (
                    "specimen_digest",
                    models.CharField(
                        blank=True,
                        help_text="SHA-256 of the approved specimen (211.186(b)(8)).",
                        max_length=64,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MaterialRequirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                ("material_code", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("active", "Active ingredient"),
                            ("component", "Other component"),
                            ("aid", "Processing aid"),
                            ("packaging", "Container, closure or packaging"),
                        ],
                        max_length=10,
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=20)),
                ("unit", models.CharField(help_text="UCUM code.", max_length=30)),
                (
                    "tolerance_low_pct",
                    models.DecimalField(
                        decimal_places=3,
                        default=0,
                        help_text="How far below, in percent.",
                        max_digits=6,
                    ),
                ),
                (
                    "tolerance_high_pct",
                    models.DecimalField(
                        decimal_places=3,
                        default=0,
                        help_text="How far above, in percent.",
                        max_digits=6,
                    ),
                ),
                (
                    "excess_pct",
                    models.DecimalField(
                        decimal_places=3,
                        default=0,
                        help_text="Calculated excess, in the quantity.",
                        max_digits=6,
                    ),
                ),
                (
                    "is_potency_adjusted",
                    models.BooleanField(
                        default=False, help_text="The quantity is adjusted to the assay of the lot."
                    ),
                ),
                (
                    "amount_per_dosage_unit",
                    models.CharField(
                        blank=True,
                        help_text="Of an active ingredient: 21 CFR 211.186(b)(2).",
                        max_length=100,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SamplingPoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("count", models.PositiveIntegerField(default=1, help_text="How many samples.")),
                ("timing", models.CharField(help_text="When they are drawn.", max_length=200)),
                (
                    "quantity",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
                ),
                ("unit", models.CharField(blank=True, help_text="UCUM code.", max_length=30)),
                (
                    "specification",
                    models.CharField(blank=True, help_text="Its code.", max_length=60),
                ),
                ("specification_version", models.CharField(blank=True, max_length=20)),
                (
                    "tests",
                    compliance.trail.fields.CanonicalJSONField(
                        blank=True, default=list, help_text="Names of the tests."
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="masterrecipe",
            name="recipe_effective_only_checked",
        ),
        migrations.RemoveConstraint(
            model_name="recipephase",
            name="phase_order_unique",
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="based_on",
            field=models.ForeignKey(
                blank=True,
                help_text="The version that it was copied from.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="batch_size",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="batch_size_unit",
            field=models.CharField(blank=True, help_text="UCUM code.", max_length=30),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="change_number",
            field=models.CharField(
                blank=True,
                help_text="Of the change control record that asks for it.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="change_summary",
            field=models.TextField(blank=True, help_text="What is changed, and why."),
        ),
        # What is stored already keeps its form: digests of issued batches and signatures stay true.
        migrations.AddField(
            model_name="masterrecipe",
            name="content_form",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name="masterrecipe",
            name="content_form",
            field=models.PositiveSmallIntegerField(default=2),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="dosage_form",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="dosage_unit",
            field=models.CharField(
                blank=True,
                help_text="A dosage unit with its total weight or measure.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="drafted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="effective_on",
            field=models.DateField(
                blank=True, help_text="The day (UTC) from which it is to be followed.", null=True
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="ended_at",
            field=models.DateTimeField(
                blank=True, help_text="When it was superseded or withdrawn.", null=True
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="precautions",
            field=models.TextField(blank=True, help_text="Special notations to be followed."),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="product_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="reviewed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="reviewer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="shelf_life_months",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="specification",
            field=models.CharField(
                blank=True, help_text="Code of the product's specification.", max_length=60
            ),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="specification_version",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="storage",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="strength",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="masterrecipe",
            name="submitted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="action_high",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="action_low",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="alert_high",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="alert_low",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="phase",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parameters",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="parameter",
            name="proven_high",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="parameter",
            name="proven_low",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="product",
            name="dosage_form",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="product",
            name="markets",
            field=compliance.trail.fields.CanonicalJSONField(
                blank=True,
                default=list,
                help_text="ISO 3166-1 codes of the markets it is registered in.",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="shelf_life_months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="As registered; expiry and retention are counted from it.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="strength",
            field=models.CharField(blank=True, help_text="E.g. 50 mg per vial.", max_length=100),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="duration_min",
            field=models.PositiveIntegerField(
                blank=True, help_text="Expected duration in minutes.", null=True
            ),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="equipment_kind",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="hold_limit_min",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Longest time in minutes between its end and the start of the next phase.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="instruction",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="needs_verification",
            field=models.BooleanField(
                default=False, help_text="A second person verifies it (21 CFR 211.188(b)(11))."
            ),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="operation",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="parallel_group",
            field=models.CharField(
                blank=True,
                help_text="Neighbours of one group run in any order, or side by side.",
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="masterrecipe",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in-review", "In review"),
                    ("approved", "Approved"),
                    ("effective", "Effective"),
                    ("superseded", "Superseded"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="draft",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="parameter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reading", "On-line reading"),
                    ("result", "Laboratory result"),
                    ("in-process", "In-process control"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["draft", "in-review", "approved", "effective", "superseded", "withdrawn"],
                    )
                ),
                name="recipe_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewer", None),
                    models.Q(("reviewer", models.F("author")), _negated=True),
                    _connector="OR",
                ),
                name="recipe_reviewed_by_another_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewer", None),
                    ("checker", None),
                    models.Q(("checker", models.F("reviewer")), _negated=True),
                    _connector="OR",
                ),
                name="recipe_checker_is_not_reviewer",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "in-review", "withdrawn"]),
                    ("checker__isnull", False),
                    _connector="OR",
                ),
                name="recipe_followed_only_checked",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "approved"), _negated=True),
                    ("effective_on__isnull", False),
                    _connector="OR",
                ),
                name="recipe_approved_has_its_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "effective"), _negated=True),
                    ("effective_at__isnull", False),
                    _connector="OR",
                ),
                name="recipe_effective_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="masterrecipe",
            constraint=models.CheckConstraint(
                condition=models.Q(("batch_size", None), ("batch_size__gt", 0), _connector="OR"),
                name="recipe_batch_size_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameter",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["reading", "result", "in-process"])),
                name="parameter_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("low", None),
                        ("target", None),
                        ("low__lte", models.F("target")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("target", None),
                        ("high", None),
                        ("target__lte", models.F("high")),
                        _connector="OR",
                    ),
                ),
                name="target_within_limits",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("proven_low", None),
                        models.Q(("low__gte", models.F("proven_low")), ("low__isnull", False)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("proven_high", None),
                        models.Q(("high__isnull", False), ("high__lte", models.F("proven_high"))),
                        _connector="OR",
                    ),
                    models.Q(
                        ("proven_low", None),
                        ("proven_high", None),
                        ("proven_low__lte", models.F("proven_high")),
                        _connector="OR",
                    ),
                ),
                name="normal_range_within_proven",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("action_low", None),
                        ("alert_low", None),
                        ("action_low__lte", models.F("alert_low")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("alert_low", None),
                        ("alert_high", None),
                        ("alert_low__lte", models.F("alert_high")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("alert_high", None),
                        ("action_high", None),
                        ("alert_high__lte", models.F("action_high")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("action_low", None),
                        ("action_high", None),
                        ("action_low__lte", models.F("action_high")),
                        _connector="OR",
                    ),
                ),
                name="alert_limits_within_action_limits",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("proven_low", None),
                        ("action_low", None),
                        ("proven_low__lte", models.F("action_low")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("action_high", None),
                        ("proven_high", None),
                        ("action_high__lte", models.F("proven_high")),
                        _connector="OR",
                    ),
                ),
                name="action_limits_within_proven",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("shelf_life_months", None), ("shelf_life_months__gt", 0), _connector="OR"
                ),
                name="product_shelf_life_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="recipephase",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("recipe", "order"),
                name="phase_order_unique",
            ),
        ),
        migrations.AddField(
            model_name="equipmentrequirement",
            name="phase",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="equipment",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="equipmentrequirement",
            name="recipe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="equipment",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddField(
            model_name="expectedyield",
            name="phase",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="yields",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="expectedyield",
            name="recipe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="yields",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddField(
            model_name="labelrequirement",
            name="phase",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="labels",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="labelrequirement",
            name="recipe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="labels",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddField(
            model_name="materialrequirement",
            name="phase",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="materials",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="materialrequirement",
            name="recipe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="materials",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddField(
            model_name="samplingpoint",
            name="phase",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sampling",
                to="recipes.recipephase",
            ),
        ),
        migrations.AddField(
            model_name="samplingpoint",
            name="recipe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sampling",
                to="recipes.masterrecipe",
            ),
        ),
        migrations.AddConstraint(
            model_name="equipmentrequirement",
            constraint=models.UniqueConstraint(
                fields=("recipe", "name"), name="equipment_name_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="expectedyield",
            constraint=models.UniqueConstraint(
                fields=("recipe", "phase"), name="yield_once_a_phase"
            ),
        ),
        migrations.AddConstraint(
            model_name="expectedyield",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="yield_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="expectedyield",
            constraint=models.CheckConstraint(
                condition=models.Q(("low_pct__gte", 0), ("low_pct__lte", models.F("high_pct"))),
                name="yield_limits_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelrequirement",
            constraint=models.UniqueConstraint(fields=("recipe", "code"), name="label_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="labelrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("specimen_digest", ""),
                    ("specimen_digest__regex", "^[0-9a-f]{64}$"),
                    _connector="OR",
                ),
                name="label_specimen_is_sha256",
            ),
        ),
        migrations.AddConstraint(
            model_name="materialrequirement",
            constraint=models.UniqueConstraint(
                fields=("recipe", "line"), name="material_line_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="materialrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["active", "component", "aid", "packaging"])),
                name="material_requirement_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="materialrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="material_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="materialrequirement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("excess_pct__gte", 0),
                    ("tolerance_high_pct__gte", 0),
                    ("tolerance_low_pct__gte", 0),
                    ("tolerance_low_pct__lte", 100),
                ),
                name="material_tolerances_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="samplingpoint",
            constraint=models.UniqueConstraint(
                fields=("recipe", "name"), name="sampling_name_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="samplingpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("count__gt", 0)), name="sampling_count_positive"
            ),
        ),
    ]
