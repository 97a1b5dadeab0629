"""Read what is not projected yet from the last partitions of the log, however many there are."""

from pathlib import Path

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent.parent / "sql" / "0007_unprojected.sql"


def replace(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute(SQL.read_text())
        cursor.execute("SET LOCAL ROLE gmp_owner")


class Migration(migrations.Migration):
    dependencies = [("trail", "0006_holds_by_event")]
    operations = [migrations.RunPython(replace)]
