"""Let `manage.py replay` repeat explanations beside predictions."""

from django.db.models import QuerySet

from twins.explanations.models import Explanation
from twins.predictions.replay_rooms import Repeated, Room


def _ended() -> QuerySet[Explanation]:
    return Explanation.objects.exclude(output="").select_related("prediction").order_by("pk")


def _replay(explanation: Explanation) -> Repeated:
    from twins.explanations import replays  # compiles the penicillin model: not at every start

    return replays.replay(explanation)


ROOM = Room("explanation", _ended, _replay)
