"""Ask for advice on an alert, from the newest forecast since it was raised."""

from datetime import datetime
from itertools import islice

from django.db.models import Exists, OuterRef, QuerySet

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail.recording import System
from twins.advice import terms
from twins.advice.actions import Action
from twins.advice.models import Proposal, ProposalState
from twins.hub import versions
from twins.predictions.asked import rooms
from twins.predictions.asked.rooms import Acts, Refusals, Room
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState


class NothingToAdviseOn(Refused):
    """No forecast of the installed version has been made since the alert."""

    code = "nothing-to-advise-on"


class AdviceCurrent(Refused):
    """There is advice from the newest forecast already, or somebody has asked for it."""

    code = "advice-current"


class AdviceWorkersDied(Refused):
    """The workers that took it died again and again."""

    code = "advice-workers-died"


class AdviceClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "advice-claim-lost"


class AdviceTooSlow(Refused):
    """It took longer than a worker may give to it."""

    code = "advice-too-slow"


class AdviceBroken(Refused):
    """The twin raised an error that is none of its refusals."""

    code = "advice-broken"


class AdviceNotReplayable(Refused):
    """The request has no output to compare with."""

    code = "advice-not-replayable"


ROOM = Room(
    "proposal",
    Proposal,
    System("advice worker"),
    Acts(Action.ADVICE_REQUESTED, Action.ADVICE_CLAIMED, Action.ADVICE_GIVEN, Action.ADVICE_FAILED),
    Refusals(
        AdviceCurrent, AdviceWorkersDied, AdviceClaimLost, AdviceTooSlow, AdviceBroken,
        AdviceNotReplayable,
    ),
    seen="forecast",
    failed=ProposalState.FAILED,
    runs="twins.advice.runs",
)  # fmt: skip


def by_person(alert: Alert, *, actor: Principal, at: datetime) -> Proposal:
    """Ask for advice from the newest forecast; raise `AdviceCurrent` when there is some.

    Raise `NotPermitted`, `AdviceNotOffered`, `TwinSettingsInvalid`, `NothingToAdviseOn` or
    `VersionRetired` too.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    forecast = _newest(alert)
    return ROOM.by_person(alert, forecast, seed=forecast.seed, actor=actor, at=at)


def for_alert(alert: Alert, *, at: datetime) -> Proposal:
    """Ask for the first advice on a new alert; the same one when somebody has asked already."""
    if first := ROOM.first(alert):
        return first
    forecast = _newest(alert)
    return ROOM.for_alert(alert, forecast, seed=forecast.seed, at=at)


def without(*, at_most: int) -> list[Alert]:
    """Return open alerts that nobody has asked advice for, though there is what it needs."""
    since = _forecasts().filter(batch=OuterRef("batch"), as_of__gte=OuterRef("prediction__as_of"))
    found = Alert.objects.filter(Exists(since), state=AlertState.OPEN, proposals=None)
    newest = found.select_related("batch__recipe", "prediction").order_by("-pk")
    return list(islice(filter(_can_be_advised_on, newest), at_most))


def _can_be_advised_on(alert: Alert) -> bool:
    try:
        _newest(alert)
    except Refused:
        return False
    return True


def _newest(alert: Alert) -> Prediction:
    """Return the newest forecast since the alert whose version is the one installed here, in use."""
    terms.of(alert.batch.recipe)
    found = rooms.newest(alert, _forecasts())
    if found is None:
        raise NothingToAdviseOn(
            f"no forecast of the installed twin since alert {alert.pk}: advice comes with the next one"
        )
    versions.demand_in_use(found.model_version)
    return found


def _forecasts() -> QuerySet[Prediction]:
    return Prediction.objects.filter(state=PredictionState.DONE, status="forecast")
