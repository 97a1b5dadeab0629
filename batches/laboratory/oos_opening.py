"""Open the investigation of an OOS result in the act that enters it, and let it stand."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from batches.execution.models import Batch
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    Conclusion,
    OosInvestigation,
    OosState,
    Result,
    Sample,
    SpecificationTest,
    StabilityResult,
)
from compliance import numbering
from compliance.access.authority import Principal
from compliance.refusals import Refused
from compliance.trail import recording

INVESTIGATE_WITHIN = timedelta(days=30)  # FDA, OOS guidance: timely, within about 30 business days


class OosStands(Refused):
    """An OOS result is neither corrected, nor averaged away, nor tested into compliance."""

    code = "oos-stands"


def of_result(
    result: Result, *, test: SpecificationTest, actor: Principal, at: datetime
) -> OosInvestigation:
    """Open the investigation of a result; only `results.report` calls it, within its act."""
    return _open(
        batch=result.sample.batch, result=result, test=test, value_text=result.value_text,
        actor=actor, at=at,
    )  # fmt: skip


def of_stability(result: StabilityResult, *, actor: Principal, at: datetime) -> OosInvestigation:
    """Open the investigation of a stability result, within its act."""
    return _open(
        batch=result.pull.study.batch, stability_result=result, test=result.test,
        value_text=result.value_text, actor=actor, at=at,
    )  # fmt: skip


def _open(
    *, batch: Batch, test: SpecificationTest, value_text: str, actor: Principal, at: datetime,
    result: Result | None = None, stability_result: StabilityResult | None = None,
) -> OosInvestigation:  # fmt: skip
    reason = f"{test.tag} {value_text} {test.unit} of {batch} is outside {test.limits_text}"
    with recording.recording(Action.OOS_OPENED, actor=actor, at=at, reason=reason):
        return OosInvestigation.objects.create(
            number=numbering.next_number(OosInvestigation, prefix="OOS", at=at),
            batch=batch,
            result=result,
            stability_result=stability_result,
            test=test,
            value_text=value_text,
            limits_text=test.limits_text,
            opened_at=at,
            due_on=(at + INVESTIGATE_WITHIN).date(),
        )


def standing(batch: Batch) -> QuerySet[OosInvestigation]:
    """Return the investigations whose result counts: open ones, and all but the invalidated."""
    return OosInvestigation.objects.filter(batch=batch).exclude(
        state=OosState.CLOSED, conclusion=Conclusion.INVALIDATED
    )


def demand_none_stands(sample: Sample, test: SpecificationTest) -> None:
    """Refuse a result that would stand beside, or in the place of, an OOS of the same test.

    A result of a sample that was taken before the OOS was found is no retest, and is taken. What a
    person registers only after it says nothing by the time it names.
    """
    beside = Q(result__sample=sample, result__tag=test.tag)
    beside |= Q(
        test=test, opened_at__lt=max(sample.taken_at, sample.registered_at or sample.taken_at)
    )
    if sample.parent_id:
        beside |= Q(test=test)
    found = standing(sample.batch).filter(beside)
    if oos := found.first():
        raise OosStands(
            f"{oos} stands for {test.tag} of {sample.batch}: its result is not corrected, and other "
            "samples do not replace it; record retests there, as its approved plan foresees"
        )
