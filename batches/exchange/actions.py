"""Name the acts of exchange."""

from enum import StrEnum


class Action(StrEnum):
    MESSAGE_ACCEPTED = "exchange.message-accepted"
