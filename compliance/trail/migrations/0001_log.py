"""Make the log. The owner of everything here is gmp_trail, as whom nobody signs in."""

from pathlib import Path

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent.parent / "sql" / "0001_log.sql"


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    from compliance.trail.tlog import leaf

    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute(SQL.read_text())
        cursor.execute(
            "SELECT audit.open_log(%s, %s, NULL, false)",
            [settings.LOG_ORIGIN, leaf.chain_start(settings.LOG_ORIGIN)],
        )
        cursor.execute("SET LOCAL ROLE gmp_owner")


def drop(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Refuse once anything was written: a trail is never dropped with its entries."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM audit.entry LIMIT 1) one")
        if cursor.fetchone() != (0,):
            raise RuntimeError("the trail has entries; it can be archived, never dropped")
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute("DROP SCHEMA audit CASCADE; CREATE SCHEMA audit AUTHORIZATION gmp_trail")
        cursor.execute("SET LOCAL ROLE gmp_owner")


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunPython(create, drop)]
