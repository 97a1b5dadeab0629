"""Say an explanation of a batch as lines that a person reads."""

from typing import Any

from twins.predictions.explainable import VERDICTS

_SHOWN_WEIGHT, _SHOWN_SIZE = 0.005, 1.0


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
    title = _titles(said)
    found = ["weights:", *found, f"probe or process: {VERDICTS[said['verdict']]} ({kinds})"]
    if said["undecided"]:
        found.append(f"undecided between: {'; '.join(title[one] for one in said['undecided'])}")
    for group in said["alike"]:
        if set(group) & set(said["undecided"]):
            told = "; ".join(title[one] for one in group)
            found.append(f"these signals can never tell apart: {told}")
    return found


def _titles(said: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["title"] for one in said["hypotheses"]}


def _costs(said: dict[str, Any]) -> list[str]:
    found, title = [], _titles(said)
    for one in said["impacts"]:
        head = f"impact, if it was: {title[one['name']]}:"
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
