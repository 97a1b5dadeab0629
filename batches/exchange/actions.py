"""Name the acts of exchange."""

from enum import StrEnum


class Action(StrEnum):
    MESSAGE_ACCEPTED = "exchange.message-accepted"
    SOURCE_REGISTERED = "exchange.source-registered"
    SOURCE_CHANGED = "exchange.source-changed"
    RECORD_ACCEPTED = "exchange.record-accepted"
    RECORD_CORRECTED = "exchange.record-corrected"
    GAP_EXPLAINED = "exchange.gap-explained"
    SUBSCRIPTION_CHANGED = "exchange.subscription-changed"
    SUBSCRIPTION_STOPPED = "exchange.subscription-stopped"
    DELIVERY_REPLAYED = "exchange.delivery-replayed"
    MESSAGE_RECEIVED = "exchange.message-received"
    MESSAGE_RESOLVED = "exchange.message-resolved"
    MESSAGE_DISMISSED = "exchange.message-dismissed"
    UNIT_ALIAS_PROPOSED = "exchange.unit-alias-proposed"
    UNIT_ALIAS_DECIDED = "exchange.unit-alias-decided"
    MAPPING_PROPOSED = "exchange.mapping-proposed"
    MAPPING_DECIDED = "exchange.mapping-decided"
