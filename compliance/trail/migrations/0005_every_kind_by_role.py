"""Let one role alone write each kind of log event, and tell of every column that is dropped.

And let a recovery put log events back: their capture refused to be switched off for it.
"""

from pathlib import Path

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FOLDER = Path(__file__).parent.parent / "sql"
SQL = ("0003_kinds.sql", "0004_dropped_columns.sql", "0005_recovered_events.sql")
GRANT = """
GRANT SELECT, INSERT ON public.trail_logevent TO gmp_signer;
GRANT USAGE ON SEQUENCE public.trail_logevent_id_seq TO gmp_signer;
"""


def replace(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        for name in SQL:
            cursor.execute((FOLDER / name).read_text())
        cursor.execute("SET LOCAL ROLE gmp_owner")
        cursor.execute(GRANT)


class Migration(migrations.Migration):
    dependencies = [("trail", "0004_kinds_by_role")]
    operations = [migrations.RunPython(replace)]
