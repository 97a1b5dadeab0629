"""Name the acts of the configuration."""

from enum import StrEnum


class Action(StrEnum):
    CHANGE_FOUND = "configuration.change-found"
    CHANGE_ASSESSED = "configuration.change-assessed"
