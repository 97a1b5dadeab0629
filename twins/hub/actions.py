"""Name the acts of the twin hub."""

from enum import StrEnum


class Action(StrEnum):
    VERSION_REGISTERED = "hub.version-registered"
