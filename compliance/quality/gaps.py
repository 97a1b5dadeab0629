"""Say what an investigation still lacks before it can be signed and closed (21 CFR 211.192)."""

from compliance.quality import recurrences, scope
from compliance.quality.models import Deviation, Effect, Finding, RootCause
from compliance.refusals import Refused

# EU GMP Chapter 8: procedure and system based errors are not overlooked behind "human error"
BEFORE_HUMAN_ERROR = (RootCause.METHOD, RootCause.SYSTEM)


class DeviationIncomplete(Refused):
    """The investigation lacks what a closure needs."""

    code = "deviation-incomplete"
    status = 422


def of_findings(deviation: Deviation) -> list[str]:
    """Name the texts that an investigation has to have and this one has not."""
    return [
        name.replace("_", " ")
        for name in ("root_cause_category", "root_cause", "impact", "conclusion")
        if not getattr(deviation, name)
    ]


def of_causes(deviation: Deviation) -> list[str]:
    """Name the causes that have to be ruled out before a person is blamed."""
    if deviation.root_cause_category != RootCause.HUMAN_ERROR:
        return []
    ruled_out = set(
        deviation.causes.filter(finding=Finding.RULED_OUT).values_list("category", flat=True)
    )
    return [
        f"“human error”: a cause of the kind “{RootCause(kind).label}” considered and ruled out"
        for kind in BEFORE_HUMAN_ERROR
        if kind not in ruled_out
    ]


def of_scope(deviation: Deviation) -> list[str]:
    """Name the neighbours that nobody has considered: 211.192 extends to other batches."""
    stored = list(deviation.neighbours.order_by("pk"))
    known = {(one.kind, one.name) for one in stored}
    names = [(one.kind, one.name) for one in stored if one.effect == Effect.PENDING]
    names += [
        (one.kind, one.name)
        for one in scope.suggested(deviation)
        if (one.kind, one.name) not in known
    ]
    return [f"a decision on {kind} {name}" for kind, name in names]


def of_classification(deviation: Deviation) -> list[str]:
    if deviation.classifications.exists():
        return []
    return ["a classification by the rule"]


def of_recurrence(deviation: Deviation) -> list[str]:
    unanswered = recurrences.unanswered(deviation)
    if not unanswered:
        return []
    numbers = ", ".join(one.number for one in unanswered)
    return [f"an answer to whether it is a recurrence of {numbers}"]


def of(deviation: Deviation) -> list[str]:
    """Return everything that a closure waits for; empty when it can be signed and closed."""
    return [
        *of_findings(deviation),
        *of_causes(deviation),
        *of_classification(deviation),
        *of_scope(deviation),
        *of_recurrence(deviation),
    ]


def demand_investigated(deviation: Deviation) -> None:
    """Pass when the findings are whole enough to be signed, else raise `DeviationIncomplete`."""
    _demand(deviation, [*of_findings(deviation), *of_causes(deviation)])


def demand_complete(deviation: Deviation) -> None:
    """Pass when nothing is missing for a closure, else raise `DeviationIncomplete`."""
    _demand(deviation, of(deviation))


def _demand(deviation: Deviation, missing: list[str]) -> None:
    if missing:
        raise DeviationIncomplete(
            f"{deviation.number} lacks: {', '.join(missing)}",
            errors=[{"pointer": "", "code": "missing", "detail": one} for one in missing],
        )
