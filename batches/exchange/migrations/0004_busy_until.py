from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0003_guards_of_streams")]

    operations = [
        migrations.AddField(
            model_name="position",
            name="busy_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
