"""Write an explanation of a batch as a document of plain values."""

from typing import Any

from twins.models.penicillin_fed_batch import counterfactual, hypotheses
from twins.models.penicillin_fed_batch.counterfactual import Impact
from twins.models.penicillin_fed_batch.explaining import Costed, Explanation
from twins.models.penicillin_fed_batch.following import SAMPLE_H
from twins.models.penicillin_fed_batch.hypotheses import BANK
from twins.models.penicillin_fed_batch.signatures import SIGNS


def of(found: Explanation) -> dict[str, Any]:
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
        "path": [
            {
                "at_h": round(one.at_h, 6),
                "with_kg": list(one.with_kg),
                "without_kg": list(one.without_kg),
            }
            for one in impact.path
        ],
    }
