"""Ask for advice on an alert, and claim the run, so that two workers never both count."""

from datetime import datetime
from itertools import islice

from django.db.models import Q

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System
from twins.advice import terms
from twins.advice.actions import Action
from twins.advice.models import Proposal, ProposalState
from twins.hub import versions
from twins.predictions import leases
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState

WORKER = System("advice worker")
# What its workers died of so often is not tried again by itself: it may be what kills them.
MOST_ATTEMPTS = 6


class NothingToAdviseOn(Refused):
    """No forecast of the installed version has been made since the alert."""

    code = "nothing-to-advise-on"


class AdviceCurrent(Refused):
    """There is advice from the newest forecast already, or somebody has asked for it."""

    code = "advice-current"


class AdviceWorkersDied(Refused):
    """The workers that took it died again and again."""

    code = "advice-workers-died"


def by_person(alert: Alert, *, actor: Principal, at: datetime) -> Proposal:
    """Ask for advice from the newest forecast; raise `AdviceCurrent` when there is some.

    Raise `NotPermitted`, `AdviceNotOffered`, `TwinSettingsInvalid`, `NothingToAdviseOn` or
    `VersionRetired` too.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    proposal, is_new = _requested(alert, actor=actor, at=at)
    if not is_new:
        raise AdviceCurrent(
            f"{proposal} is from the newest forecast, as of "
            f"{proposal.prediction.as_of:%Y-%m-%d %H:%M} UTC, and was asked for by "
            f"{proposal.requested_by}: wait for it, or for the next forecast"
        )
    return proposal


def for_alert(alert: Alert, *, at: datetime) -> Proposal:
    """Ask for the first advice on a new alert; the same one when somebody has asked already."""
    first = alert.proposals.order_by("pk").first()
    return first or _requested(alert, actor=WORKER, at=at)[0]


def claim(proposal: Proposal, *, at: datetime) -> bool:
    """Take the run of a request, or of one whose worker died; False when somebody else has it."""
    with recording.recording(
        Action.ADVICE_CLAIMED, actor=WORKER, at=at, reason=f"run of {proposal}"
    ):
        return leases.take(
            proposal,
            at=at,
            free=(ProposalState.REQUESTED,),
            also={"attempts": proposal.attempts + 1},
        )


def left_behind(*, at: datetime) -> list[Proposal]:
    """Return what was asked for and lost, or claimed by a worker that died."""
    # A request that nobody has claimed for as long as a lease lasts was lost, or waits its turn.
    lost = Q(state=ProposalState.REQUESTED, requested_at__lt=at - leases.STALE_AFTER)
    return list(
        Proposal.objects.filter(lost | leases.ran_out(at=at), attempts__lt=MOST_ATTEMPTS)
        .defer("input", "output")
        .order_by("pk")
    )


def give_up(*, at: datetime) -> int:
    """End what its workers died of too often; return how many."""
    given_up = 0
    dead = Proposal.objects.filter(leases.ran_out(at=at), attempts__gte=MOST_ATTEMPTS)
    for pk in dead.order_by("pk").values_list("pk", flat=True):
        problem = f"Its worker died {MOST_ATTEMPTS} times: it may need too much time or memory."
        with recording.recording(
            Action.ADVICE_FAILED, actor=WORKER, at=at, reason="its workers died too often"
        ):
            given_up += dead.filter(pk=pk).update(
                state=ProposalState.FAILED, refusal=AdviceWorkersDied.code, problem=problem,
                finished_at=at,
            )  # fmt: skip
    return given_up


def without(*, at_most: int) -> list[Alert]:
    """Return open alerts that nobody has asked advice for and whose recipe offers it."""
    found = Alert.objects.filter(state=AlertState.OPEN, proposals=None)
    newest = found.select_related("batch__recipe").order_by("-pk")
    offered = (one for one in newest if terms.is_asked_for(one.batch.recipe))
    return list(islice(offered, at_most))


def _requested(alert: Alert, *, actor: Actor, at: datetime) -> tuple[Proposal, bool]:
    terms.of(alert.batch.recipe)
    prediction = _newest(alert)
    with recording.recording(
        Action.ADVICE_REQUESTED,
        actor=actor,
        at=at,
        reason=f"alert {alert.pk}, forecast as of {prediction.as_of:%Y-%m-%d %H:%M} UTC",
    ):
        # Two who ask at once: the unique constraint decides who was first.
        return Proposal.objects.exclude(state=ProposalState.FAILED).get_or_create(
            alert=alert,
            prediction=prediction,
            defaults={
                "state": ProposalState.REQUESTED,
                "requested_by": actor.trail_identity().name,
                "requested_at": at,
                "seed": prediction.seed,
                "is_trial": prediction.is_trial,
            },
        )


def _newest(alert: Alert) -> Prediction:
    """Return the newest forecast since the alert whose version is the one installed here, in use."""
    made = Prediction.objects.filter(
        batch=alert.batch_id,
        state=PredictionState.DONE,
        status="forecast",
        as_of__gte=alert.prediction.as_of,
    ).select_related("model_version")
    for prediction in made.defer("input", "output").order_by("-as_of", "-pk"):
        if versions.is_installed(prediction.model_version):
            versions.demand_in_use(prediction.model_version)
            return prediction
    raise NothingToAdviseOn(
        f"no forecast of the installed twin since alert {alert.pk}: advice comes with the next one"
    )
