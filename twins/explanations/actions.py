"""Name the acts of explanations."""

from enum import StrEnum


class Action(StrEnum):
    EXPLANATION_REQUESTED = "explanations.requested"
    EXPLANATION_CLAIMED = "explanations.claimed"
    EXPLANATION_GIVEN = "explanations.given"
    EXPLANATION_REFUSED = "explanations.refused"
