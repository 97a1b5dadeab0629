"""Let the log itself say which values may be erased one day, before any entry has one."""

from datetime import datetime

from django.db import connections

from compliance.trail import capture, log_events
from compliance.trail.models import LogEvent
from compliance.trail.recording import System

KIND = "redactable"
OWNER = "owner"


def declare(*, at: datetime) -> bool:
    """Write the declared paths as the owner when they are not the last ones written."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", [LogEvent._meta.db_table])
        if cursor.fetchone() == (True,):
            return False
    paths = capture.redactable_paths()
    if paths == current():
        return False
    log_events.record(
        KIND,
        {"paths": paths, "v": 1},
        actor=System("migrate"),
        at=at,
        reason="what may be erased has changed",
        using=OWNER,
    )
    return True


def current() -> list[str]:
    """Return the paths that the log names last."""
    told = log_events.documents(KIND, using=OWNER)
    return list(told[-1]["paths"]) if told else []
