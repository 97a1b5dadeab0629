"""Cross-check a mechanistic twin on demand and say what a person reads."""

from collections.abc import Callable

from compliance.refusals import Refused
from twins.models import cross_checks
from twins.models.cho_fed_batch import cross_check as cho
from twins.models.cross_checks import CrossCheck, SolversDisagree
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import cross_check as penicillin

CHECKS: dict[str, Callable[[], CrossCheck]] = {
    "cho-fed-batch": cho.reference,
    "penicillin-fed-batch": penicillin.reference,
}


class NoCrossCheck(Refused):
    """No mechanistic twin has this name."""

    code = "twin-without-cross-check"
    status = 422


class CrossCheckFailed(Refused):
    """Two solvers of the same equations disagree, or one of them failed."""

    code = "twin-cross-check-failed"


def run(model: str, *, tolerance: float = cross_checks.TOLERANCE) -> str:
    """Run both solvers and return the table; raise `CrossCheckFailed` with it above the tolerance."""
    if model not in CHECKS:
        raise NoCrossCheck(f"{model} has no second solver; {', '.join(sorted(CHECKS))} have one")
    try:
        found = CHECKS[model]()
    except IntegrationInaccurate as error:
        raise CrossCheckFailed(f"{model}: {error}") from error
    text = table(found, tolerance)
    try:
        cross_checks.require(found, tolerance=tolerance)
    except SolversDisagree as error:
        raise CrossCheckFailed(f"{error}\n{text}") from error
    return text


def table(found: CrossCheck, tolerance: float) -> str:
    """Return a row a state: the largest difference, when, and against its scale."""
    lines = [f"{'state':26} {'largest':>10} {'at h':>8} {'relative':>9}  unit"]
    lines += [
        f"{one.state:26} {one.largest:10.2e} {one.at_h:8.1f} {one.relative:9.1e}  {one.unit}"
        for one in found.differences
    ]
    lines.append(
        f"{found.model}, {found.hours:g} h: {found.first} against {found.second}, worst "
        f"{found.worst:.1e} (tolerance {tolerance:.0e}); step-halving error {found.error:.1e}"
    )
    return "\n".join(lines)
