import django.db.models.deletion
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("signatures", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConfigurationChange",
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
                        choices=[("found", "Found, not assessed"), ("assessed", "Assessed")],
                        default="found",
                        max_length=10,
                    ),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "found_by",
                    models.CharField(
                        help_text="The process that found it at its start.", max_length=60
                    ),
                ),
                ("assessment", models.TextField(blank=True)),
                (
                    "change_number",
                    models.CharField(
                        blank=True,
                        help_text="The approved change that it carries out.",
                        max_length=20,
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
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("signature", None), ("state", "found")),
                            models.Q(
                                ("signature__isnull", False),
                                ("state", "assessed"),
                                models.Q(("assessment", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="configuration_assessment_is_signed",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ChangedSetting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "before",
                    models.TextField(blank=True, help_text="Empty when the setting is new."),
                ),
                (
                    "after",
                    models.TextField(blank=True, help_text="Empty when the setting is gone."),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settings",
                        to="configuration.configurationchange",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["name", "-id"], name="changed_setting_last")],
                "constraints": [
                    models.UniqueConstraint(fields=("change", "name"), name="changed_setting_once")
                ],
            },
        ),
    ]
