"""Find earlier deviations that look alike, and let somebody answer what they mean (ICH Q10)."""

import re
from datetime import datetime, timedelta

from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import Deviation, DeviationState, RecurrenceAnswer
from compliance.quality.states import DEVIATION, OfDeviation
from compliance.refusals import Refused
from compliance.trail import recording

WITHIN = timedelta(days=730)
_WORD = re.compile(r"[^\W\d_]{4,}")
_EMPTY = frozenset(
    {"above", "after", "batch", "before", "below", "during", "foreseen", "from", "have", "into"}
    | {"limit", "limits", "observed", "outside", "that", "their", "this", "were", "when", "with"}
)
# So many words of two titles in common make them alike; fewer when the category is the same.
ALIKE, ALIKE_IN_CATEGORY = 3, 2


class NothingToAnswer(Refused):
    code = "no-recurrence"
    status = 422


def words(title: str) -> frozenset[str]:
    """Return the words of a title that say something."""
    return frozenset(_WORD.findall(title.lower())) - _EMPTY


def is_alike(one: Deviation, other: Deviation) -> bool:
    """Say whether two deviations are about the same: what they concern, or how they are called."""
    if one.concerns and one.concerns.lower() == other.concerns.lower():
        return True
    is_same_category = bool(one.category) and one.category == other.category
    said, heard = words(one.title), words(other.title)
    if said and said == heard:
        return True
    common = said & heard
    return len(common) >= (ALIKE_IN_CATEGORY if is_same_category else ALIKE)


def of(deviation: Deviation) -> list[Deviation]:
    """Return the deviations of the two years before that look alike, newest first."""
    earlier = (
        Deviation.objects.filter(
            occurred_at__gte=deviation.occurred_at - WITHIN, occurred_at__lte=deviation.occurred_at
        )
        .exclude(pk=deviation.pk)
        .exclude(state=DeviationState.CANCELLED)
        .only("number", "title", "concerns", "category", "occurred_at", "state", "root_cause")
        .order_by("-occurred_at", "-pk")
    )
    # Two that occurred in the same moment: the one that was opened first is the earlier one.
    return [
        one
        for one in earlier
        if is_alike(deviation, one)
        and (one.occurred_at < deviation.occurred_at or one.pk < deviation.pk)
    ]


def unanswered(deviation: Deviation) -> list[Deviation]:
    """Return the earlier ones that no answer speaks of."""
    answered: set[str] = set()
    for answer in deviation.recurrence_answers.order_by("pk"):
        answered.update(answer.earlier)
    return [one for one in of(deviation) if one.number not in answered]


def answer(
    deviation: Deviation, *, is_recurrence: bool, text: str, actor: User, at: datetime
) -> RecurrenceAnswer:
    """Say whether the earlier ones are the same failure come back, and what follows from it."""
    DEVIATION.permit(actor, OfDeviation.ANSWER_RECURRENCE)
    said = recording.demand_reason(text)
    with recording.recording(Action.RECURRENCE_ANSWERED, actor=actor, at=at, reason=said):
        held = DEVIATION.take(deviation, OfDeviation.ANSWER_RECURRENCE)
        earlier = of(held)
        if not earlier:
            raise NothingToAnswer(f"no earlier deviation looks like {held.number}")
        return RecurrenceAnswer.objects.create(
            deviation=held,
            earlier=[one.number for one in earlier],
            is_recurrence=is_recurrence,
            text=said,
            answered_by=actor,
            answered_at=at,
        )
