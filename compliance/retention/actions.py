"""Name the acts of retention."""

from enum import StrEnum


class Action(StrEnum):
    POLICY_DRAFTED = "retention.policy-drafted"
    POLICY_APPROVED = "retention.policy-approved"
    HOLD_REQUESTED = "retention.hold-requested"
    HOLD_CONFIRMED = "retention.hold-confirmed"
    LIFT_REQUESTED = "retention.lift-requested"
    HOLD_LIFTED = "retention.hold-lifted"
