"""Lead an OOS investigation through Phase I and Phase II (FDA, OOS guidance III to IV)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from batches.laboratory import oos as investigations
from batches.laboratory.actions import Action
from batches.laboratory.models import CauseCategory, OosInvestigation, OosState
from batches.laboratory.oos import OosIncomplete
from batches.laboratory.states import OosStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording

# What the laboratory looks at in Phase I, in the order of the guidance (III.B).
CHECKLIST: dict[str, str] = {
    "method": "The analyst is trained and followed the right method",
    "raw-data": "Raw data and chromatograms were examined; nothing is anomalous or left out",
    "calculation": "Calculations and transcriptions are right",
    "instrument": "The instrument performed, was calibrated and passed its suitability",
    "standards": "Standards, reagents and solvents met their specifications and were in date",
    "method-performance": "The method performed as in its validation and in the past",
    "preparations": "The preparations were retained and examined",
    "sample": "The right sample was tested, and was handled and stored as it must be",
}
ANSWERS = ("yes", "no", "not-applicable")


@dataclass(frozen=True)
class PhaseOne:
    """What the laboratory's investigation found; `checklist` has (answer, remark) by item."""

    checklist: Mapping[str, tuple[str, str]]
    is_preparation_retained: bool
    interview: str


@dataclass(frozen=True)
class Cause:
    """An assignable cause in the laboratory, with what shows it."""

    category: CauseCategory
    text: str
    evidence: str


def record_phase_one(
    oos: OosInvestigation, *, found: PhaseOne, actor: User, at: datetime, reason: str
) -> OosInvestigation:
    """Record or amend Phase I; every earlier text stays in the trail."""
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.OOS_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = investigations.take(oos, OosStep.RECORD_PHASE_ONE)
        investigations.demand_not_analyst(locked, actor)
        locked.investigator = actor
        locked.checklist = _answered(found.checklist)
        locked.is_preparation_retained = found.is_preparation_retained
        locked.interview = found.interview.strip()
        locked.save(
            update_fields=["investigator", "checklist", "is_preparation_retained", "interview"]
        )
    return locked


def close_phase_one(
    oos: OosInvestigation, *, cause: Cause | None, confirmed: Confirmed
) -> OosInvestigation:
    """Close Phase I by signature: with an assignable cause and its evidence, or into Phase II."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    with recording.recording(
        Action.OOS_INVESTIGATED, actor=actor, at=at, reason=f"Phase I of {oos} is closed"
    ):
        locked = investigations.take(oos, OosStep.CLOSE_PHASE_ONE)
        investigations.demand_not_analyst(locked, actor)
        _demand_phase_one_whole(locked)
        _set_cause(locked, cause)
        locked.state = OosState.CAUSE_FOUND if cause else OosState.PHASE_TWO
        locked.phase_one_closed_at = at
        locked.save()
        signing.sign(locked, meaning=Meaning.INVESTIGATED, confirmed=confirmed, comment="Phase I")
    return locked


def find_cause(oos: OosInvestigation, *, cause: Cause, confirmed: Confirmed) -> OosInvestigation:
    """Record an assignable cause that Phase II brought to light, by signature."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    with recording.recording(
        Action.OOS_INVESTIGATED, actor=actor, at=at, reason=f"a cause of {oos} was found"
    ):
        locked = investigations.take(oos, OosStep.FIND_CAUSE)
        investigations.demand_not_analyst(locked, actor)
        _set_cause(locked, cause)
        locked.state = OosState.CAUSE_FOUND
        locked.save()
        signing.sign(locked, meaning=Meaning.INVESTIGATED, confirmed=confirmed, comment="cause")
    return locked


def review_production(
    oos: OosInvestigation, *, text: str, actor: User, at: datetime, reason: str
) -> OosInvestigation:
    """Record what the review of production found; Phase II is not concluded without it (IV.A)."""
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    words = recording.demand_reason(reason)
    if len(text.strip()) < 20:
        raise OosIncomplete("a production review says in 20 characters or more what was looked at")
    with recording.recording(Action.OOS_INVESTIGATED, actor=actor, at=at, reason=words):
        locked = investigations.take(oos, OosStep.REVIEW_PRODUCTION)
        locked.production_review = text.strip()
        locked.save(update_fields=["production_review"])
    return locked


def _answered(checklist: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Return the answers as they are stored; raise `OosIncomplete` for unknown or mute ones."""
    for item, (answer, remark) in checklist.items():
        if item not in CHECKLIST or answer not in ANSWERS:
            raise OosIncomplete(f"“{item}: {answer}” is no answer of the checklist of Phase I")
        if answer != "yes" and len(remark.strip()) < 8:
            raise OosIncomplete(f"{item}: an answer other than yes needs a remark")
    return {item: [answer, remark.strip()] for item, (answer, remark) in checklist.items()}


def _demand_phase_one_whole(oos: OosInvestigation) -> None:
    missing = [text for item, text in CHECKLIST.items() if item not in oos.checklist]
    if oos.is_preparation_retained is None:
        missing.append("whether the original preparation is retained")
    if len(oos.interview) < 8:
        missing.append("the interview of the analyst")
    if missing:
        raise OosIncomplete(f"Phase I of {oos} lacks: {'; '.join(missing)}")


def _set_cause(oos: OosInvestigation, cause: Cause | None) -> None:
    oos.has_cause = cause is not None
    if cause is None:
        return
    if (
        cause.category == CauseCategory.NONE
        or len(cause.text.strip()) < 20
        or len(cause.evidence.strip()) < 20
    ):
        raise OosIncomplete(
            "an assignable cause is one in the laboratory, said in 20 characters or more, with "
            "evidence of as many: a supposition, or a passing retest, is none"
        )
    oos.cause_category = cause.category
    oos.cause, oos.cause_evidence = cause.text.strip(), cause.evidence.strip()
