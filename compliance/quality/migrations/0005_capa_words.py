"""Call them as people do, in menus and on pages."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("quality", "0004_done_stays"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="capa",
            options={"verbose_name": "CAPA"},
        ),
    ]
