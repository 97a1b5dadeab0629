"""Classify deviations by a rule that is written down, with a rationale (EU GMP 1.4(xiv))."""

from dataclasses import dataclass
from datetime import datetime

from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import Classification, Deviation, Severity
from compliance.quality.states import DEVIATION, OfDeviation
from compliance.refusals import Refused
from compliance.trail import recording

RULE = "1"
_RANK = {Severity.MINOR: 0, Severity.MAJOR: 1, Severity.CRITICAL: 2}
_LEAST_BELOW = 60


class ClassificationBelowRule(Refused):
    """A severity below what the rule gives needs more than a word."""

    code = "classification-below-rule"
    status = 422


@dataclass(frozen=True)
class Answers:
    """The questions of the rule, answered yes or no."""

    harms_patient: bool = False  # could reach or harm a patient
    is_integrity_in_doubt: bool = False  # records may be false, lost or made up
    touches_cqa: bool = False  # a critical quality attribute is or may be affected
    touches_cpp: bool = False  # a critical process parameter left its proven range
    is_released: bool = False  # product concerned has left the control of the site
    breaks_procedure: bool = False  # an approved procedure was not followed


def by_rule(answers: Answers) -> Severity:
    """Return the severity that rule 1 gives."""
    if answers.harms_patient or answers.is_integrity_in_doubt:
        return Severity.CRITICAL
    if answers.touches_cqa and answers.is_released:
        return Severity.CRITICAL
    if answers.touches_cqa or answers.touches_cpp or answers.is_released:
        return Severity.MAJOR
    return Severity.MINOR


def classify(
    deviation: Deviation, *, answers: Answers, rationale: str, actor: User, at: datetime,
    severity: Severity | None = None,
) -> Classification:  # fmt: skip
    """Classify, or classify anew, by the rule; `severity` only where quality departs from it.

    Below the rule takes a rationale of 60 characters, for the inspector who will ask. A severity
    that changes takes the signatures under the deviation with it.
    """
    DEVIATION.permit(actor, OfDeviation.CLASSIFY)
    text = recording.demand_reason(rationale)
    rule = by_rule(answers)
    given = severity or rule
    if _RANK[given] < _RANK[rule] and len(text) < _LEAST_BELOW:
        raise ClassificationBelowRule(
            f"the rule gives “{rule.label}”: to classify {deviation.number} as "
            f"“{given.label}” takes a rationale of {_LEAST_BELOW} characters or more"
        )
    with recording.recording(Action.DEVIATION_CLASSIFIED, actor=actor, at=at, reason=text):
        held = DEVIATION.take(deviation, OfDeviation.CLASSIFY)
        made = Classification.objects.create(
            deviation=held, rule=RULE, answers=vars(answers), by_rule=rule, severity=given,
            rationale=text, made_by=actor, made_at=at,
        )  # fmt: skip
        if held.severity != given:
            held.severity = given
            held.save(update_fields=["severity"])
    return made
