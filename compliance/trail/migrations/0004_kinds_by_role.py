"""Let the sequencer alone seal heads, and the owner alone say what was let go or recovered."""

from pathlib import Path

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent.parent / "sql" / "0002_kinds.sql"
GRANT = """
GRANT SELECT, INSERT ON public.trail_logevent TO gmp_sequencer;
GRANT USAGE ON SEQUENCE public.trail_logevent_id_seq TO gmp_sequencer;
"""


def replace(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute(SQL.read_text())
        cursor.execute("SET LOCAL ROLE gmp_owner")
        cursor.execute(GRANT)


class Migration(migrations.Migration):
    dependencies = [("trail", "0003_log_events_guarded")]
    operations = [migrations.RunPython(replace)]
