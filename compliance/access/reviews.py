"""Review periodically who may do what, account by account (21 CFR 11.300(b); draft Annex 11, 11)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q

from compliance import numbering
from compliance.access import authority, identity
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import (
    AccessReview,
    AccessReviewLine,
    ReviewOutcome,
    ReviewState,
    SignIn,
    SignInOutcome,
    User,
)
from compliance.refusals import Refused
from compliance.trail import recording

# What may be done in which state; all else is refused with the code of the state.
ALLOWED: Mapping[ReviewState, frozenset[str]] = {
    ReviewState.OPEN: frozenset({"decide", "close"}),
    ReviewState.CLOSED: frozenset(),
}


class ReviewOpen(Refused):
    """One review at a time."""

    code = "access-review-open"


class ReviewClosed(Refused):
    code = "access-review-closed"


class LineDecided(Refused):
    code = "access-review-line-decided"


class OwnLine(Refused):
    """Nobody decides about their own account."""

    code = "own-account"
    status = 403


class ReviewIncomplete(Refused):
    """What a closed review has to show is not there yet."""

    code = "access-review-incomplete"
    status = 422


def open_(*, actor: User, at: datetime) -> AccessReview:
    """Open a review with a line for every account as it stands now; raise `ReviewOpen`."""
    authority.demand(actor, Duty.REVIEW_ACCESS)
    due = next_due()
    with recording.recording(Action.REVIEW_OPENED, actor=actor, at=at, reason="review of access"):
        number = numbering.next_number(AccessReview, prefix="AR", at=at)
        if running := AccessReview.objects.filter(state=ReviewState.OPEN).first():
            raise ReviewOpen(f"{running} is open; close it first")
        review = AccessReview.objects.create(
            number=number, due_on=due or at.date(), opened_at=at, reviewer=actor
        )
        AccessReviewLine.objects.bulk_create(_snapshot(review, at))
    return review


def decide(
    line: AccessReviewLine, *, outcome: ReviewOutcome, actor: User, at: datetime, reason: str
) -> AccessReviewLine:
    """Decide that an account is kept as it stands, or removed; raise `OwnLine`, `LineDecided`."""
    authority.demand(actor, Duty.REVIEW_ACCESS)
    text = recording.demand_reason(reason)
    if actor.pk == line.person_id:
        raise OwnLine(f"{actor.username} does not decide about their own account; ask a colleague")
    with recording.recording(Action.REVIEW_DECIDED, actor=actor, at=at, reason=text):
        _locked(line.review, "decide")
        locked = AccessReviewLine.objects.select_for_update().get(pk=line.pk)
        if locked.outcome:
            raise LineDecided(f"{locked} was decided already: {locked.get_outcome_display()}")
        locked.outcome = outcome
        locked.reason = text
        locked.decided_by = actor
        locked.decided_at = at
        locked.save(update_fields=["outcome", "reason", "decided_by", "decided_at"])
    return locked


def close(review: AccessReview, *, conclusion: str, actor: User, at: datetime) -> AccessReview:
    """Close a review when each account is decided on and what had to go is gone."""
    authority.demand(actor, Duty.REVIEW_ACCESS)
    text = recording.demand_reason(conclusion)
    with recording.recording(Action.REVIEW_CLOSED, actor=actor, at=at, reason=text):
        locked = _locked(review, "close")
        if open_lines := locked.lines.filter(outcome="").count():
            raise ReviewIncomplete(f"{locked} has {open_lines} accounts that nobody decided on")
        if left := not_carried_out(locked):
            raise ReviewIncomplete(
                f"{locked}: an administrator still has to end the roles of "
                f"{', '.join(one.person.username for one in left)}, or to deactivate the account"
            )
        locked.state = ReviewState.CLOSED
        locked.conclusion = text
        locked.closed_by = actor
        locked.closed_at = at
        locked.save(update_fields=["state", "conclusion", "closed_by", "closed_at"])
    return locked


def not_carried_out(review: AccessReview) -> list[AccessReviewLine]:
    """Return the lines whose account had to go and is still as it was reviewed."""
    lines = review.lines.filter(
        Q(person__role_assignments__ended_at=None),
        outcome=ReviewOutcome.REMOVE,
        person__is_active=True,
        person__role_assignments__granted_at__lte=review.opened_at,
    )
    return list(lines.select_related("person").distinct().order_by("person__username"))


def next_due() -> date | None:
    """Return until when the next review has to be closed; None while there is nobody to review."""
    last = AccessReview.objects.filter(state=ReviewState.CLOSED).aggregate(at=Max("closed_at"))[
        "at"
    ]
    if last is None:
        first = User.objects.order_by("created_at").values_list("created_at", flat=True).first()
        last = first
    return None if last is None else (last + timedelta(days=settings.ACCESS_REVIEW_DAYS)).date()


def overdue(*, on: date) -> date | None:
    """Return since when a review is overdue, or None: a finding for the inspector."""
    due = next_due()
    return due if due is not None and due < on else None


def _locked(review: AccessReview, action: str) -> AccessReview:
    locked = AccessReview.objects.select_for_update().get(pk=review.pk)
    if action not in ALLOWED[ReviewState(locked.state)]:
        raise ReviewClosed(f"{locked} is closed; open a new review")
    return locked


def _snapshot(review: AccessReview, at: datetime) -> list[AccessReviewLine]:
    """Make a line of every account that is active, or that still holds a role."""
    seen = {
        name.lower(): last
        for name, last in SignIn.objects.filter(outcome=SignInOutcome.ACCEPTED)
        .values_list("username")
        .annotate(last=Max("attempted_at"))
        .order_by("last")
    }
    unproven = set(identity.unproven(at=at).values_list("pk", flat=True))
    holds = Q(is_active=True) | Q(role_assignments__ended_at=None, role_assignments__isnull=False)
    people = User.objects.filter(holds).distinct().prefetch_related("role_assignments")
    return [
        AccessReviewLine(
            review=review,
            person=person,
            full_name=person.full_name,
            roles=",".join(
                sorted(one.role for one in person.role_assignments.all() if one.ended_at is None)
            ),
            is_active=person.is_active,
            is_proven=person.pk not in unproven,
            leaves_on=person.leaves_on,
            last_sign_in_at=seen.get(person.username.lower()),
        )
        for person in people.order_by("username")
    ]
