"""Name the acts of bulk runs."""

from enum import StrEnum


class Action(StrEnum):
    RUN_ASKED = "bulk.run-asked"
    RUN_ENDED = "bulk.run-ended"
    RUN_CANCELLED = "bulk.run-cancelled"
    RUN_RETRIED = "bulk.run-retried"
    PART_CLAIMED = "bulk.part-claimed"
    PART_RENEWED = "bulk.part-renewed"
    PART_FINISHED = "bulk.part-finished"
    PART_FAILED = "bulk.part-failed"
