"""Keep when a draft was last written in, so that each revision has an entry of the recipe itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recipes", "0004_materials_and_procedures")]
    operations = [
        migrations.AddField(
            model_name="masterrecipe",
            name="revised_at",
            field=models.DateTimeField(
                blank=True, help_text="When its author last wrote in it, lines included.", null=True
            ),
        ),
    ]
