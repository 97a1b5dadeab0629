"""Run sequences on instruments, from their start to their review (21 CFR 211.194(a))."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from batches.laboratory import orphans, readiness, reagents, states
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    InjectionKind,
    InjectionOutcome,
    Reagent,
    Run,
    RunReagent,
    RunState,
    SequenceNote,
    Suitability,
)
from batches.laboratory.states import RunStep
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class RunInvalid(Refused):
    code = "run-invalid"
    status = 422


class SuitabilityNotShown(Refused):
    """System suitability needs every one of its injections; none is left out."""

    code = "suitability-not-shown"


class ReviewerIsAnalyst(Refused):
    """A second person reviews (21 CFR 211.194(a)(8))."""

    code = "reviewer-is-analyst"


class DataUnexplained(Refused):
    """The sequence has gaps, or there are raw data that no injection names."""

    code = "orphan-data"


class TrailNotSeen(Refused):
    """The audit trail went on since the reviewer looked at it (PI 041 9.6)."""

    code = "trail-not-seen"


def start(
    *, instrument: str, method_code: str, method_version: str, planned_injections: int,
    started_at: datetime, actor: User, at: datetime, used: Sequence[Reagent] = (),
) -> Run:  # fmt: skip
    """Start a run; whoever starts it is its analyst."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    if not instrument.strip() or not method_code.strip() or not method_version.strip():
        raise RunInvalid("a run names its instrument, its method and the method's version")
    if planned_injections < 1 or started_at > at:
        raise RunInvalid("a run has at least one planned injection and has started by now")
    readiness.demand_trained(actor, method_code=method_code.strip(), at=started_at)
    equipment = readiness.usable_instrument(instrument.strip(), at=started_at)
    for reagent in used:
        reagents.demand_usable(reagent, on=started_at.date())
    with recording.recording(
        Action.RUN_STARTED, actor=actor, at=at, reason=f"run on {instrument} by {method_code}"
    ):
        run = Run.objects.create(
            number=numbering.next_number(Run, prefix="RUN", at=at),
            instrument=instrument.strip(),
            equipment=equipment,
            method_code=method_code.strip(),
            method_version=method_version.strip(),
            analyst=actor,
            planned_injections=planned_injections,
            started_at=started_at,
        )
        RunReagent.objects.bulk_create(RunReagent(run=run, reagent=one) for one in used)
    return run


def add_reagent(run: Run, *, reagent: Reagent, actor: User, at: datetime) -> RunReagent:
    """Record that a run uses a lot, which must be in date at the run's start."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    with recording.recording(
        Action.RUN_CHANGED, actor=actor, at=at, reason=f"{run} uses {reagent}"
    ):
        locked = take(run, RunStep.ADD_REAGENT)
        reagents.demand_usable(reagent, on=locked.started_at.date())
        if RunReagent.objects.filter(run=locked, reagent=reagent).exists():
            raise RunInvalid(f"{locked} uses {reagent} already")
        return RunReagent.objects.create(run=locked, reagent=reagent)


def judge_suitability(run: Run, *, has_passed: bool, text: str, actor: User, at: datetime) -> Run:
    """Record once whether the system suitability passed, by which criteria."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    criteria = recording.demand_reason(text)
    with recording.recording(Action.RUN_CHANGED, actor=actor, at=at, reason=criteria):
        locked = take(run, RunStep.JUDGE)
        if locked.suitability:
            raise states.RunStateForbids(f"the system suitability of {locked} is judged already")
        if has_passed:
            _demand_all_suitable(locked)
        locked.suitability = Suitability.PASSED if has_passed else Suitability.FAILED
        locked.suitability_text = criteria
        locked.save(update_fields=["suitability", "suitability_text"])
    return locked


def _demand_all_suitable(run: Run) -> None:
    outcomes = list(
        run.injections.filter(kind=InjectionKind.SUITABILITY).values_list("outcome", flat=True)
    )
    if not outcomes or any(one != InjectionOutcome.COMPLETED for one in outcomes):
        raise SuitabilityNotShown(
            f"{run} has {len(outcomes)} suitability injections, and "
            f"{sum(one != InjectionOutcome.COMPLETED for one in outcomes)} of them are aborted or "
            "invalid: it passes with all of them completed; else judge it failed and start anew"
        )


def complete(run: Run, *, ended_at: datetime, actor: User, at: datetime) -> Run:
    authority.demand(actor, Duty.ENTER_RESULTS)
    return _end(run, RunStep.COMPLETE, ended_at=ended_at, actor=actor, at=at, reason=f"{run} ended")


def abort(run: Run, *, ended_at: datetime, actor: User, at: datetime, reason: str) -> Run:
    """Abort a run; its injections stay, and it is reviewed like any other."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    return _end(run, RunStep.ABORT, ended_at=ended_at, actor=actor, at=at, reason=text)


def _end(
    run: Run, step: RunStep, *, ended_at: datetime, actor: User, at: datetime, reason: str
) -> Run:
    if ended_at > at or ended_at < run.started_at:
        raise RunInvalid(f"{run} ends after its start, and not in the future")
    with recording.recording(Action.RUN_CHANGED, actor=actor, at=at, reason=reason):
        locked = take(run, step)
        locked.was_aborted = step == RunStep.ABORT
        locked.state = RunState.ABORTED if locked.was_aborted else RunState.COMPLETED
        locked.ended_at = ended_at
        locked.save(update_fields=["state", "ended_at", "was_aborted"])
    return locked


def explain(run: Run, *, orphan: str, text: str, actor: User, at: datetime) -> SequenceNote:
    """Say what a gap or an orphan is; it stays in the list, with the explanation beside it."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    words = recording.demand_reason(text)
    with recording.recording(Action.RUN_CHANGED, actor=actor, at=at, reason=words):
        locked = take(run, RunStep.EXPLAIN)
        if orphan not in {one.name for one in orphans.of(locked) if not one.explanation}:
            raise RunInvalid(f"{locked} has no unexplained “{orphan}”")
        return SequenceNote.objects.create(
            run=locked, orphan=orphan, text=words, written_by=actor, written_at=at
        )


def review(run: Run, *, entries_seen: int, confirmed: Confirmed, comment: str = "") -> Run:
    """Review a run with its audit trail, by signature of a second person.

    `entries_seen` is how many entries of the run's trail the reviewer looked at.
    """
    reviewer, at = confirmed.signer, confirmed.at
    authority.demand(reviewer, Duty.REVIEW_RESULTS)
    with recording.recording(
        Action.RUN_REVIEWED, actor=reviewer, at=at, reason=f"review of {run} and its audit trail"
    ):
        locked = take(run, RunStep.REVIEW)
        if reviewer.pk == locked.analyst_id:
            raise ReviewerIsAnalyst(f"{locked}: its analyst does not review it; ask another person")
        unexplained = [one.name for one in orphans.of(locked) if not one.explanation]
        if unexplained:
            raise DataUnexplained(f"{locked}: explain first: {', '.join(unexplained)}")
        entries = orphans.trail_entries(locked)
        if entries_seen != entries:
            raise TrailNotSeen(
                f"the audit trail of {locked} has {entries} entries, {entries_seen} were seen: "
                "look at it again"
            )
        signing.sign(locked, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=comment)
        locked.state, locked.reviewer, locked.reviewed_at = RunState.REVIEWED, reviewer, at
        locked.reviewed_entries = entries
        locked.save(update_fields=["state", "reviewer", "reviewed_at", "reviewed_entries"])
    return locked


def take(run: Run, step: RunStep) -> Run:
    """Demand the step of the state as stored, and make whoever else needs the run wait."""
    locked = Run.objects.select_for_update().get(pk=run.pk)
    states.demand(locked, locked.state, step)
    return locked


@signing.signable(Run, meanings=[Meaning.REVIEWED])
def content(run: Run) -> Mapping[str, canonical.Value]:
    """What a signature under a run covers: all but its review."""
    return {
        "number": run.number,
        "instrument": run.instrument,
        "method": f"{run.method_code} {run.method_version}",
        "analyst": run.analyst.username,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "was_aborted": run.was_aborted,
        "planned_injections": run.planned_injections,
        "suitability": [run.suitability, run.suitability_text],
        "reagents": [str(one.reagent) for one in _reagents(run)],
        "injections": [
            [one.number, one.kind, str(one.sample or ""), one.outcome, one.reason,
             one.raw_data_digest]
            for one in run.injections.select_related("sample__batch").order_by("number")
        ],
        "notes": [[one.orphan, one.text] for one in run.notes.order_by("pk")],
    }  # fmt: skip


def _reagents(run: Run) -> Sequence[RunReagent]:
    return list(run.reagents.select_related("reagent").order_by("reagent__code", "reagent__lot"))


def take_unlocked(run: Run, step: RunStep) -> Run:
    """Demand the step of the state as stored, outside an act."""
    stored = Run.objects.get(pk=run.pk)
    states.demand(stored, stored.state, step)
    return stored
