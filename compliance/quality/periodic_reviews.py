"""Look back at a system's life at set times, with figures and a conclusion (Annex 11, 11)."""

from collections.abc import Mapping
from datetime import date, datetime

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import figures
from compliance.quality.actions import Action
from compliance.quality.models import PeriodicReview, ReviewState
from compliance.quality.states import PERIODIC_REVIEW, OfPeriodicReview
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class PeriodicReviewInvalid(Refused):
    code = "periodic-review-invalid"
    status = 422


def open_(
    *, system: str, starts_on: date, ends_on: date, actor: User, at: datetime
) -> PeriodicReview:
    """Open a review of a system over a past period, and collect its figures once."""
    authority.demand(actor, Duty.CLOSE_DEVIATION)
    if len(system.strip()) < 3 or starts_on >= ends_on or ends_on > at.date():
        raise PeriodicReviewInvalid("a review names its system and a period that has passed")
    if PeriodicReview.objects.filter(system=system.strip(), state=ReviewState.OPEN).exists():
        raise PeriodicReviewInvalid(f"a review of {system.strip()} is open: conclude it first")
    with recording.recording(
        Action.PERIODIC_REVIEW_OPENED, actor=actor, at=at, reason=f"periodic review of {system}"
    ):
        return PeriodicReview.objects.create(
            number=numbering.next_number(PeriodicReview, prefix="PR", at=at),
            system=system.strip(), starts_on=starts_on, ends_on=ends_on,
            figures=figures.collect(starts_on=starts_on, ends_on=ends_on),
            opened_by=actor, opened_at=at,
        )  # fmt: skip


def conclude(
    review: PeriodicReview, *, conclusion: str, next_due_on: date, confirmed: Confirmed
) -> PeriodicReview:
    """Say by signature whether the system is still fit for use, and when it is looked at again."""
    actor, at = confirmed.signer, confirmed.at
    PERIODIC_REVIEW.permit(actor, OfPeriodicReview.CONCLUDE)
    text = recording.demand_reason(conclusion)
    with recording.recording(Action.PERIODIC_REVIEW_CONCLUDED, actor=actor, at=at, reason=text):
        held = PERIODIC_REVIEW.take(review, OfPeriodicReview.CONCLUDE)
        if next_due_on <= at.date():
            raise PeriodicReviewInvalid("the next review is due on a day to come")
        held.state, held.conclusion = ReviewState.CONCLUDED, text
        held.concluded_at, held.next_due_on = at, next_due_on
        signing.sign(held, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=text)
        held.save(update_fields=["state", "conclusion", "concluded_at", "next_due_on"])
    return held


def overdue(*, on: date) -> list[tuple[str, date]]:
    """Return each system whose next review is late, by the newest concluded one."""
    newest = (
        PeriodicReview.objects.filter(state=ReviewState.CONCLUDED)
        .order_by("system", "-concluded_at", "-pk")
        .distinct("system")
    )
    return [
        (one.system, one.next_due_on)
        for one in newest
        if one.next_due_on is not None and one.next_due_on < on
    ]


@signing.signable(PeriodicReview)
def signed_content(review: PeriodicReview) -> Mapping[str, canonical.Value]:
    """What a signature under a periodic review covers: its period and its figures."""
    return {
        "number": review.number, "system": review.system, "figures": review.figures,
        "starts_on": review.starts_on.isoformat(), "ends_on": review.ends_on.isoformat(),
    }  # fmt: skip
