"""Read stored explanations, and put them into words; no model is needed for it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twins.explanations.models import Explanation, ExplanationState
from twins.hub.models import VersionState
from twins.predictions.explainable import VERDICTS

# docs/penicillin.md, Measured.
WEAKNESS = (
    "The interval reaches over 90 % of the estimated members and over both readings of what the "
    "estimate corrected since the onset; it knows nothing of what tips later. Of 12 simulated batches "
    "that lost 5 % or more, what was lost lay in it for 10 when asked at the alarm, for 9 twelve hours "
    "later, and for 10 of 11 at the end."
)
ADVICE = (
    "Weights and impact are advice of a twin that is not qualified for it. Nothing is done by them: a "
    "person decides what it was and how severe it is."
)
# A weight below this is not told.
LEAST_WEIGHT = 0.005


def document(explanation: Explanation) -> dict[str, Any]:
    """Return the answer of an ended request; every broken number in it is a decimal string."""
    found: dict[str, Any] = json.loads(explanation.output)
    return found


def told(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what lists show of an answer without reading its document."""
    if said.get("status") != "explained":
        return {}
    first = ranked(said)[0]
    proposed = [one.get("proposed") for one in said["impacts"] if one["name"] == first["name"]]
    return {
        "verdict": said["verdict"],
        "likeliest": first["title"],
        "weight": repr(float(first["weight"])),
        "proposed": (proposed and proposed[0]) or "",
    }


def ranked(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the hypotheses of a document, the likeliest first."""
    # They stand in the order of the bank, which decides between equal weights.
    return sorted(said["hypotheses"], key=lambda one: -float(one["weight"]))


def titles(said: Mapping[str, Any]) -> dict[str, str]:
    """Return the title of each hypothesis by its name."""
    return {one["name"]: one["title"] for one in said["hypotheses"]}


def headline(explanation: Explanation) -> str:
    """Say in one sentence what it may be, or why nothing is said."""
    match explanation.state:
        case ExplanationState.EXPLAINED:
            return (
                f"Likeliest: {explanation.likeliest}, weight {float(explanation.weight):.2f}; probe or "
                f"process: {VERDICTS[explanation.verdict]}."
            )
        case ExplanationState.NOTHING:
            return "No alarm stood or had stood in these rows: there is nothing to explain."
        case ExplanationState.NOT_EXPLAINED:
            return f"It could not be explained: {explanation.problem} ({explanation.refusal})."
    return "It is not worked out yet."


def standing(explanation: Explanation) -> str:
    """Say what the version was qualified for when it saw the rows, and whether it is retired."""
    version = explanation.prediction.model_version
    if explanation.is_trial:
        said = "The version of the twin was not qualified: the explanation is a trial of it."
    else:
        said = "The version of the twin was qualified for its alarms, not for explaining them."
    if version.state == VersionState.RETIRED:
        said += f" It was retired on {version.retired_at:%Y-%m-%d}."
    return said


def onset(said: Mapping[str, Any]) -> str:
    """Say since when the batch is suspected."""
    alarm = said["alarm"]
    state = "stands" if alarm["stands"] else "has ended"
    return (
        f"{float(said['onset_h']):.1f} h, where the score of the alarm of "
        f"{float(alarm['since_h']):.1f} h ({state}) began to rise"
    )


def undecided(said: Mapping[str, Any]) -> str:
    """Name the hypotheses that together hold nine tenths, or look like one of them; else nothing."""
    title = titles(said)
    return "; ".join(title[one] for one in said["undecided"])


def inseparable(said: Mapping[str, Any]) -> list[str]:
    """Name each group of likely hypotheses that these signals can never tell apart."""
    title, likely = titles(said), {*said["undecided"], said["likeliest"]}
    return [
        "; ".join(title[one] for one in group) for group in said["alike"] if set(group) & likely
    ]


def future(course: Mapping[str, Any], *, as_of_h: str) -> str:
    """Say until when a course counts the product, and what becomes of the deviation."""
    until = f"at {float(course['horizon_h']):.0f} h"
    if float(course["horizon_h"]) <= float(as_of_h):
        return until
    return f"{until}, if it {'goes on as it is' if course['goes_on'] else 'ends now'}"


def proposed(impact: Mapping[str, Any]) -> str:
    """Say which class is proposed, and why none is when the courses disagree."""
    said = str(impact["proposed"])
    classes = list(dict.fromkeys(course["proposed"] for course in impact["courses"]))
    if len(classes) > 1:
        return f"{said}, for the two courses differ ({' and '.join(classes)})"
    return said


def kg(spread: Sequence[str]) -> str:
    """Write a product with its 90 % interval; of whole numbers there is no minus nothing."""
    low, middle, high = (round(float(one)) for one in spread)
    return f"{middle} ({low} to {high}) kg"


def share(spread: Sequence[str]) -> str:
    """Write a share with its 90 % interval."""
    low, middle, high = (100.0 * float(one) for one in spread)
    return f"{middle:.1f} ({low:.1f} to {high:.1f}) %"
