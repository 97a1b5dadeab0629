"""Let a release end the very hold that it names, and an event that says nothing hold nothing."""

from pathlib import Path

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent.parent / "sql" / "0006_holds.sql"


def replace(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute(SQL.read_text())
        cursor.execute("SET LOCAL ROLE gmp_owner")


class Migration(migrations.Migration):
    dependencies = [("trail", "0005_every_kind_by_role")]
    operations = [migrations.RunPython(replace)]
