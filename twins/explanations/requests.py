"""Ask for the explanation of an alert: of the rows that raised it, or of the newest."""

from datetime import datetime

from django.db.models import Q

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.trail.recording import System
from twins.explanations import offers
from twins.explanations.actions import Action
from twins.explanations.models import Explanation, ExplanationState
from twins.hub import versions
from twins.predictions import explainable
from twins.predictions.asked import rooms
from twins.predictions.asked.rooms import Acts, Refusals, Room
from twins.predictions.models import Alert, AlertState, Prediction


class NothingToExplainFrom(Refused):
    """No prediction of the installed twin has been made since the alert."""

    code = "explanation-without-prediction"


class ExplanationCurrent(Refused):
    """There is an explanation of the newest rows already, or somebody has asked for it."""

    code = "explanation-current"


class WorkersDied(Refused):
    """The workers that took it died again and again."""

    code = "explanation-workers-died"


class ExplanationClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "explanation-claim-lost"


class ExplanationTooSlow(Refused):
    """It took longer than a worker may give to it."""

    code = "explanation-too-slow"


class ExplanationBroken(Refused):
    """The explaining model raised an error that is none of its refusals."""

    code = "explanation-broken"


class ExplanationNotReplayable(Refused):
    """The request has no answer to compare with."""

    code = "explanation-not-replayable"


ROOM = Room(
    "explanation",
    Explanation,
    System("explanation worker"),
    Acts(
        Action.EXPLANATION_REQUESTED, Action.EXPLANATION_CLAIMED, Action.EXPLANATION_GIVEN,
        Action.EXPLANATION_REFUSED,
    ),
    Refusals(
        ExplanationCurrent, WorkersDied, ExplanationClaimLost, ExplanationTooSlow, ExplanationBroken,
        ExplanationNotReplayable,
    ),
    seen="rows",
    failed=ExplanationState.NOT_EXPLAINED,
    runs="twins.explanations.runs",
)  # fmt: skip


def by_person(alert: Alert, *, actor: Principal, at: datetime) -> Explanation:
    """Ask for an explanation of the newest rows; raise `ExplanationCurrent` when there is one.

    Raise `NotPermitted`, `ExplanationNotOffered` or `NothingToExplainFrom` too.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    offers.demand(alert)
    return ROOM.by_person(alert, _newest(alert), seed=explainable.SEED, actor=actor, at=at)


def for_alert(alert: Alert, *, at: datetime) -> Explanation:
    """Ask for the first explanation of a new alert, of the rows that raised it; once."""
    offers.demand(alert)
    if first := ROOM.first(alert):
        return first
    if not versions.is_installed(alert.prediction.model_version):
        raise NothingToExplainFrom(f"the twin that raised alert {alert.pk} is not installed")
    return ROOM.for_alert(alert, alert.prediction, seed=explainable.SEED, at=at)


def without(*, at_most: int) -> list[Alert]:
    """Return alerts that nobody has asked to explain: open ones, or those of an open deviation.

    An alert that was answered before a worker came is explained all the same: somebody investigates.
    """
    asked_of = Q(state=AlertState.OPEN) | Q(deviation__in=Deviation.objects.unsettled())
    found = offers.offered().filter(asked_of, explanations=None)
    return list(found.select_related("prediction__model_version").order_by("-pk")[:at_most])


def _newest(alert: Alert) -> Prediction:
    """Return the newest prediction since the alert whose version is the one installed here.

    Not one of a moment after the end of the batch: its rows would go on where the batch did not.
    """
    name, ended_at = alert.prediction.model_version.name, alert.batch.ended_at
    until = Q() if ended_at is None else Q(as_of__lte=ended_at)
    if found := rooms.newest(alert, Prediction.objects.filter(until, model_version__name=name)):
        return found
    raise NothingToExplainFrom(
        f"no prediction of the installed {name} since alert {alert.pk}: an explanation comes with the "
        "next one"
    )
