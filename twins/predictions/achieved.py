"""Count how a version of a twin does in use: the alarm policy is a contract (Annex 22 draft, 10)."""

from dataclasses import dataclass

from compliance.quality.models import Origin
from twins.hub.models import ModelVersion, Qualification, QualificationState
from twins.models.qualification.proportions import Interval, at_least, clopper_pearson
from twins.predictions import watched
from twins.predictions.models import Alert


@dataclass(frozen=True)
class Rate:
    """A count of batches among others, with the exact interval of its share (95 %)."""

    count: int
    of: int

    @property
    def interval(self) -> Interval | None:
        """Return the interval of Clopper and Pearson; None of no batch at all."""
        return clopper_pearson(self.count, self.of) if self.of else None


@dataclass(frozen=True)
class Achieved:
    """What came of the batches of a version whose outcome is known.

    A normal batch has no deviation; a deviation is detected when an alert of the version was raised
    before it was opened. `contract` is the share of normal batches that may have an alarm, of the
    protocol that qualified the version; `chance` how likely so many false alarms, or more, are while
    it holds.
    """

    is_trial: bool
    false_alarms: Rate
    detected: Rate
    contract: float | None
    chance: float | None


def of(version: ModelVersion) -> list[Achieved]:
    """Return what a version achieved for GMP, and before that as a trial; only what there is."""
    return [
        found
        for is_trial in (False, True)
        if (found := _achieved(version, is_trial=is_trial)) is not None
    ]


def _achieved(version: ModelVersion, *, is_trial: bool) -> Achieved | None:
    batches = watched.known(version, is_trial=is_trial).prefetch_related("deviations")
    alerts: dict[int, list[Alert]] = {}
    for alert in Alert.objects.filter(
        prediction__model_version=version, is_trial=is_trial, batch__in=batches
    ):
        alerts.setdefault(alert.batch_id, []).append(alert)
    normal = false = events = detected = 0
    for batch in batches:
        raised = [one.raised_at for one in alerts.get(batch.pk, ())]
        # A deviation of the watch over models is about the model, not about the batch.
        opened = [one.opened_at for one in batch.deviations.all() if one.origin != Origin.WATCH]
        if opened:
            events += 1
            detected += bool(raised) and min(raised) <= min(opened)
        else:
            normal += 1
            false += bool(raised)
    if not normal + events:
        return None
    contract = _contract(version)
    return Achieved(
        is_trial=is_trial,
        false_alarms=Rate(false, normal),
        detected=Rate(detected, events),
        contract=contract,
        chance=at_least(false, normal, contract) if contract is not None and normal else None,
    )


def _contract(version: ModelVersion) -> float | None:
    passed = Qualification.objects.filter(version=version, state=QualificationState.PASSED)
    newest = passed.order_by("-pk").first()
    return float(newest.false_alarm_contract) if newest else None
