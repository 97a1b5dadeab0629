"""Carry out approved changes: tasks, the day they take effect, the review after, the closure."""

from datetime import date, datetime

from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.changes import (
    REVIEW_AFTER,
    ChangeIncomplete,
    ChangeNotYours,
    ChangeOwnWork,
    lacking,
)
from compliance.quality.models import Change, ChangeState, ChangeTask
from compliance.quality.states import CHANGE, OfChange
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class ChangeTaskDone(Refused):
    code = "change-task-done"


class ChangeWentAhead(Refused):
    """What was let as an emergency is done already: it is assessed, not withdrawn."""

    code = "change-went-ahead"


class ChangeTooEarly(Refused):
    """Nothing of a change is done before it is approved or let, nor reviewed before its effect."""

    code = "change-too-early"


def finish_task(task: ChangeTask, *, outcome: str, actor: User, at: datetime) -> ChangeTask:
    """Declare a task done, with what came of it; only when the change may be carried out."""
    CHANGE.permit(actor, OfChange.FINISH_TASK)
    text = recording.demand_reason(outcome)
    with recording.recording(Action.CHANGE_TASK_FINISHED, actor=actor, at=at, reason=text):
        held = CHANGE.take(task.change, OfChange.FINISH_TASK)
        if held.state != ChangeState.APPROVED and held.emergency_at is None:
            raise ChangeTooEarly(f"{held.number} is not approved: {', '.join(lacking(held))}")
        stored = ChangeTask.objects.select_for_update().get(pk=task.pk)
        if stored.done_at is not None:
            raise ChangeTaskDone(f"{stored} was done on {stored.done_at:%Y-%m-%d}")
        if actor.pk not in (stored.owner_id, held.requester_id):
            raise ChangeNotYours(f"{stored} is for {stored.owner.username} to finish")
        stored.done_at, stored.outcome = at, text
        stored.save(update_fields=["done_at", "outcome"])
    return stored


def implement(
    change: Change, *, effective_on: date, actor: User, at: datetime, reason: str
) -> Change:
    """Declare a change implemented when each task is done, from a day on."""
    CHANGE.permit(actor, OfChange.IMPLEMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CHANGE_IMPLEMENTED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.IMPLEMENT)
        undone = held.tasks.filter(done_at=None).count()
        if undone:
            raise ChangeIncomplete(f"{held.number} has {undone} tasks that are not done")
        if effective_on < held.requested_at.date():
            raise ChangeIncomplete("a change takes no effect before it was asked for")
        held.state, held.implemented_at = ChangeState.IMPLEMENTED, at
        held.effective_on = effective_on
        held.review_due_on = effective_on + REVIEW_AFTER
        held.save(update_fields=["state", "implemented_at", "effective_on", "review_due_on"])
    return held


def review(change: Change, *, text: str, actor: User, at: datetime) -> Change:
    """Look back at what a change brought about, as somebody who did not ask for it."""
    CHANGE.permit(actor, OfChange.REVIEW)
    said = recording.demand_reason(text)
    with recording.recording(Action.CHANGE_REVIEWED, actor=actor, at=at, reason=said):
        held = CHANGE.take(change, OfChange.REVIEW)
        if actor.pk == held.requester_id:
            raise ChangeOwnWork(f"{held.number}: who asked for it does not review it")
        if held.effective_on is not None and at.date() < held.effective_on:
            raise ChangeTooEarly(f"{held.number} takes effect on {held.effective_on} only")
        held.state, held.review, held.reviewed_by = ChangeState.REVIEWED, said, actor
        held.save(update_fields=["state", "review", "reviewed_by"])
    return held


def close(change: Change, *, confirmed: Confirmed, reason: str) -> Change:
    """Close a reviewed change by signature of quality."""
    actor, at = confirmed.signer, confirmed.at
    CHANGE.permit(actor, OfChange.CLOSE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CHANGE_CLOSED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.CLOSE)
        if actor.pk == held.requester_id:
            raise ChangeOwnWork(f"{held.number}: who asked for it does not close it")
        signing.sign(held, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        held.state, held.closed_at = ChangeState.CLOSED, at
        held.save(update_fields=["state", "closed_at"])
    return held


def withdraw(change: Change, *, actor: User, at: datetime, reason: str) -> Change:
    """Withdraw a wish that nobody has acted on; only who asked for it."""
    CHANGE.permit(actor, OfChange.CANCEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CHANGE_CANCELLED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.CANCEL)
        if actor.pk != held.requester_id:
            raise ChangeNotYours(f"{held.number} is withdrawn by {held.requester.username} only")
        if held.emergency_at is not None:
            raise ChangeWentAhead(f"{held.number} went ahead as an emergency: assess it")
        held.state = ChangeState.CANCELLED
        held.save(update_fields=["state"])
    return held
