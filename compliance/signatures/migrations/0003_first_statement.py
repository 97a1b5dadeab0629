"""Put the first accountability statement in force (21 CFR 11.10(j)); others follow as records."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

# Before any signature that an installation may hold.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
TEXT = (
    "My electronic signature is the legally binding equivalent of my handwritten signature. "
    "I am accountable and responsible for every act that is signed with it.\n\n"
    "It is mine alone. I use only my own name, password and second factor; I share them with "
    "nobody, and nobody signs for me. I read what I sign, in the version that I sign, and I know "
    "that each signature states its meaning.\n\n"
    "I report at once when I believe that somebody else knows or has used any of these. I know "
    "that falsifying a record or a signature has consequences for me, up to dismissal and "
    "prosecution."
)


def put_in_force(apps: Any, schema_editor: Any) -> None:
    statements = apps.get_model("signatures", "Statement").objects.using(
        schema_editor.connection.alias
    )
    if not statements.exists():
        statements.create(version=1, text=TEXT, drafted_at=BEGINNING, effective_at=BEGINNING)


class Migration(migrations.Migration):
    dependencies = [("signatures", "0002_true_signatures")]
    operations = [migrations.RunPython(put_in_force, migrations.RunPython.noop)]
