"""Read stored advice, and put it into words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twins.advice.models import Proposal, ProposalState
from twins.models.advice.comparing import Foretold
from twins.models.forecasts import Trajectory
from twins.models.requests import FeedStep

_OUTCOMES = {
    "none-needed": "No move is needed: as is, the probability is at or below the target.",
    "not-enough": "No move within the registered range is enough; the one shown comes nearest.",
    "no-lever": "The feed is no lever on this.",
    "undecided": "The twin cannot advise now.",
}


def document(proposal: Proposal) -> dict[str, Any]:
    """Return the advice of a finished request; every number in it is a decimal string."""
    found: dict[str, Any] = json.loads(proposal.output)
    return found


def foretold(said: Mapping[str, Any], which: str, *, tag: str) -> Foretold | None:
    """Return one future of a document, `as_is` or `moved`; None when there is none."""
    future = said[which]
    if future is None:
        return None
    (path,) = [one for one in future["trajectories"] if one["tag"] == tag]
    return Foretold(
        feed=[
            FeedStep(float(one["start_h"]), float(one["rate_l_per_h"])) for one in future["feed"]
        ],
        interval=Trajectory(
            tag,
            path["unit"],
            *(_floats(path[name]) for name in ("at_h", "q05", "q50", "q95")),
        ),
    )


def headline(proposal: Proposal) -> str:
    """Say in one sentence what is proposed, or why nothing is."""
    if proposal.outcome == "move":
        return (
            f"Feed {float(proposal.added_l):+.2f} L beside what is fed as is: the probability goes "
            f"from {chance(proposal.before)} to {chance(proposal.after)}."
        )
    if proposal.state == ProposalState.FAILED:
        code = f" ({proposal.refusal})" if proposal.refusal else ""
        return f"There is no advice: {proposal.problem}{code}"
    said = _OUTCOMES.get(proposal.outcome, "It is not worked out yet.")
    if proposal.outcome == "not-enough":
        said += f" Best probability: {chance(proposal.after)}, as is {chance(proposal.before)}."
    elif proposal.outcome == "none-needed":
        said += f" It is {chance(proposal.before)}."
    elif proposal.outcome:
        said = f"{said.removesuffix('.')}: {'; '.join(document(proposal)['reasons'])}."
    return said


def chance(told: Sequence[str]) -> str:
    """Write a probability with its 90 % interval."""
    if not told:
        return ""
    share, low, high = (100.0 * float(one) for one in told)
    return f"{share:.1f} % ({low:.1f} to {high:.1f} %)"


def steps(said: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Return the departures of a document's move: from and to in hours, and L/h."""
    if said["move"] is None:
        return []
    return [
        (float(one["start_h"]), float(one["end_h"]), float(one["l_per_h"]))
        for one in said["move"]["departures"]
    ]


def _floats(numbers: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)
