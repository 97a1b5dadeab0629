"""Quote the newest explanation of an alert in the deviation that its acceptance opens."""

from collections.abc import Mapping
from typing import Any

from twins.explanations import offers, outputs
from twins.explanations.models import ENDED, Explanation, ExplanationState
from twins.predictions.models import Alert


def of(alert: Alert) -> list[str]:
    """Return what a deviation quotes; nothing for an alert that cannot be explained."""
    newest = newest_of(alert)
    if newest is not None:
        return [_quoted(newest)]
    if not offers.why_not(alert) or alert.explanations.exists():
        return ["When the alert was accepted there was no explanation of it yet."]
    return []


def newest_of(alert: Alert) -> Explanation | None:
    """Return the ended explanation of the newest rows: one that explains, before one that could not."""
    ended = alert.explanations.filter(state__in=ENDED).select_related("prediction__model_version")
    newest = ended.defer("prediction__input", "prediction__output").order_by(
        "-prediction__as_of", "-pk"
    )
    return newest.exclude(state=ExplanationState.NOT_EXPLAINED).first() or newest.first()


def _quoted(explanation: Explanation) -> str:
    said = [
        f"Explanation {explanation.pk} of the twin, of the rows as of "
        f"{explanation.prediction.as_of:%Y-%m-%d %H:%M} UTC: {outputs.headline(explanation)}"
    ]
    if explanation.state == ExplanationState.EXPLAINED:
        found = outputs.document(explanation)
        said += [f"Suspected onset: {outputs.onset(found)}.", *_undecided(found), *_cost(found)]
    if explanation.output_digest:
        said.append(f"Digest of the explanation {explanation.output_digest}.")
    return " ".join([*said, outputs.standing(explanation), outputs.ADVICE])


def _undecided(said: Mapping[str, Any]) -> list[str]:
    between = outputs.undecided(said)
    return [f"Undecided between: {between}."] if between else []


def _cost(said: Mapping[str, Any]) -> list[str]:
    first = next((one for one in said["impacts"] if one["name"] == said["likeliest"]), None)
    if first is None:
        return []
    if "refused" in first:
        return [f"Impact of the likeliest: {first['refused']['reason']}."]
    courses = "; ".join(
        f"{outputs.future(one, as_of_h=said['as_of_h'])}: "
        f"{outputs.kg(one['lost_kg'])}, {outputs.share(one['lost_share'])}"
        for one in first["courses"]
    )
    return [
        "If it was that, the product lost, with its share and 90 % intervals, is "
        f"{courses}. Proposed class: {outputs.proposed(first)}.",
        outputs.WEAKNESS,
    ]
