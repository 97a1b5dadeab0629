"""Say how a batch's disposition stands: by which release, and whether it must be evaluated anew."""

from dataclasses import dataclass

from django.db.models import Max, QuerySet

from batches.disposition import later_entries
from batches.disposition.later_entries import Later
from batches.disposition.models import RELEASES, Certificate, Decision
from batches.execution.models import Batch, DispositionState
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.trail import capture


class ReevaluationNeeded(Refused):
    """The record changed after the decision (21 CFR 211.192; Annex 16: the basis is gone)."""

    code = "reevaluation-needed"


@dataclass(frozen=True)
class Standing:
    """The newest decision, and what came after it."""

    decision: Decision | None
    is_current: bool  # the record is what the decision was about

    @property
    def needs_reevaluation(self) -> bool:
        """Whether a decision about the product holds no more for the record as it is."""
        if self.decision is None or self.is_current:
            return False
        return self.decision.batch.disposition == DispositionState.RELEASED


def of(batch: Batch) -> Standing:
    """Return the newest decision of a batch and whether its record is still the decided one."""
    decision = newest(batch)
    is_current = decision is not None and signing.is_current(decision.signature, decision.batch)
    return Standing(decision, is_current)


def newest(batch: Batch) -> Decision | None:
    found = Decision.objects.filter(batch=batch).select_related(
        "signature", "review", "batch__recipe__product"
    )
    return found.order_by("-pk").first()


def releases_to(decision: Decision) -> QuerySet[Decision]:
    """Return the release that a decision goes back to, with every confirmation of it until then."""
    of_batch = Decision.objects.filter(batch=decision.batch_id, pk__lte=decision.pk)
    others = of_batch.exclude(outcome__in=RELEASES).aggregate(last=Max("pk"))["last"] or 0
    return of_batch.filter(pk__gt=others)


def demand_release(batch: Batch) -> Decision:
    """Return the release that holds for the record as it is now, or raise `ReevaluationNeeded`."""
    found = of(batch)
    if found.decision is None or found.decision.outcome not in RELEASES or not found.is_current:
        raise ReevaluationNeeded(
            f"the record of {batch.number} changed after its release: review what is new, then "
            "confirm the release, or put the batch on hold"
        )
    return found.decision


def entries_since(decision: Decision) -> list[Later]:
    """Return what was entered on the batch's records after a decision."""
    return later_entries.after(
        decision.batch, record=(capture.record_of(Decision), str(decision.pk))
    )


def certificate(decision: Decision | None) -> Certificate | None:
    """Return the certificate that rests on a release, if there is one."""
    if decision is None:
        return None
    found = Certificate.objects.filter(decision=decision).select_related("signature")
    return found.order_by("-serial").first()
