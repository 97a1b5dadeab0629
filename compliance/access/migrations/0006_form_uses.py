from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0005_api_client_guards")]

    operations = [
        migrations.CreateModel(
            name="FormUse",
            fields=[
                ("token", models.UUIDField(primary_key=True, serialize=False)),
                ("used_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
