"""Name the acts of disposition."""

from enum import StrEnum


class Action(StrEnum):
    BATCH_DISPOSITIONED = "disposition.batch-dispositioned"
