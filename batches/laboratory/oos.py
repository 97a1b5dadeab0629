"""Hold an OOS investigation for its next step, and say what a signature under one covers."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from batches.execution.models import Batch
from batches.laboratory import analysts, states
from batches.laboratory.actions import Action
from batches.laboratory.models import OosDeviation, OosInvestigation, OosState
from batches.laboratory.oos_opening import standing
from batches.laboratory.states import OosStep
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.trail import recording
from compliance.trail.tlog import canonical

__all__ = [
    "InvestigatorIsAnalyst", "OosIncomplete", "demand_not_analyst", "link_deviation", "open_of",
    "original_analysts", "standing", "take",
]  # fmt: skip


class OosIncomplete(Refused):
    """The investigation lacks what the next step needs."""

    code = "oos-incomplete"
    status = 422


class InvestigatorIsAnalyst(Refused):
    """Whoever obtained the result does not judge how it was obtained."""

    code = "investigator-is-analyst"


class OosLinked(Refused):
    code = "oos-linked"


def open_of(batch: Batch) -> QuerySet[OosInvestigation]:
    """Return the investigations of a batch that are not closed."""
    return OosInvestigation.objects.filter(batch=batch).exclude(state=OosState.CLOSED)


def take(oos: OosInvestigation, step: OosStep) -> OosInvestigation:
    """Demand the step of the state as stored, and make whoever else needs it wait."""
    OosInvestigation.objects.select_for_update().get(pk=oos.pk)
    locked = OosInvestigation.objects.select_related(
        "result__run", "stability_result", "test", "batch"
    ).get(pk=oos.pk)
    states.demand(locked, locked.state, step)
    return locked


def original_analysts(oos: OosInvestigation) -> frozenset[str]:
    """Return the names, as `analysts.folded`, under which the original result was obtained."""
    if oos.stability_result is not None:
        return analysts.names(oos.stability_result.entered_by)
    if oos.result is None:
        return frozenset()
    return analysts.of(oos.result)


def demand_not_analyst(oos: OosInvestigation, actor: User) -> None:
    """Whoever obtained the result neither judges how it was obtained nor accepts the judgement."""
    if original_analysts(oos) & analysts.names(actor):
        raise InvestigatorIsAnalyst(f"{oos}: the analyst does not lead it; ask a supervisor")


def link_deviation(
    oos: OosInvestigation, *, deviation: Deviation, actor: Principal, at: datetime, reason: str
) -> OosDeviation:
    """Link a deviation that the investigation led to; a confirmed OOS needs one."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.OOS_LINKED, actor=actor, at=at, reason=text):
        locked = OosInvestigation.objects.select_for_update(no_key=True).get(pk=oos.pk)
        if OosDeviation.objects.filter(oos=locked, deviation=deviation).exists():
            raise OosLinked(f"{deviation.number} is linked to {locked} already")
        return OosDeviation.objects.create(
            oos=locked, deviation=deviation, reason=text, linked_at=at
        )


@signing.signable(
    OosInvestigation, meanings=[Meaning.INVESTIGATED, Meaning.APPROVED, Meaning.CLOSED]
)
def content(oos: OosInvestigation) -> Mapping[str, canonical.Value]:
    """Everything that was found and concluded; not the state, which the signature moves."""
    fields = (
        "number", "value_text", "limits_text", "checklist", "is_preparation_retained", "interview",
        "has_cause", "cause_category", "cause", "cause_evidence", "production_review", "plan_kind",
        "retest_count", "plan_rationale", "resample_justification", "conclusion",
        "conclusion_text",
    )  # fmt: skip
    return {
        **{name: getattr(oos, name) for name in fields},
        "batch": oos.batch.number,
        "test": str(oos.test),
        "investigator": _name(oos.investigator),
        "retest_analyst": _name(oos.retest_analyst),
        "retests": [
            [one.number, one.value_text, one.is_outside, one.analyst.username]
            for one in oos.retests.select_related("analyst").order_by("number")
        ],
    }


def _name(person: User | None) -> str | None:
    return person.username if person else None
