"""Name the acts of quality."""

from enum import StrEnum


class Action(StrEnum):
    DEVIATION_OPENED = "quality.deviation-opened"
    DEVIATION_NOTED = "quality.deviation-noted"
    DEVIATION_INVESTIGATED = "quality.deviation-investigated"
    DEVIATION_CLOSED = "quality.deviation-closed"
    DEVIATION_IMPORTED = "quality.deviation-imported"
    REMINDED = "quality.reminded"
