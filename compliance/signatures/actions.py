"""Name the acts of signatures."""

from enum import StrEnum


class Action(StrEnum):
    SIGNED = "signatures.signed"
