"""Name the acts of advice."""

from enum import StrEnum


class Action(StrEnum):
    ADVICE_REQUESTED = "advice.requested"
    ADVICE_CLAIMED = "advice.claimed"
    ADVICE_GIVEN = "advice.given"
    ADVICE_FAILED = "advice.failed"
    PROPOSAL_ACCEPTED = "advice.proposal-accepted"
    PROPOSAL_REJECTED = "advice.proposal-rejected"
    PROPOSAL_EXPIRED = "advice.proposal-expired"
    PROPOSAL_COMPARED = "advice.proposal-compared"
