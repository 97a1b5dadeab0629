"""Repeat a past explanation from its stored question, and say whether every byte is the same."""

from compliance.refusals import Refused
from twins.explanations import runs
from twins.explanations.models import Explanation
from twins.models import documents
from twins.predictions import replays
from twins.predictions.replays import Replay


class ExplanationNotReplayable(Refused):
    """The request has no answer to compare with."""

    code = "explanation-not-replayable"


def replay(explanation: Explanation) -> Replay:
    """Explain again in this process; raise `ExplanationNotReplayable` without a recorded answer."""
    if not explanation.output:
        raise ExplanationNotReplayable(
            f"{explanation} is {explanation.get_state_display().lower()}: there is nothing to repeat"
        )
    rows = explanation.prediction.input.encode()
    return replays.repeat(
        explanation,
        lambda given: runs.answer(given, rows=rows)[1],
        around={"code": explanation.code_digest, **explanation.environment},
        here={"code": documents.code_digest(), **runs.environment_here()},
    )
