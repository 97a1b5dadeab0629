"""Call them as people do, in menus and on pages."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("execution", "0006_partitions_beside_readers"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="inprocessresult",
            options={"verbose_name": "in-process result"},
        ),
    ]
