"""Repeat a past explanation from its stored question, and say whether every byte is the same."""

from dataclasses import dataclass

from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.explanations import runs
from twins.explanations.models import Explanation
from twins.models import documents
from twins.predictions import replays
from twins.predictions import runs as predictions


class ExplanationNotReplayable(Refused):
    """The request has no answer to compare with."""

    code = "explanation-not-replayable"


@dataclass(frozen=True)
class Replay:
    """What repeating one showed; `differences` are damaged bytes, other code or environment."""

    identical: bool
    computed_digest: str
    differences: tuple[str, ...]


def replay(explanation: Explanation) -> Replay:
    """Explain again in this process; raise `ExplanationNotReplayable` without a recorded answer."""
    if not explanation.output:
        raise ExplanationNotReplayable(
            f"{explanation} is {explanation.get_state_display().lower()}: there is nothing to repeat"
        )
    differences = replays.damaged(explanation)
    try:
        _, computed = runs.answer(
            explanation.input.encode(), rows=explanation.prediction.input.encode()
        )
    except (
        Refused, canonical.NotCanonical, ArithmeticError, LookupError, TypeError, ValueError,
    ) as error:  # fmt: skip
        # It was answered once: the question, the rows, the twin or the code is not what it was.
        computed = b""
        differences.append(f"no answer: {type(error).__name__}: {error}")
    identical = computed == explanation.output.encode() and not differences
    changed = replays.differing(
        {"code": explanation.code_digest, **explanation.environment},
        {"code": documents.code_digest(), **runs.environment_here()},
    )
    return Replay(identical, predictions.digest(computed), (*differences, *changed))
