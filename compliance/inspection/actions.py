"""Name the acts of inspection."""

from enum import StrEnum


class Action(StrEnum):
    INSPECTION_REQUESTED = "inspection.requested"
    INSPECTION_STARTED = "inspection.started"
    INSPECTION_FINISHED = "inspection.finished"
    INSPECTION_FAILED = "inspection.failed"
