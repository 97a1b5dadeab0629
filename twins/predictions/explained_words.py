"""Say an explanation of a batch: as a document, and as lines that a person reads."""

from typing import Any

from twins.models.penicillin_fed_batch import counterfactual, hypotheses
from twins.models.penicillin_fed_batch.counterfactual import Impact
from twins.models.penicillin_fed_batch.explaining import Costed, Explanation
from twins.models.penicillin_fed_batch.following import SAMPLE_H
from twins.models.penicillin_fed_batch.hypotheses import BANK
from twins.models.penicillin_fed_batch.signatures import SIGNS

_TITLE = {one.name: one.title for one in BANK}
_VERDICTS = {
    "process": "the process, not a probe",
    "probe": "a probe, not the process",
    "normal": "neither: chance",
    "none": "nothing that this twin knows",
    "undecided": "undecided between process and probe",
}
_SHOWN_WEIGHT, _SHOWN_SIZE = 0.005, 1.0


def document(found: Explanation) -> dict[str, Any]:
    """Return an explanation as plain values."""
    weighed = found.weighed
    priors = hypotheses.priors().tolist()
    return {
        "signs": [
            {
                "name": one.name, "title": one.title, "unit": one.unit, "departure": departure,
                "usual_sizes": size, "at_h": round((at + 1) * SAMPLE_H, 6),
            }
            for one, departure, size, at in zip(
                SIGNS, found.shown.departure.tolist(), found.shown.size.tolist(),
                found.shown.at_sample.tolist(), strict=True,
            )
        ],
        "hypotheses": [
            {
                "name": one.name, "title": one.title, "kind": one.kind, "prior": prior,
                "weight": weight,
            }
            for one, prior, weight in zip(BANK, priors, weighed.weights.tolist(), strict=True)
        ],
        "of_kind": dict(weighed.of_kind),
        "verdict": weighed.verdict,
        "likeliest": weighed.likeliest,
        "undecided": list(weighed.undecided),
        "alike": [list(group) for group in weighed.alike],
        "impacts": [_impact(one) for one in found.costed],
        "major_from_share": counterfactual.MAJOR_FROM,
        "filter_error": found.filter_error,
    }  # fmt: skip


def _impact(one: Costed) -> dict[str, Any]:
    said: dict[str, Any] = {"name": one.name, "weight": one.weight}
    if one.refused is not None:
        code, reason = one.refused
        return said | {"refused": {"code": code, "reason": reason}}
    return said | {
        "proposed": one.proposed,
        "courses": [_numbers(each) for each in one.impacts],
    }


def _numbers(impact: Impact) -> dict[str, Any]:
    return {
        "goes_on": impact.goes_on,
        "horizon_h": round(impact.horizon_h, 6),
        "with_kg": list(impact.with_kg),
        "without_kg": list(impact.without_kg),
        "lost_kg": list(impact.lost_kg),
        "lost_share": list(impact.lost_share),
        "proposed": impact.proposed,
        "integration_error": impact.integration_error,
    }


def lines(said: dict[str, Any]) -> list[str]:
    """Return a document as lines to read."""
    changed = not said["detector"]["code_is_that_of_training"]
    note = ["note: the code of the alarm has changed since its twin was trained"] if changed else []
    return [*_told(said), *note]


def _told(said: dict[str, Any]) -> list[str]:
    head = f"batch {said['batch']} up to {said['as_of_h']:g} h: {_alarm(said['alarm'])}"
    if said["status"] == "nothing-to-explain":
        return [head, "there is nothing to explain; name --onset-h to ask all the same"]
    return [
        head,
        f"suspected onset {said['onset_h']:g} h ({_onset(said['onset_from'])})",
        *_signs(said),
        *_weights(said),
        *_costs(said),
    ]


def _alarm(alarm: dict[str, Any] | None) -> str:
    if alarm is None:
        return "no alarm"
    state = "stands" if alarm["stands"] else "stood, and has ended"
    return f"the alarm of {alarm['since_h']:.1f} h {state}"


def _onset(source: str) -> str:
    return "as asked" if source == "given" else "where the score of the alarm began to rise"


def _signs(said: dict[str, Any]) -> list[str]:
    told = [one for one in said["signs"] if abs(one["usual_sizes"]) >= _SHOWN_SIZE]
    rest = len(said["signs"]) - len(told)
    found = [
        f"  {one['title']:<45} {one['departure']:+9.3g} {one['unit']:<5}"
        f" {abs(one['usual_sizes']):6.1f} times the usual, at {one['at_h']:.1f} h"
        for one in sorted(told, key=lambda one: -abs(one["usual_sizes"]))
    ]
    return ["what departs:", *found, f"  {rest} of {len(said['signs'])} signs are as usual"]


def _weights(said: dict[str, Any]) -> list[str]:
    ranked = sorted(said["hypotheses"], key=lambda one: -one["weight"])
    found = [
        f"  {one['weight']:6.3f}  {one['title']} ({one['kind']})"
        for one in ranked
        if one["weight"] >= _SHOWN_WEIGHT
    ]
    kinds = ", ".join(f"{kind} {weight:.3f}" for kind, weight in said["of_kind"].items())
    found = ["weights:", *found, f"probe or process: {_VERDICTS[said['verdict']]} ({kinds})"]
    if said["undecided"]:
        found.append(f"undecided between: {'; '.join(_TITLE[one] for one in said['undecided'])}")
    for group in said["alike"]:
        if set(group) & set(said["undecided"]):
            told = "; ".join(_TITLE[one] for one in group)
            found.append(f"these signals can never tell apart: {told}")
    return found


def _costs(said: dict[str, Any]) -> list[str]:
    found = []
    for one in said["impacts"]:
        head = f"impact, if it was: {_TITLE[one['name']]}:"
        if "refused" in one:
            found.append(f"{head} {one['refused']['reason']} ({one['refused']['code']})")
            continue
        from_share = f"from {100.0 * said['major_from_share']:g} % on major"
        found.append(f"{head} proposed: {one['proposed']} ({from_share})")
        found += [_course(each, said["as_of_h"]) for each in one["courses"]]
    return found


def _course(course: dict[str, Any], as_of_h: float) -> str:
    low, middle, high = course["lost_kg"]
    shares = [100.0 * share for share in course["lost_share"]]
    future = "goes on as it is" if course["goes_on"] else "ends there, and the recipe is followed"
    when = f"after {as_of_h:g} h it {future}: " if course["horizon_h"] > as_of_h else ""
    return (
        f"  {when}at {course['horizon_h']:g} h {middle:.0f} kg of product lost, {low:.0f} to {high:.0f}"
        f" (90 %); {shares[1]:.1f} % of the {course['without_kg'][1]:.0f} kg without it,"
        f" {shares[0]:.1f} to {shares[2]:.1f} %"
    )
