"""Read the values behind commitments, for those who may see them."""

from collections.abc import Iterable, Mapping

from django.db import connection

PERMISSION = "trail.open_protected"


def of_entries(entry_ids: Iterable[int]) -> Mapping[int, Mapping[str, str]]:
    """Return the values that can still be opened, by entry and field."""
    found: dict[int, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, path, value FROM audit.openings_of_entries(%s::bigint[])",
            [list(entry_ids)],
        )
        for entry_id, path, value in cursor.fetchall():
            # <record>.<column>: docs/evidence-bundle.md, 9
            found.setdefault(entry_id, {})[path.rpartition(".")[2]] = value
    return found
