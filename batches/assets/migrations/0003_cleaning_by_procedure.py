"""Name the cleaning procedure by its version on record, in which the cleaner is trained."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_identity_and_training"),
        ("assets", "0002_guards"),
    ]
    operations = [
        migrations.RemoveField("cleaning", "procedure"),
        migrations.RemoveField("cleaning", "procedure_version"),
        # No installation has a cleaning yet: the column needs no default.
        migrations.AddField(
            "cleaning",
            "procedure_version",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="access.procedureversion",
            ),
        ),
    ]
