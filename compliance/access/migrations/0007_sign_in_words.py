"""Call them as people do, in menus and on pages."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0006_form_uses"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="signin",
            options={"verbose_name": "sign-in"},
        ),
    ]
