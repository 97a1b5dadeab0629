"""Name the acts of execution."""

from enum import StrEnum


class Action(StrEnum):
    BATCH_ISSUED = "execution.batch-issued"
    EVENT_RECORDED = "execution.event-recorded"
    READINGS_STORED = "execution.readings-stored"
    DEVIATION_LINKED = "execution.deviation-linked"
