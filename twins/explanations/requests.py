"""Ask for the explanation of an alert, and claim the run, so that two workers never both count."""

from datetime import datetime

from django.db.models import Q

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System
from twins.explanations import offers
from twins.explanations.actions import Action
from twins.explanations.models import Explanation, ExplanationState
from twins.hub import versions
from twins.predictions import explainable, leases
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState

WORKER = System("explanation worker")
# What its workers died of so often is not tried again by itself: it may be what kills them.
MOST_ATTEMPTS = 6


class NothingToExplainFrom(Refused):
    """No prediction of the installed twin has been made since the alert."""

    code = "explanation-without-prediction"


class ExplanationCurrent(Refused):
    """There is an explanation of the newest rows already, or somebody has asked for it."""

    code = "explanation-current"


class WorkersDied(Refused):
    """The workers that took it died again and again."""

    code = "explanation-workers-died"


def by_person(alert: Alert, *, actor: Principal, at: datetime) -> Explanation:
    """Ask for an explanation of the newest rows; raise `ExplanationCurrent` when there is one.

    Raise `NotPermitted`, `ExplanationNotOffered` or `NothingToExplainFrom` too.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    offers.demand(alert)
    explanation, is_new = _requested(alert, _newest(alert), actor=actor, at=at)
    if not is_new:
        raise ExplanationCurrent(
            f"{explanation} is of the newest rows, as of "
            f"{explanation.prediction.as_of:%Y-%m-%d %H:%M} UTC, and was asked for by "
            f"{explanation.requested_by}: wait for it, or for the next prediction"
        )
    return explanation


def for_alert(alert: Alert, *, at: datetime) -> Explanation:
    """Ask for the first explanation of a new alert, of the rows that raised it; once."""
    offers.demand(alert)
    first = alert.explanations.order_by("pk").first()
    if first is not None:
        return first
    if not versions.is_installed(alert.prediction.model_version):
        raise NothingToExplainFrom(f"the twin that raised alert {alert.pk} is not installed")
    return _requested(alert, alert.prediction, actor=WORKER, at=at)[0]


def claim(explanation: Explanation, *, at: datetime) -> bool:
    """Take the run of a request, or of one whose worker died; False when somebody else has it."""
    with recording.recording(
        Action.EXPLANATION_CLAIMED, actor=WORKER, at=at, reason=f"run of {explanation}"
    ):
        return leases.take(
            explanation, at=at, free=(ExplanationState.REQUESTED,),
            also={"attempts": explanation.attempts + 1},
        )  # fmt: skip


def left_behind(*, at: datetime) -> list[Explanation]:
    """Return what was asked for and lost, or claimed by a worker that died."""
    # A request that nobody has claimed for as long as a lease lasts was lost, or waits its turn.
    lost = Q(state=ExplanationState.REQUESTED, requested_at__lt=at - leases.STALE_AFTER)
    return list(
        Explanation.objects.filter(lost | leases.ran_out(at=at), attempts__lt=MOST_ATTEMPTS)
        .defer("input", "output")
        .order_by("pk")
    )


def give_up(*, at: datetime) -> int:
    """End what its workers died of too often; return how many."""
    given_up = 0
    dead = Explanation.objects.filter(leases.ran_out(at=at), attempts__gte=MOST_ATTEMPTS)
    for pk in dead.order_by("pk").values_list("pk", flat=True):
        problem = f"Its worker died {MOST_ATTEMPTS} times: it may need too much time or memory."
        with recording.recording(
            Action.EXPLANATION_REFUSED, actor=WORKER, at=at, reason="its workers died too often"
        ):
            given_up += dead.filter(pk=pk).update(
                state=ExplanationState.NOT_EXPLAINED, refusal=WorkersDied.code, problem=problem,
                finished_at=at,
            )  # fmt: skip
    return given_up


def without(*, at_most: int) -> list[Alert]:
    """Return alerts that nobody has asked to explain: open ones, or those of an open deviation.

    An alert that was answered before a worker came is explained all the same: somebody investigates.
    """
    asked_of = Q(state=AlertState.OPEN) | Q(deviation__in=Deviation.objects.unsettled())
    found = offers.offered().filter(asked_of, explanations=None)
    return list(found.select_related("prediction__model_version").order_by("-pk")[:at_most])


def _requested(
    alert: Alert, prediction: Prediction, *, actor: Actor, at: datetime
) -> tuple[Explanation, bool]:
    with recording.recording(
        Action.EXPLANATION_REQUESTED,
        actor=actor,
        at=at,
        reason=f"alert {alert.pk}, rows as of {prediction.as_of:%Y-%m-%d %H:%M} UTC",
    ):
        # Two who ask at once: the unique constraint decides who was first.
        return Explanation.objects.exclude(state=ExplanationState.NOT_EXPLAINED).get_or_create(
            alert=alert,
            prediction=prediction,
            defaults={
                "state": ExplanationState.REQUESTED,
                "requested_by": actor.trail_identity().name,
                "requested_at": at,
                "seed": explainable.SEED,
                "is_trial": prediction.is_trial,
            },
        )


def _newest(alert: Alert) -> Prediction:
    """Return the newest prediction since the alert whose version is the one installed here.

    Not one of a moment after the end of the batch: its rows would go on where the batch did not.
    """
    name = alert.prediction.model_version.name
    ended_at = alert.batch.ended_at
    until = Q() if ended_at is None else Q(as_of__lte=ended_at)
    made = Prediction.objects.filter(
        until,
        batch=alert.batch_id,
        model_version__name=name,
        state=PredictionState.DONE,
        as_of__gte=alert.prediction.as_of,
    ).select_related("model_version")
    for prediction in made.defer("input", "output").order_by("-as_of", "-pk"):
        if versions.is_installed(prediction.model_version):
            return prediction
    raise NothingToExplainFrom(
        f"no prediction of the installed {name} since alert {alert.pk}: an explanation comes with the "
        "next one"
    )
