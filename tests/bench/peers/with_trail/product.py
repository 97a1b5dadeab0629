"""This product, measured as its peers are."""

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any

from django.db import connection, connections, transaction

from compliance.trail import capture, recording
from compliance.trail.recording import System
from tests.bench.columns import AT


class Action(StrEnum):
    MEASURED = "bench.measured"


def prepare() -> None:
    """Put the measured tables under control."""
    with transaction.atomic(using="owner"):
        capture.install(connections["owner"])


def block() -> AbstractContextManager[Any]:
    """Open one act: who, why, and the transaction."""
    return recording.recording(
        Action.MEASURED, actor=System("bench"), at=AT, reason="measured here"
    )


def captured() -> dict[str, int]:
    """Count the entries; one entry is one changed row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.entry")
        return {"row": int(cursor.fetchone()[0])}
