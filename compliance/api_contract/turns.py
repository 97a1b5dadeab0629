"""Let one transaction at a time work on what a name stands for."""

import hashlib

from django.db import connection, transaction
from django.db.utils import OperationalError

LOCK_NOT_AVAILABLE = "55P03"
WAIT = "5s"


def number(name: str) -> int:
    """Return the number of the advisory lock of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def wait(name: str) -> bool:
    """Take the turn until the transaction ends; say False when others kept it for five seconds."""
    lock = number(name)
    with connection.cursor() as cursor:  # mostly nobody has it: one question instead of five
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        if cursor.fetchone()[0]:
            return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True
