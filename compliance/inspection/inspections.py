"""Request, run and replay inspections: each is a record, and says what it read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from compliance import numbering
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.inspection import engine, rule_packs, scopes, snapshots
from compliance.inspection.actions import Action
from compliance.inspection.engine import Assessment
from compliance.inspection.models import (
    CheckResult,
    Inspection,
    InspectionState,
    Profile,
    Verdict,
)
from compliance.inspection.snapshots import Extent
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System

# A run that takes longer than this lost its worker; another may take it over.
LOST_AFTER = timedelta(minutes=15)
_INSPECTOR = System("simulated inspector")


class BatchUnknown(Refused):
    code = "batch-unknown"
    status = 422


class InspectionNotFinished(Refused):
    code = "inspection-not-finished"


@dataclass(frozen=True)
class Replay:
    """Whether the same records gave the same findings, and where not, which differ."""

    records_unchanged: bool
    pack_unchanged: bool
    differing: tuple[str, ...]

    @property
    def identical(self) -> bool:
        return self.records_unchanged and self.pack_unchanged and not self.differing


def request(
    *, profile: Profile, scope: Sequence[str], actor: Principal, at: datetime
) -> Inspection:
    """Ask for an inspection of some batches, of all when none is named; raise `BatchUnknown`."""
    authority.demand(actor, Duty.INSPECT)
    numbers = tuple(sorted(set(scope)))
    if missing := sorted(set(numbers) - scopes.known(numbers)):
        raise BatchUnknown(
            f"no batch of this site has the number {', '.join(missing)}",
            errors=[
                {"pointer": "/batches", "code": "unknown", "detail": number} for number in missing
            ],
        )
    reason = f"inspection of {', '.join(numbers) or 'every batch'}"
    with recording.recording(Action.INSPECTION_REQUESTED, actor=actor, at=at, reason=reason[:500]):
        return Inspection.objects.create(
            number=numbering.next_number(Inspection, prefix="INS", at=at),
            profile=profile,
            scope=list(numbers),
            requested_by=actor.trail_identity().name,
            requested_at=at,
        )


def claim(inspection: Inspection, *, at: datetime) -> bool:
    """Take a requested inspection, or one whose worker was lost; False when somebody else has it."""
    with recording.recording(
        Action.INSPECTION_STARTED, actor=_INSPECTOR, at=at, reason=f"run of {inspection.number}"
    ):
        taken = Inspection.objects.filter(
            Q(state=InspectionState.REQUESTED)
            | Q(state=InspectionState.RUNNING, as_of__lt=at - LOST_AFTER),
            pk=inspection.pk,
        ).update(state=InspectionState.RUNNING, as_of=at)
    inspection.refresh_from_db()
    return taken == 1


def run(inspection: Inspection, *, at: datetime) -> Inspection:
    """Claim an inspection, read everything in one state, and store what was found.

    What another run has claimed or finished is left as it is.
    """
    if not claim(inspection, at=at):
        return inspection
    try:
        with snapshots.frozen(scope=inspection.scope, as_of=at) as snapshot:
            assessment = engine.assess(
                snapshot, profile=Profile(inspection.profile), repeats=repeats(inspection)
            )
    except Exception:
        _fail(inspection, at=at)
        raise
    return finish(inspection, assessment=assessment, at=at)


def finish(inspection: Inspection, *, assessment: Assessment, at: datetime) -> Inspection:
    """Store an assessment and its results as one act."""
    with recording.recording(
        Action.INSPECTION_FINISHED, actor=_INSPECTOR, at=at, reason=f"result of {inspection.number}"
    ):
        finished = Inspection.objects.filter(
            pk=inspection.pk, state=InspectionState.RUNNING, as_of=assessment.snapshot.as_of
        ).update(
            state=InspectionState.FINISHED,
            finished_at=at,
            tree_size=assessment.snapshot.extent.tree_size,
            last_entry=assessment.snapshot.extent.last_entry,
            snapshot_digest=assessment.snapshot.digest,
            rule_pack=assessment.pack,
            grade=assessment.grade,
            checks_assessed=assessment.assessed,
            checks_total=len(assessment.results),
            summary=assessment.summary,
        )
        if finished:  # else a later run took over from this one, which was thought lost
            CheckResult.objects.bulk_create(
                CheckResult(inspection=inspection, **asdict(result))
                for result in assessment.results
            )
    inspection.refresh_from_db()
    return inspection


def repeats(inspection: Inspection) -> dict[str, str]:
    """Return, by check, the number of the inspection just before that had the same finding.

    Before means: finished, same scope, and so long ago that the site had time to respond (the
    pack's `repeat_after_days`). A repeat is upgraded (TGA, PIC/S).
    """
    since = timedelta(days=rule_packs.load().classification["repeat_after_days"])
    former = (
        Inspection.objects.filter(
            state=InspectionState.FINISHED,
            scope=inspection.scope,
            requested_at__lte=inspection.requested_at - since,
        )
        .order_by("-pk")
        .first()
    )
    if former is None:
        return {}
    found = former.results.filter(verdict=Verdict.FINDING).values_list("check_id", flat=True)
    return dict.fromkeys(found, former.number)


def replay(inspection: Inspection) -> Replay:
    """Run a finished inspection again over what it read, and compare every stored value."""
    if inspection.state != InspectionState.FINISHED or inspection.as_of is None:
        raise InspectionNotFinished(
            f"{inspection.number} is not finished; there is nothing to repeat"
        )
    extent = Extent(inspection.tree_size or 0, inspection.last_entry or 0)
    with snapshots.frozen(
        scope=inspection.scope, as_of=inspection.as_of, extent=extent
    ) as snapshot:
        again = engine.assess(
            snapshot, profile=Profile(inspection.profile), repeats=repeats(inspection)
        )
    stored = {result.check_id: _stored(result) for result in inspection.results.order_by("order")}
    repeated = {result.check_id: asdict(result) for result in again.results}
    differing = sorted(
        check_id
        for check_id in stored.keys() | repeated.keys()
        if stored.get(check_id) != repeated.get(check_id)
    )
    return Replay(
        records_unchanged=snapshot.digest == inspection.snapshot_digest,
        pack_unchanged=rule_packs.load().label == inspection.rule_pack,
        differing=tuple(differing),
    )


def _stored(result: CheckResult) -> Mapping[str, object]:
    return {name: getattr(result, name) for name in engine.Result.__dataclass_fields__}


def _fail(inspection: Inspection, *, at: datetime) -> None:
    with recording.recording(
        Action.INSPECTION_FAILED, actor=_INSPECTOR, at=at, reason=f"failure of {inspection.number}"
    ):
        Inspection.objects.filter(pk=inspection.pk, state=InspectionState.RUNNING, as_of=at).update(
            state=InspectionState.FAILED, finished_at=at
        )
