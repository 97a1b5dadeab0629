"""Name the acts of disposition."""

from enum import StrEnum


class Action(StrEnum):
    BATCH_REVIEWED = "disposition.batch-reviewed"
    BATCH_DISPOSITIONED = "disposition.batch-dispositioned"
    BATCH_CERTIFIED = "disposition.batch-certified"
    BATCH_SHIPPED = "disposition.batch-shipped"
