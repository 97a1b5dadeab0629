"""Keep due dates: later ones on request, reminders, and who is told when work stays late."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.quality import deviations, overdue_work
from compliance.quality.actions import Action
from compliance.quality.models import Deviation, Escalation, Extension, Reminder
from compliance.quality.overdue_work import Late
from compliance.quality.states import DEVIATION, OfDeviation
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System


class ExtensionImpossible(Refused):
    code = "extension-impossible"
    status = 422


class ExtensionAnswered(Refused):
    code = "extension-answered"


class ExtensionOwn(Refused):
    """Nobody grants a later date to themselves."""

    code = "extension-own"
    status = 403


@dataclass(frozen=True)
class Level:
    """From so many days overdue on, so high up."""

    number: int
    days: int
    told: Role


LEVELS = (
    Level(1, 1, Role.SUPERVISOR),
    Level(2, 8, Role.QUALITY_ASSURANCE),
    Level(3, 31, Role.QUALIFIED_PERSON),
)


def ask(deviation: Deviation, *, until: date, reason: str, actor: User, at: datetime) -> Extension:
    """Ask for a later due date, with the reason; it holds when quality has granted it."""
    DEVIATION.permit(actor, OfDeviation.ASK_EXTENSION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.EXTENSION_ASKED, actor=actor, at=at, reason=text):
        held = DEVIATION.take(deviation, OfDeviation.ASK_EXTENSION)
        if until <= held.due_on:
            raise ExtensionImpossible(f"{held.number} is due on {held.due_on}: name a later day")
        if held.extensions.filter(is_granted=None).exists():
            raise ExtensionImpossible(f"{held.number} has a wish that waits for its answer")
        return Extension.objects.create(
            deviation=held, due_before=held.due_on, due_after=until, reason=text,
            requested_by=actor, requested_at=at,
        )  # fmt: skip


def answer(
    extension: Extension, *, is_granted: bool, reason: str, actor: User, at: datetime
) -> Extension:
    """Grant or deny a later date, as somebody of quality who did not ask for it."""
    DEVIATION.permit(actor, OfDeviation.ANSWER_EXTENSION)
    text = recording.demand_reason(reason)
    if actor.pk == extension.requested_by_id:
        raise ExtensionOwn("you asked for this date yourself: somebody else of quality answers")
    with recording.recording(Action.EXTENSION_ANSWERED, actor=actor, at=at, reason=text):
        held = DEVIATION.take(extension.deviation, OfDeviation.ANSWER_EXTENSION)
        stored = Extension.objects.select_for_update().get(pk=extension.pk)
        if stored.is_granted is not None:
            raise ExtensionAnswered(f"the wish for {stored.due_after} is answered already")
        stored.is_granted = is_granted
        stored.answered_by, stored.answered_at, stored.answer = actor, at, text
        stored.save(update_fields=["is_granted", "answered_by", "answered_at", "answer"])
        if is_granted:
            held.due_on = stored.due_after
            held.save(update_fields=["due_on"])
    return stored


def remind(*, at: datetime) -> int:
    """Record one reminder a day for each overdue deviation; return how many are new."""
    made = 0
    for deviation in deviations.overdue(on=at.date()):
        with recording.recording(
            Action.REMINDED, actor=System("schedule"), at=at, reason=f"{deviation} is overdue"
        ):
            _, is_new = Reminder.objects.get_or_create(
                deviation=deviation,
                reminded_on=at.date(),
                defaults={
                    "days_overdue": (at.date() - deviation.due_on).days,
                    "addressed_to": deviation.opened_by,
                },
            )
        made += is_new
    return made


def escalate(*, at: datetime, late: Iterable[Late] | None = None) -> int:
    """Tell each level once that work is late: deviations, CAPA, changes, risks and reviews."""
    made = 0
    for work in overdue_work.everything(on=at.date()) if late is None else late:
        days = (at.date() - work.due_on).days
        for level in LEVELS:
            if days >= level.days:
                made += _tell(work, level, days, at)
    return made


def _tell(work: Late, level: Level, days: int, at: datetime) -> bool:
    key = {"record": work.record, "number": work.number, "level": level.number}
    if Escalation.objects.filter(**key, due_on=work.due_on).exists():
        return False
    with recording.recording(
        Action.ESCALATED, actor=System("schedule"), at=at,
        reason=f"{work.number} is {days} days overdue",
    ):  # fmt: skip
        _, is_new = Escalation.objects.get_or_create(
            **key,
            due_on=work.due_on,
            defaults={
                "days_overdue": days, "addressed_to": level.told.value, "escalated_at": at,
            },
        )  # fmt: skip
    return is_new
