from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    dependencies = [("trail", "0001_log")]

    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("signed_at", models.DateTimeField()),
            ],
            options={
                "db_table": 'audit"."checkpoint',
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("entry_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("log_id", models.SmallIntegerField(verbose_name="log")),
                ("index", models.BigIntegerField(db_column="idx", null=True, verbose_name="leaf")),
                ("at", models.DateTimeField()),
                ("act", models.CharField()),
                ("action", models.CharField()),
                ("actor", models.CharField()),
                ("role", models.CharField()),
                (
                    "op",
                    models.CharField(
                        choices=[("insert", "insert"), ("update", "update"), ("delete", "delete")],
                        verbose_name="kind",
                    ),
                ),
                ("reason", models.CharField()),
                ("record", models.CharField()),
                ("record_id", models.CharField()),
                ("record_seq", models.BigIntegerField(verbose_name="number")),
                ("source", models.CharField()),
                ("digest", models.BinaryField(null=True)),
                ("body", models.TextField(null=True)),
            ],
            options={
                "verbose_name_plural": "entries",
                "db_table": 'audit"."entry_view',
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="LogEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(db_index=True, max_length=40)),
                ("document", models.TextField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=100)),
                ("code", models.CharField(max_length=100)),
                ("message", models.TextField()),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("actor", models.CharField(max_length=200)),
                ("actor_id", models.CharField(max_length=100)),
                ("role", models.CharField(max_length=200)),
                ("source", models.CharField(max_length=200)),
                ("recorded_at", models.DateTimeField(db_index=True)),
                ("key", models.CharField(max_length=64, null=True, unique=True)),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("size", models.BigIntegerField()),
                ("media_type", models.CharField(max_length=100)),
                ("filename", models.CharField(max_length=200)),
                ("subject", models.CharField(db_index=True, max_length=200)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "filename", "sha256"), name="attachment_stored_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="attachment_digest",
                    ),
                ],
            },
        ),
    ]
