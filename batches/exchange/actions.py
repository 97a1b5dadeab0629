"""Name the acts of exchange."""

from enum import StrEnum


class Action(StrEnum):
    MESSAGE_ACCEPTED = "exchange.message-accepted"
    MESSAGE_RECEIVED = "exchange.message-received"
    MESSAGE_RESOLVED = "exchange.message-resolved"
    MESSAGE_DISMISSED = "exchange.message-dismissed"
    UNIT_ALIAS_PROPOSED = "exchange.unit-alias-proposed"
    UNIT_ALIAS_DECIDED = "exchange.unit-alias-decided"
    MAPPING_PROPOSED = "exchange.mapping-proposed"
    MAPPING_DECIDED = "exchange.mapping-decided"
