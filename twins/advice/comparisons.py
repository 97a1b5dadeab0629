"""Compare proposals with what was done and what came, from the readings that the twin itself reads."""

from datetime import datetime, timedelta

from django.db.models import Max

from batches.execution.models import ReadingSegment
from compliance.trail import recording
from twins.advice import outputs, question_bytes, requests, terms
from twins.advice.actions import Action
from twins.advice.models import GIVEN, Comparison, Followed, Proposal, ProposalState
from twins.models import crossing
from twins.models.advice import comparing
from twins.models.advice.comparing import Compared
from twins.predictions import history, inputs
from twins.predictions.said import digits

# One that was superseded is compared by what superseded it.
_COMPARED = [one for one in GIVEN if one != ProposalState.SUPERSEDED]


def due(*, at_most: int) -> list[Proposal]:
    """Return proposals whose horizon is over, or whose batch is, and that were never compared."""
    given = (
        Proposal.objects.filter(state__in=_COMPARED, comparison=None)
        .exclude(state=ProposalState.OPEN)
        .exclude(outcome__in=["no-lever", "undecided"])
        .select_related("alert__batch__recipe", "prediction")
        .order_by("pk")
    )
    found: list[Proposal] = []
    for proposal in given.defer("input", "output", "prediction__input", "prediction__output"):
        if len(found) < at_most and _is_over(proposal):
            found.append(proposal)
    return found


def compare(proposal: Proposal, *, at: datetime) -> Comparison | None:
    """Record the comparison of one proposal; None when it is on record already."""
    compared = so_far(proposal)
    if compared is None:
        return None
    start = inputs.start_of(proposal.alert.batch)

    def moment(hour: float) -> datetime:
        return start + timedelta(hours=hour)

    followed = _followed(proposal, compared)
    with recording.recording(
        Action.PROPOSAL_COMPARED,
        actor=requests.ROOM.worker,
        at=at,
        reason=f"{proposal}: {followed.label.lower()}",
    ):
        comparison, is_new = Comparison.objects.get_or_create(
            proposal=proposal,
            defaults={
                "compared_at": at,
                "until": moment(compared.until_h),
                "followed": followed,
                "from_move_l_per_h": digits(compared.from_move),
                "from_recipe_l_per_h": digits(compared.from_recipe),
                "done": [[digits(at_h), digits(rate)] for at_h, rate in compared.done],
                "hours_measured": compared.hours_measured,
                "is_crossed": compared.is_crossed,
                "crossed_at": None if compared.crossed_h is None else moment(compared.crossed_h),
                "inside_as_is": compared.inside_as_is,
                "inside_moved": compared.inside_moved,
            },
        )
    return comparison if is_new else None


def so_far(proposal: Proposal) -> Compared | None:
    """Compare with what is known by now; None without a future to compare with."""
    said = outputs.document(proposal)
    tag = said["tag"]
    as_is = outputs.foretold(said, "as_is", tag=tag)
    if as_is is None:
        return None
    asked = question_bytes.read(
        proposal.input.encode(), twin=proposal.prediction.model_version.name
    )
    (side,) = [
        one
        for one in crossing.sides(asked.forecast.limits)
        if (one.limit.tag, one.side) == (tag, said["side"])
    ]
    batch = proposal.alert.batch
    started_at = inputs.start_of(batch)
    until = min(_end(proposal), _latest(proposal) or proposal.prediction.as_of)
    feed = terms.lever(batch.recipe)
    seen = history.observations(
        batch, started_at=started_at, as_of=until, tags={feed, tag, f"lab_{tag}"}
    )
    online = [one for one in seen if one.tag == tag]
    return comparing.compare(
        side,
        as_is=as_is,
        moved=outputs.foretold(said, "moved", tag=tag) if said["outcome"] == "move" else None,
        fed=[one for one in seen if one.tag == feed],
        measured=online or [one for one in seen if one.tag == f"lab_{tag}"],
        until_h=history.hours(until, since=started_at),
    )


def _followed(proposal: Proposal, compared: Compared) -> Followed:
    if proposal.outcome != "move":
        return Followed.NO_MOVE
    return Followed(compared.followed) if compared.followed else Followed.UNKNOWN


def _end(proposal: Proposal) -> datetime:
    horizon = timedelta(hours=proposal.prediction.horizon_h)
    ended_at = proposal.alert.batch.ended_at
    end = proposal.prediction.as_of + horizon
    return end if ended_at is None else min(end, ended_at)


def _latest(proposal: Proposal) -> datetime | None:
    found: datetime | None = ReadingSegment.objects.filter(batch=proposal.alert.batch_id).aggregate(
        latest=Max("last_at")
    )["latest"]
    return found


def _is_over(proposal: Proposal) -> bool:
    latest = _latest(proposal)
    return proposal.alert.batch.ended_at is not None or (
        latest is not None and latest >= _end(proposal)
    )
