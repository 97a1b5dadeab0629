"""Put an explanation into the parts of a page: weights, signs, impacts, and the product drawn."""

from collections.abc import Mapping
from typing import Any

from compliance.access import page_parts, record_admin
from compliance.access.page_parts import (
    Bar,
    Bars,
    Cell,
    Facts,
    Folded,
    Note,
    Part,
    Picture,
    Section,
    Table,
)
from twins.explanations import charts, outputs
from twins.explanations.models import Explanation, ExplanationState
from twins.predictions.explainable import VERDICTS

_KINDS = {"process": "process", "probe": "probe", "normal": "chance", "none": "none of these"}
_USUAL = "1 is what one normal window in twenty exceeds in the same time."


def sections(explanation: Explanation) -> list[Section]:
    """Return all that an explanation says; nothing when it explains nothing."""
    if explanation.state != ExplanationState.EXPLAINED:
        return []
    said = outputs.document(explanation)
    return [
        Section("Probe or process", [_verdict(said)], is_wide=False),
        Section("Weights", _weights(said), is_wide=False),
        Section("What departs, in usual sizes", [_signs(said), Note(_USUAL), _all_signs(said)]),
        Section("What it costs", [*_impacts(said), *_pictures(explanation)]),
    ]


def summary(explanation: Explanation) -> list[Part]:
    """Return what helps to answer an alert: verdict, weights, impact; signs behind a line."""
    if explanation.state != ExplanationState.EXPLAINED:
        return []
    said = outputs.document(explanation)
    return [
        _verdict(said),
        *_weights(said)[:1],
        *_impacts(said),
        *_pictures(explanation)[:1],
        Folded("What departs, in usual sizes", [_signs(said), Note(_USUAL)]),
    ]


def _verdict(said: Mapping[str, Any]) -> Facts:
    weights = said["of_kind"]
    kinds = ", ".join(f"{words} {float(weights[kind]):.2f}" for kind, words in _KINDS.items())
    verdict = page_parts.state(said["verdict"], said["verdict"].capitalize())
    return Facts(
        [
            ("Suspected onset", outputs.onset(said)),
            ("Probe or process", page_parts.beside(verdict, VERDICTS[said["verdict"]])),
            ("Weight of each kind", kinds),
            ("Undecided between", outputs.undecided(said)),
            *(("Never told apart by these signals", one) for one in outputs.inseparable(said)),
        ]
    )


def _weights(said: Mapping[str, Any]) -> list[Part]:
    ranked = outputs.ranked(said)
    bars = [
        Bar(_named(one), weight, f"{weight:.3f}")
        for one in ranked
        if (weight := float(one["weight"])) >= outputs.LEAST_WEIGHT
    ]
    rows: list[list[Cell]] = [
        [one["title"], one["kind"], f"{float(one['prior']):.3f}", f"{float(one['weight']):.4f}"]
        for one in ranked
    ]
    columns = ["Hypothesis", "Kind", "Prior", "Weight"]
    whole = Table(columns, rows, numeric=columns[2:])
    return [Bars(bars, whole=1.0), Folded(f"All {len(rows)} hypotheses with their priors", [whole])]


def _named(hypothesis: Mapping[str, Any]) -> str:
    """Name a hypothesis with its kind, where its title does not say it."""
    title, kind = hypothesis["title"], hypothesis["kind"]
    return f"{title} ({kind})" if kind in ("process", "probe") else str(title)


def _signs(said: Mapping[str, Any]) -> Bars:
    return Bars(
        [
            Bar(one["title"], float(one["usual_sizes"]), f"{float(one['usual_sizes']):+.1f}")
            for one in _strongest_first(said)
        ]
    )


def _all_signs(said: Mapping[str, Any]) -> Folded:
    rows: list[list[Cell]] = [
        [
            one["title"],
            f"{float(one['departure']):+.3g} {one['unit']}",
            f"{float(one['usual_sizes']):+.2f}",
            f"{float(one['at_h']):.1f} h",
        ]
        for one in _strongest_first(said)
    ]
    columns = ["Sign", "Departure", "Usual sizes", "At"]
    return Folded(f"All {len(rows)} signs", [Table(columns, rows, numeric=columns[1:])])


def _strongest_first(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return sorted(said["signs"], key=lambda one: -abs(float(one["usual_sizes"])))


def _impacts(said: Mapping[str, Any]) -> list[Part]:
    title = outputs.titles(said)
    tables: list[Part] = []
    refused: list[Part] = []
    for one in said["impacts"]:
        if "refused" in one:
            why = one["refused"]
            refused.append(
                Note(f"If it was: {title[one['name']]}. {why['reason']} ({why['code']}).")
            )
        else:
            tables += _courses(one, title[one["name"]], as_of_h=said["as_of_h"])
    weakness = [Note(outputs.WEAKNESS, "warn")] if tables else []
    return [*tables, *weakness, *refused]


def _courses(impact: Mapping[str, Any], title: str, *, as_of_h: str) -> list[Part]:
    rows: list[list[Cell]] = [
        [
            outputs.future(course, as_of_h=as_of_h),
            outputs.kg(course["with_kg"]),
            outputs.kg(course["without_kg"]),
            outputs.kg(course["lost_kg"]),
            outputs.share(course["lost_share"]),
            page_parts.state(course["proposed"], course["proposed"].capitalize()),
        ]
        for course in impact["courses"]
    ]
    columns = ["Product counted", "With it", "Without it", "Lost", "Share lost", "Class"]
    caption = f"If it was: {title}. In brackets the 90 % interval"
    return [
        Table(columns, rows, numeric=columns[1:5], caption=caption),
        Note(f"Proposed class: {outputs.proposed(impact)}."),
    ]


def _pictures(explanation: Explanation) -> list[Picture]:
    title = outputs.titles(outputs.document(explanation))
    return [
        Picture(
            record_admin.picture_url(explanation, "product", name),
            f"Product of batch {explanation.alert.batch} with and without: {title[name]}",
        )
        for name in charts.costed(explanation)
    ]
