"""Repeat past advice from its stored question, and say whether every byte is the same."""

from compliance.refusals import Refused
from twins.advice import runs
from twins.advice.models import Proposal
from twins.hub import versions
from twins.predictions import replays
from twins.predictions.replays import Replay


class AdviceNotReplayable(Refused):
    """The request has no output to compare with."""

    code = "advice-not-replayable"


def replay(proposal: Proposal) -> Replay:
    """Advise again in this process; raise `AdviceNotReplayable` without recorded advice."""
    if not proposal.output:
        raise AdviceNotReplayable(
            f"{proposal} is {proposal.get_state_display().lower()}: there is nothing to repeat"
        )
    version = proposal.prediction.model_version
    return replays.repeat(
        proposal,
        lambda given: runs.answer(version.name, given=given)[1],
        around={"code": version.code_digest, **proposal.environment},
        here={"code": versions.installed(version.name).code_digest(), **runs.environment_here()},
    )
