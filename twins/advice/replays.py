"""Repeat past advice from its stored question, and say whether every byte is the same."""

from dataclasses import dataclass

from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.advice import runs
from twins.advice.models import GIVEN, Proposal
from twins.hub import versions
from twins.predictions import replays
from twins.predictions import runs as predictions


class AdviceNotReplayable(Refused):
    """The request has no output to compare with."""

    code = "advice-not-replayable"


@dataclass(frozen=True)
class Replay:
    """What repeating advice showed; `differences` are damaged bytes, other code or environment."""

    identical: bool
    computed_digest: str
    differences: tuple[str, ...]


def replay(proposal: Proposal) -> Replay:
    """Run finished advice again in this process; raise `AdviceNotReplayable` for any other."""
    if proposal.state not in GIVEN:
        raise AdviceNotReplayable(
            f"{proposal} is {proposal.get_state_display().lower()}: there is nothing to repeat"
        )
    differences = replays.damaged(proposal)
    try:
        _, computed = runs.answer(
            proposal.prediction.model_version.name, given=proposal.input.encode()
        )
    except (canonical.NotCanonical, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # It was answered once: the input, or the code, is not what it was.
        computed = b""
        differences.append(f"no answer: {type(error).__name__}: {error}")
    identical = computed == proposal.output.encode() and not differences
    return Replay(identical, predictions.digest(computed), (*differences, *_changed(proposal)))


def _changed(proposal: Proposal) -> list[str]:
    version = proposal.prediction.model_version
    recorded = {"code": version.code_digest, **proposal.environment}
    here = {
        "code": versions.installed(version.name).code_digest(),
        **runs.environment_here(),
    }
    return replays.differing(recorded, here)
