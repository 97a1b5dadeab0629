"""Plan, approve, implement, check and close CAPA (ICH Q10, 3.2.2; 21 CFR 211.192)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import (
    Capa,
    CapaAction,
    CapaKind,
    CapaSource,
    CapaState,
    Deviation,
    EffectivenessCheck,
)
from compliance.quality.states import CAPA, OfCapa
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.models import Attachment
from compliance.trail.tlog import canonical


class CapaIncomplete(Refused):
    code = "capa-incomplete"
    status = 422


class CapaOwnWork(Refused):
    """Who plans or owns a CAPA neither approves it nor says that it helped."""

    code = "capa-own-work"
    status = 403


class CapaActionNotYours(Refused):
    """An action is finished by the one who was to do it, or by the owner of the CAPA."""

    code = "capa-action-not-yours"
    status = 403


class CapaActionDone(Refused):
    code = "capa-action-done"


class CapaUnanswered(Refused):
    """A CAPA that did not help is closed by the one that follows it."""

    code = "capa-needs-follower"


@dataclass(frozen=True)
class Plan:
    """What is to be done, by whom, until when, and how it will be seen that it helped."""

    title: str
    problem: str
    kind: CapaKind
    source: CapaSource
    owner: User
    due_on: date
    criterion: str
    check_due_on: date
    source_text: str = ""
    deviations: Sequence[Deviation] = field(default_factory=tuple)
    follows: Capa | None = None


def open_(*, plan: Plan, actor: User, at: datetime) -> Capa:
    """Draft a CAPA; raise `CapaIncomplete` where the plan leaves something out."""
    authority.demand(actor, Duty.WORK_ON_CAPA)
    _demand_whole(plan, at)
    with recording.recording(Action.CAPA_OPENED, actor=actor, at=at, reason=plan.title.strip()):
        capa = Capa.objects.create(
            number=numbering.next_number(Capa, prefix="CAPA", at=at),
            title=plan.title.strip(), problem=plan.problem.strip(), kind=plan.kind,
            source=plan.source, source_text=plan.source_text.strip(), author=actor,
            owner=plan.owner, opened_at=at, due_on=plan.due_on, criterion=plan.criterion.strip(),
            check_due_on=plan.check_due_on, follows=plan.follows,
        )  # fmt: skip
        capa.deviations.add(*plan.deviations)
    return capa


def add_action(
    capa: Capa, *, text: str, owner: User, due_on: date, actor: User, at: datetime
) -> CapaAction:
    """Add one thing to do, with who does it and until when, before the plan is approved."""
    CAPA.permit(actor, OfCapa.ADD_ACTION)
    said = recording.demand_reason(text)
    with recording.recording(Action.CAPA_ACTION_ADDED, actor=actor, at=at, reason=said):
        held = CAPA.take(capa, OfCapa.ADD_ACTION)
        if due_on > held.due_on:
            raise CapaIncomplete(f"{held.number} is due on {held.due_on}: no action is due later")
        return CapaAction.objects.create(capa=held, text=said, owner=owner, due_on=due_on)


def approve(capa: Capa, *, confirmed: Confirmed) -> Capa:
    """Approve a plan by signature of quality; from now on its criterion and actions stand."""
    actor, at = confirmed.signer, confirmed.at
    CAPA.permit(actor, OfCapa.APPROVE)
    with recording.recording(
        Action.CAPA_APPROVED, actor=actor, at=at, reason=f"approval of {capa.number}"
    ):
        held = CAPA.take(capa, OfCapa.APPROVE)
        if actor.pk in (held.author_id, held.owner_id):
            raise CapaOwnWork(f"{held.number}: neither its author nor its owner approves it")
        if not held.actions.exists():
            raise CapaIncomplete(f"{held.number} has no action yet: add what is to be done")
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed)
        held.state, held.approved_at = CapaState.APPROVED, at
        held.save(update_fields=["state", "approved_at"])
    return held


def finish_action(
    action: CapaAction, *, evidence: str, actor: User, at: datetime,
    attachment: Attachment | None = None,
) -> CapaAction:  # fmt: skip
    """Declare one action done, with where it can be seen; by the one who was to do it."""
    CAPA.permit(actor, OfCapa.FINISH_ACTION)
    text = recording.demand_reason(evidence)
    with recording.recording(Action.CAPA_ACTION_FINISHED, actor=actor, at=at, reason=text):
        held = CAPA.take(action.capa, OfCapa.FINISH_ACTION)
        stored = CapaAction.objects.select_for_update().get(pk=action.pk)
        if stored.done_at is not None:
            raise CapaActionDone(f"{stored} was done on {stored.done_at:%Y-%m-%d}")
        if actor.pk not in (stored.owner_id, held.owner_id):
            raise CapaActionNotYours(f"{stored} is for {stored.owner.username} to finish")
        stored.done_at, stored.done_by, stored.evidence = at, actor, text
        stored.attachment = attachment
        stored.save(update_fields=["done_at", "done_by", "evidence", "attachment"])
    return stored


def postpone(
    capa: Capa, *, due_on: date, check_due_on: date, actor: User, at: datetime, reason: str
) -> Capa:
    """Set later dates, as somebody of quality who does not own the CAPA."""
    CAPA.permit(actor, OfCapa.POSTPONE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CAPA_POSTPONED, actor=actor, at=at, reason=text):
        held = CAPA.take(capa, OfCapa.POSTPONE)
        if actor.pk == held.owner_id:
            raise CapaOwnWork(f"{held.number}: its owner does not postpone it")
        if due_on < held.due_on or check_due_on <= due_on:
            raise CapaIncomplete("dates go forward, and the check comes after the work")
        held.due_on, held.check_due_on = due_on, check_due_on
        held.save(update_fields=["due_on", "check_due_on"])
    return held


def implement(capa: Capa, *, actor: User, at: datetime, reason: str) -> Capa:
    """Declare a CAPA implemented when each of its actions is done."""
    CAPA.permit(actor, OfCapa.IMPLEMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CAPA_IMPLEMENTED, actor=actor, at=at, reason=text):
        held = CAPA.take(capa, OfCapa.IMPLEMENT)
        undone = held.actions.filter(done_at=None).count()
        if undone:
            raise CapaIncomplete(f"{held.number} has {undone} actions that are not done")
        held.state, held.implemented_at = CapaState.IMPLEMENTED, at
        held.save(update_fields=["state", "implemented_at"])
    return held


def check(
    capa: Capa, *, is_effective: bool, observed: str, actor: User, at: datetime
) -> EffectivenessCheck:
    """Say by the criterion set beforehand whether it helped; not as its owner or a doer of it."""
    CAPA.permit(actor, OfCapa.CHECK)
    text = recording.demand_reason(observed)
    with recording.recording(Action.CAPA_CHECKED, actor=actor, at=at, reason=text):
        held = CAPA.take(capa, OfCapa.CHECK)
        doers = set(held.actions.values_list("owner_id", flat=True))
        if actor.pk in doers | {held.owner_id}:
            raise CapaOwnWork(f"{held.number}: who did the work does not check its effect")
        made = EffectivenessCheck.objects.create(
            capa=held, is_effective=is_effective, observed=text, checked_by=actor, checked_at=at
        )
        held.state = CapaState.EFFECTIVE if is_effective else CapaState.INEFFECTIVE
        held.save(update_fields=["state"])
    return made


def close(capa: Capa, *, confirmed: Confirmed, reason: str) -> Capa:
    """Close by signature of quality; one that did not help only when an approved one follows it."""
    actor, at = confirmed.signer, confirmed.at
    CAPA.permit(actor, OfCapa.CLOSE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CAPA_CLOSED, actor=actor, at=at, reason=text):
        held = CAPA.take(capa, OfCapa.CLOSE)
        if actor.pk == held.owner_id:
            raise CapaOwnWork(f"{held.number}: its owner does not close it")
        if held.state == CapaState.INEFFECTIVE and not _is_followed(held):
            raise CapaUnanswered(
                f"{held.number} was not effective: open a CAPA that follows it and let it be "
                "approved, then close this one"
            )
        signing.sign(held, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        held.state, held.closed_at = CapaState.CLOSED, at
        held.save(update_fields=["state", "closed_at"])
    return held


def cancel(capa: Capa, *, actor: User, at: datetime, reason: str) -> Capa:
    """Give up a plan that was never approved."""
    CAPA.permit(actor, OfCapa.CANCEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CAPA_CANCELLED, actor=actor, at=at, reason=text):
        held = CAPA.take(capa, OfCapa.CANCEL)
        held.state = CapaState.CANCELLED
        held.save(update_fields=["state"])
    return held


def overdue(*, on: date) -> list[tuple[Capa, date, str]]:
    """Return each CAPA whose work or check is late, with the date and what is late."""
    in_work = Capa.objects.filter(state__in=[CapaState.DRAFT, CapaState.APPROVED], due_on__lt=on)
    unchecked = Capa.objects.filter(state=CapaState.IMPLEMENTED, check_due_on__lt=on)
    found = [(one, one.due_on, "implement the CAPA") for one in in_work]
    found += [(one, one.check_due_on, "check the CAPA's effect") for one in unchecked]
    return sorted(found, key=lambda late: (late[1], late[0].pk))


@signing.signable(Capa)
def signed_content(capa: Capa) -> Mapping[str, canonical.Value]:
    """What a signature under a CAPA covers: the plan; what is done and seen stays by guards."""
    return {
        "number": capa.number, "title": capa.title, "kind": capa.kind, "source": capa.source,
        "source_text": capa.source_text, "problem": capa.problem, "criterion": capa.criterion,
        "owner": capa.owner.username,
        "deviations": list(capa.deviations.order_by("number").values_list("number", flat=True)),
        "actions": [
            [one.text, one.owner.username, one.due_on.isoformat()]
            for one in capa.actions.select_related("owner").order_by("pk")
        ],
    }  # fmt: skip


def _is_followed(capa: Capa) -> bool:
    return capa.followers.exclude(state__in=[CapaState.DRAFT, CapaState.CANCELLED]).exists()


def _demand_whole(plan: Plan, at: datetime) -> None:
    short = [
        name
        for name, least in (("title", 8), ("problem", 20), ("criterion", 20))
        if len(str(getattr(plan, name)).strip()) < least
    ]
    if short:
        raise CapaIncomplete(f"a CAPA says more about: {', '.join(short)}")
    if plan.source == CapaSource.DEVIATION and not plan.deviations:
        raise CapaIncomplete("a CAPA out of a deviation names the deviation")
    if plan.source != CapaSource.DEVIATION and len(plan.source_text.strip()) < 8:
        raise CapaIncomplete("say which audit, complaint or trend the CAPA comes from")
    if plan.due_on < at.date() or plan.check_due_on <= plan.due_on:
        raise CapaIncomplete("the work is due from today on, and its check after the work")
    if plan.follows is not None and plan.follows.state not in (
        CapaState.INEFFECTIVE, CapaState.CLOSED,
    ):  # fmt: skip
        raise CapaIncomplete(f"{plan.follows.number} is not at its end: nothing follows it yet")
