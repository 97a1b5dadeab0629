"""Certify released batches as Qualified Person, and keep the register (EU GMP Annex 16)."""

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.db.models import Max, QuerySet

from batches.disposition import makers, standing
from batches.disposition.actions import Action
from batches.disposition.models import Certificate, Decision
from batches.execution import blockers, states
from batches.execution.models import Batch
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

# After Annex 16, Appendix II; a site with words of its own gives them with each certificate.
STATEMENT = (
    "I certify that this batch was manufactured, tested and checked in compliance with EU GMP and "
    "with the requirements of its marketing authorisation."
)
_REGISTER = 0x51504345  # of the lock that keeps serials without gaps


class NotCertifiable(Refused):
    """Something stands against the certificate; `errors` names all of it."""

    code = "not-certifiable"


class CertifierReleased(Refused):
    """Release and certification are two acts of two people (EU GMP Annex 11, 15)."""

    code = "certifier-released"
    status = 403


class AlreadyCertified(Refused):
    code = "already-certified"


class ImpactNotAssessed(Refused):
    """An unexpected deviation is certified with its impact assessed only (Annex 16, 3)."""

    code = "impact-not-assessed"
    status = 422


def certify(
    batch: Batch, *, confirmed: Confirmed, statement: str = STATEMENT, assessment: str = ""
) -> Certificate:
    """Certify a released batch; raise `NotCertifiable` with everything that stands against it.

    A batch with deviations takes the path of Annex 16, 3: every registered specification met, each
    deviation closed with its impact, and the Qualified Person's own assessment.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.CERTIFY_BATCH)
    words = recording.demand_reason(statement)
    with recording.recording(Action.BATCH_CERTIFIED, actor=actor, at=at, reason=words):
        held = states.take(batch, Step.CERTIFY)
        decision = standing.demand_release(held)
        _demand_second_person(decision, confirmed)
        makers.demand_other(held, actor)
        _demand_not_certified(decision)
        _demand_certifiable(held)
        deviations = _assessed(held, assessment)
        signature = signing.sign(
            held, meaning=Meaning.CERTIFIED, confirmed=confirmed, comment=words
        )
        serial = _next_serial()
        return Certificate.objects.create(
            serial=serial,
            number=f"QPC-{serial:06d}",
            batch=held,
            decision=decision,
            statement=words,
            deviations=deviations,
            assessment=assessment.strip(),
            signature=signature,
            certified_at=at,
        )


def register(*, since: date | None = None, until: date | None = None) -> QuerySet[Certificate]:
    """Return the register, in the order of its numbers; both days included."""
    found = Certificate.objects.select_related(
        "batch__recipe__product", "decision", "signature"
    ).order_by("serial")
    if since:
        found = found.filter(certified_at__date__gte=since)
    return found.filter(certified_at__date__lte=until) if until else found


def _demand_second_person(decision: Decision, confirmed: Confirmed) -> None:
    releases = standing.releases_to(decision)
    if releases.filter(signature__signer=confirmed.signer).exists():
        raise CertifierReleased(
            f"{confirmed.signer} released {decision.batch.number}: another Qualified Person certifies"
        )


def _demand_not_certified(decision: Decision) -> None:
    known = standing.certificate(decision)
    if known is not None:
        raise AlreadyCertified(f"{decision.batch.number} is certified by {known.number} already")


def _demand_certifiable(batch: Batch) -> None:
    found = blockers.of(batch)
    if found:
        raise NotCertifiable(
            f"{batch.number} cannot be certified: " + "; ".join(one.text for one in found),
            errors=[{"pointer": "/batch", "code": one.name, "detail": one.text} for one in found],
        )


def _assessed(batch: Batch, assessment: str) -> list[canonical.Value]:
    found: Sequence[Deviation] = list(batch.deviations.order_by("number"))
    if found and len(assessment.strip()) < 20:
        raise ImpactNotAssessed(
            f"{batch.number} has deviations ({', '.join(one.number for one in found)}): say in 20 "
            "characters or more why they do not harm quality, safety and efficacy"
        )
    if without := [one.number for one in found if not one.impact.strip()]:
        raise ImpactNotAssessed(f"the impact of {', '.join(without)} is not assessed")
    return [
        {"number": one.number, "impact": one.impact, "conclusion": one.conclusion} for one in found
    ]


def _next_serial() -> int:
    """Return the next number of the register; whoever comes second waits for the first's commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REGISTER])
    last = Certificate.objects.aggregate(last=Max("serial"))["last"]
    return int(last or 0) + 1
