"""Let lines of the bill of materials name registered materials, and phases their procedures.

No release had bills of materials before: the table is empty where this runs.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_identity_and_training"),
        ("assets", "0001_initial"),
        ("recipes", "0003_keep_approved_versions"),
    ]
    operations = [
        migrations.RemoveField(model_name="materialrequirement", name="material_code"),
        migrations.AddField(
            model_name="materialrequirement",
            name="material",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="assets.material"
            ),
        ),
        migrations.AddField(
            model_name="recipephase",
            name="procedure",
            field=models.ForeignKey(
                blank=True,
                help_text="Whoever performs or verifies is trained in its effective version.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="access.procedure",
            ),
        ),
    ]
