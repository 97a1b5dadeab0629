"""Watch over qualified versions: do inputs and outcomes stay as they were when it was qualified?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.access.duties import Duty
from compliance.quality import deviations
from compliance.quality.models import Category, Deviation, Origin, Severity
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from compliance.trail.tlog import canonical
from twins.hub import dossiers
from twins.hub.actions import Action
from twins.hub.models import (
    DriftCheck,
    DriftFinding,
    DriftKind,
    ModelVersion,
    Qualification,
    QualificationState,
    VersionState,
)
from twins.models import documents
from twins.models.qualification import drift
from twins.models.qualification.drift import InputDrift, OutcomeDrift

# So many batches make a window. Windows do not overlap: the stated rate holds for each of them.
WINDOW = 20
FALSE_ALARMS, MISSES = "false alarms", "misses"


class WindowChecked(Refused):
    """Windows do not overlap, or the stated rate of false alarms would not hold."""

    code = "drift-window-checked"


@dataclass(frozen=True)
class Watcher(System):
    """The watch, which opens deviations on models and does nothing else."""

    @property
    def duties(self) -> frozenset[Duty]:
        return frozenset({Duty.OPEN_DEVIATION})


WATCH = Watcher("model watch")


@dataclass(frozen=True)
class Watched:
    """A batch that has ended: the mean of each input, whether there was an event, and an alarm."""

    key: int
    means: Mapping[str, float]
    is_event: bool
    is_alarmed: bool


# A higher room says which batches with a known outcome a version has watched, but for these keys.
Source = Callable[[ModelVersion, frozenset[int]], Sequence[Watched]]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Let a room say what versions have watched; called in AppConfig.ready."""
    if source not in _sources:
        _sources.append(source)


def check_all(*, at: datetime) -> list[DriftCheck]:
    """Check every qualified version for which a window of batches is full."""
    found = []
    for version in ModelVersion.objects.filter(state=VersionState.QUALIFIED).order_by("pk"):
        checked = _checked(version)
        watched = [one for source in _sources for one in source(version, checked)]
        for first in range(0, len(watched) - WINDOW + 1, WINDOW):
            found.append(check(version, watched[first : first + WINDOW], at=at))
    return found


def _checked(version: ModelVersion) -> frozenset[int]:
    found = version.drift_checks.values_list("batches", flat=True)
    return frozenset(key for keys in found for key in keys)


def check(version: ModelVersion, window: Sequence[Watched], *, at: datetime) -> DriftCheck:
    """Compare one window with training data and contract; open a deviation once for each drift.

    The chance of any false alarm in a window is the `drift_alpha` of the signed protocol: half of
    it goes to the inputs, a quarter each to false alarms and misses.
    """
    protocol = Qualification.objects.filter(
        version=version, state=QualificationState.PASSED
    ).latest("pk")
    alpha = float(protocol.drift_alpha)
    inputs = _inputs(version, window, alpha=alpha / 2)
    outcomes = _outcomes(protocol, window, alpha=alpha / 4)
    with recording.recording(
        Action.DRIFT_CHECKED, actor=WATCH, at=at, reason=f"{len(window)} batches of {version}"
    ):
        # Two workers that check at once: the second waits here, and finds the window taken.
        ModelVersion.objects.select_for_update().get(pk=version.pk)
        keys = [one.key for one in window]
        if not _checked(version).isdisjoint(keys):
            raise WindowChecked(f"a batch of this window of {version} has been checked before")
        made = DriftCheck.objects.create(
            version=version,
            number=version.drift_checks.count() + 1,
            batches=list[canonical.Value](keys),
            alpha=protocol.drift_alpha,
            results={"inputs": documents.of(inputs), "outcomes": documents.of(outcomes)},
            checked_at=at,
        )
        _find(made, inputs, outcomes, at=at)
    return made


def _inputs(
    version: ModelVersion, window: Sequence[Watched], *, alpha: float
) -> tuple[InputDrift, ...]:
    trained = dossiers.of(version).batches.order_by("pk").values_list("means", flat=True)
    reference = _columns([{name: float(mean) for name, mean in means} for means in trained])
    seen = _columns([one.means for one in window])
    least = drift.LEAST_BATCHES
    known = {
        name: values
        for name, values in reference.items()
        if len(values) >= least and len(seen.get(name, [])) >= least
    }
    return drift.of_inputs(known, seen, alpha=alpha)


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def _outcomes(
    protocol: Qualification, window: Sequence[Watched], *, alpha: float
) -> tuple[OutcomeDrift, ...]:
    normal = [one for one in window if not one.is_event]
    events = [one for one in window if one.is_event]
    return (
        drift.of_outcome(
            FALSE_ALARMS,
            count=sum(one.is_alarmed for one in normal),
            of=len(normal),
            contract=float(protocol.false_alarm_contract),
            alpha=alpha,
        ),
        drift.of_outcome(
            MISSES,
            count=sum(not one.is_alarmed for one in events),
            of=len(events),
            contract=float(protocol.miss_contract),
            alpha=alpha,
        ),
    )


def _find(
    made: DriftCheck,
    inputs: Sequence[InputDrift],
    outcomes: Sequence[OutcomeDrift],
    *,
    at: datetime,
) -> None:
    for one in inputs:
        if one.is_drift:
            said = (
                f"The mean of {one.name} in the last {len(made.batches)} batches is not distributed as "
                f"in the training data: PSI {one.psi:.3f} (chance {one.chance_psi:.4f}), "
                f"Kolmogorov-Smirnov {one.ks:.3f} (chance {one.chance_ks:.4f})."
            )
            _keep(made, DriftKind.INPUT, one.name, said, at=at)
    for other in outcomes:
        if other.is_drift:
            said = (
                f"There were {other.count} {other.name} in {other.of} batches; the contract allows "
                f"a share of {other.contract:g} (chance of so many {other.chance:.4f})."
            )
            _keep(made, DriftKind.OUTCOME, other.name, said, at=at)


def _keep(made: DriftCheck, kind: DriftKind, name: str, said: str, *, at: datetime) -> None:
    """Note a drift under the deviation that is open for it, or under a new one."""
    known = DriftFinding.objects.filter(version=made.version, kind=kind, name=name)
    last = known.select_related("deviation").order_by("-pk").first()
    deviation = last.deviation if last and last.deviation.is_open else None
    DriftFinding.objects.create(
        found_in=made, version=made.version, kind=kind, name=name,
        deviation=deviation or _open_deviation(made, name, said, at=at),
    )  # fmt: skip


def _open_deviation(made: DriftCheck, name: str, said: str, *, at: datetime) -> Deviation:
    return deviations.open_(
        title=f"Model {made.version.name}: {name} has drifted"[:200],
        description=f"{said} The watch gives a false alarm in {made.alpha} of its windows at most.",
        severity=Severity.MAJOR,
        occurred_at=at,
        actor=WATCH,
        at=at,
        origin=Origin.WATCH,
        category=Category.COMPUTERISED_SYSTEM,
        concerns=f"model {made.version}",
    )
