"""Let one transaction at a time work on what a name stands for."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.utils import OperationalError

LOCK_NOT_AVAILABLE = "55P03"
WAIT = "5s"
# Mostly nobody has it: one question instead of five.
_ASKED = "SELECT pg_try_advisory_xact_lock({})"


class TurnTaken(Exception):
    """Others have kept the turn for five seconds."""


def number(name: str) -> int:
    """Return the number of the advisory lock of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


@contextmanager
def transaction_of(name: str) -> Iterator[None]:
    """Run a block in a transaction that has the turn from its beginning; raise `TurnTaken`."""
    ours: Any = connection  # of our backend: config/postgres
    ours.question_at_begin, ours.answer_at_begin = _ASKED.format(number(name)), None
    try:
        with transaction.atomic():
            if ours.answer_at_begin != b"t" and not _waited(number(name)):
                raise TurnTaken(name)
            yield
    finally:
        ours.question_at_begin = None


def wait(name: str) -> bool:
    """Take the turn until the transaction ends; say False when others kept it for five seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED.format(number(name)))
        return bool(cursor.fetchone()[0]) or _waited(number(name))


def _waited(lock: int) -> bool:
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
