"""Give records their next number, without gaps and without two of the same."""

import hashlib
from datetime import datetime

from django.db import connection, models


def next_number(model: type[models.Model], *, prefix: str, at: datetime) -> str:
    """Return e.g. DEV-2026-0007; call it inside the act that creates the record.

    The transaction-level lock makes a second caller wait until the first has committed.
    """
    series = f"{prefix}-{at.year}-"
    key = int.from_bytes(hashlib.sha256(series.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    numbers = model._default_manager.filter(number__startswith=series)
    last = numbers.order_by(models.functions.Length("number").desc(), "-number").first()
    count = int(getattr(last, "number").removeprefix(series)) if last else 0  # noqa: B009
    return f"{series}{count + 1:04d}"
