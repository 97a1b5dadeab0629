"""Review the audit trail of a scope: sampled, independent, concluded by signature (Annex 11, 9).

A review covers the entries that the scope had when it was opened. Later entries make it stale:
whoever relies on a review asks `is_current`, or `current_of` for a scope by name.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import trail_rules, trail_samples, trail_scopes
from compliance.quality.actions import Action
from compliance.quality.models import (
    Deviation,
    EntryOutcome,
    SampledEntry,
    TrailReview,
    TrailReviewState,
)
from compliance.quality.states import TRAIL_REVIEW, OfTrailReview
from compliance.quality.trail_rules import Fact
from compliance.quality.trail_scopes import Found
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.subjects import Wanted
from compliance.trail.tlog import canonical
from compliance.trail.verifier.contents import Kind


class ReviewerInvolved(Refused):
    """Who made an entry in the scope does not review it (Annex 11 draft 2025, 12)."""

    code = "reviewer-involved"
    status = 403


class NotReviewer(Refused):
    code = "not-reviewer"
    status = 403


class TrailReviewIncomplete(Refused):
    code = "trail-review-incomplete"
    status = 422


class TrailReviewStale(Refused):
    """The scope has entries that the review does not cover."""

    code = "trail-review-stale"


@dataclass(frozen=True)
class Standing:
    """How a review stands: what was assessed, what was found, and whether it still covers all."""

    is_concluded: bool
    is_current: bool
    sampled: int
    assessed: int
    findings: int
    entries: int
    entries_now: int


def open_(wanted: Wanted, *, seed: str, actor: User, at: datetime) -> TrailReview:
    """Open a review as its reviewer and draw its sample; raise `ReviewerInvolved`.

    The seed decides the random part: with it and the entries anybody draws the same sample again.
    To the reviewer's words the program adds random ones of its own, so that nobody knows the sample
    before, and nobody chooses words that leave an entry out.
    """
    authority.demand(actor, Duty.REVIEW_TRAIL)
    if not 8 <= len(seed.strip()) <= 64:
        raise TrailReviewIncomplete("a seed has 8 to 64 characters, for example of dice or a date")
    found = trail_scopes.find(wanted, at=at)
    facts = trail_scopes.facts([*found.entries, *found.refusals])
    people = sorted({one.actor for one in facts if one.entry in set(found.entries)})
    if actor.username in people:
        raise ReviewerInvolved(
            f"{actor.username} made entries of {found.title}: somebody else reviews them"
        )
    thrown = f"{seed.strip()} {secrets.token_hex(16)}"
    drawn = trail_samples.draw(
        found.covered, targeted=_targeted(facts, seed=thrown), seed=thrown,
        random=trail_rules.RANDOM,
    )  # fmt: skip
    with recording.recording(
        Action.TRAIL_REVIEW_OPENED, actor=actor, at=at, reason=f"review of {found.title}"
    ):
        review = TrailReview.objects.create(
            number=numbering.next_number(TrailReview, prefix="TR", at=at), kind=wanted.kind,
            name=wanted.name, title=found.title[:300], wanted=_stored(wanted), reviewer=actor,
            opened_at=at, seed=thrown, rules=trail_rules.VERSION, hours=trail_rules.hours(),
            tree_size=trail_scopes.tree_size(), entry_count=len(found.covered),
            entries_digest=trail_samples.digest(found.covered), actors="\n".join(people),
        )  # fmt: skip
        SampledEntry.objects.bulk_create(
            SampledEntry(review=review, entry=entry, reasons=why) for entry, why in drawn.items()
        )
    return review


def _targeted(facts: list[Fact], *, seed: str) -> dict[int, list[str]]:
    """Return the entries that are drawn whatever the seed, each with its reasons.

    What a review that was not concluded has drawn is drawn again: else whoever dislikes a sample
    gives the review up, and opens another one until the sample pleases.
    """
    targeted = trail_samples.thinned(
        {one.entry: trail_rules.reasons(one) for one in facts},
        rule=trail_rules.OUT_OF_HOURS,
        groups={one.entry: (one.actor, one.action) for one in facts},
        seed=seed,
    )
    for entry in _drawn_before(targeted):
        targeted[entry].append(trail_rules.DRAWN_BEFORE)
    return targeted


def _drawn_before(entries: Iterable[int]) -> list[int]:
    found = SampledEntry.objects.filter(entry__in=list(entries))
    unconcluded = found.exclude(review__state=TrailReviewState.CONCLUDED)
    return sorted(set(unconcluded.values_list("entry", flat=True)))


def assess(
    sampled: SampledEntry, *, outcome: EntryOutcome, text: str, actor: User, at: datetime,
    deviation: Deviation | None = None,
) -> SampledEntry:  # fmt: skip
    """Say of one drawn entry that it raises no concern, or what was found; as the reviewer."""
    TRAIL_REVIEW.permit(actor, OfTrailReview.ASSESS)
    text = text.strip()
    if outcome == EntryOutcome.PENDING:
        raise TrailReviewIncomplete("say “no concern”, or what was found")
    if outcome == EntryOutcome.FINDING:
        text = recording.demand_reason(text)
    with recording.recording(
        Action.ENTRY_ASSESSED, actor=actor, at=at, reason=text or "no concern with this entry"
    ):
        held = TRAIL_REVIEW.take(sampled.review, OfTrailReview.ASSESS)
        _demand_reviewer(held, actor)
        stored = SampledEntry.objects.select_for_update().get(pk=sampled.pk)
        stored.outcome, stored.text, stored.assessed_at = outcome, text, at
        stored.deviation = deviation
        stored.save(update_fields=["outcome", "text", "assessed_at", "deviation"])
    return stored


def conclude(review: TrailReview, *, conclusion: str, confirmed: Confirmed) -> TrailReview:
    """Conclude by signature, when each drawn entry is assessed and the scope has no new ones."""
    actor, at = confirmed.signer, confirmed.at
    TRAIL_REVIEW.permit(actor, OfTrailReview.CONCLUDE)
    text = recording.demand_reason(conclusion)
    with recording.recording(Action.TRAIL_REVIEW_CONCLUDED, actor=actor, at=at, reason=text):
        held = TRAIL_REVIEW.take(review, OfTrailReview.CONCLUDE)
        _demand_reviewer(held, actor)
        pending = held.sample.filter(outcome=EntryOutcome.PENDING).count()
        if pending:
            raise TrailReviewIncomplete(f"{held.number} has {pending} entries to be assessed")
        if not _covers_all(held, at):
            raise TrailReviewStale(
                f"{held.title} has entries that {held.number} does not cover: "
                "abandon it and open a new one"
            )
        held.state, held.conclusion = TrailReviewState.CONCLUDED, text
        held.concluded_at = at
        signing.sign(held, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=text)
        held.save(update_fields=["state", "conclusion", "concluded_at"])
    return held


def abandon(review: TrailReview, *, actor: User, at: datetime, reason: str) -> TrailReview:
    """Give up an open review, because its scope has changed or its reviewer is not there."""
    TRAIL_REVIEW.permit(actor, OfTrailReview.ABANDON)
    text = recording.demand_reason(reason)
    with recording.recording(Action.TRAIL_REVIEW_ABANDONED, actor=actor, at=at, reason=text):
        held = TRAIL_REVIEW.take(review, OfTrailReview.ABANDON)
        held.state = TrailReviewState.ABANDONED
        held.save(update_fields=["state"])
    return held


def is_current(review: TrailReview) -> bool:
    """Say whether a review is concluded and its scope has no entry that it does not cover."""
    if review.state != TrailReviewState.CONCLUDED or review.concluded_at is None:
        return False
    return _covers_all(review, review.concluded_at)


def current_of(kind: Kind, name: str) -> TrailReview | None:
    """Return the newest review of a scope by name, when it is current."""
    newest = (
        TrailReview.objects.filter(kind=kind, name=name, state=TrailReviewState.CONCLUDED)
        .order_by("-pk")
        .first()
    )
    if newest is None or (str(newest.wanted["kind"]), newest.wanted["name"]) != (str(kind), name):
        return None  # it goes under this name, and was of something else
    return newest if is_current(newest) else None


def state(review: TrailReview) -> Standing:
    """Return how a review stands now."""
    outcomes = list(review.sample.values_list("outcome", flat=True))
    now = trail_scopes.find(wanted_of(review), at=_end(review))
    is_covering = trail_samples.digest(now.covered) == review.entries_digest
    is_concluded = review.state == TrailReviewState.CONCLUDED
    return Standing(
        is_concluded=is_concluded,
        is_current=is_concluded and is_covering,
        sampled=len(outcomes),
        assessed=sum(one != EntryOutcome.PENDING for one in outcomes),
        findings=outcomes.count(EntryOutcome.FINDING),
        entries=review.entry_count,
        entries_now=len(now.covered),
    )


def wanted_of(review: TrailReview) -> Wanted:
    """Return the scope of a review as it was asked."""
    asked: Any = review.wanted
    return Wanted(
        kind=Kind(asked["kind"]),
        name=asked["name"],
        records=tuple((table, key) for table, key in asked["records"]),
        start=datetime.fromisoformat(asked["start"]) if asked["start"] else None,
        end=datetime.fromisoformat(asked["end"]) if asked["end"] else None,
    )


@signing.signable(TrailReview)
def signed_content(review: TrailReview) -> Mapping[str, canonical.Value]:
    """What a signature under a review covers: its scope, its sample, and each outcome."""
    return {
        "number": review.number, "wanted": review.wanted, "seed": review.seed,
        "rules": review.rules, "tree_size": review.tree_size,
        "entry_count": review.entry_count, "entries_digest": review.entries_digest,
        "reviewer": review.reviewer.username,
        "sample": [
            [one.entry, one.reasons, one.outcome, one.text]
            for one in review.sample.order_by("entry")
        ],
        # Left out where there is none, so that signatures of earlier versions still fit.
        **({"hours": review.hours} if review.hours else {}),
    }  # fmt: skip


def _covers_all(review: TrailReview, at: datetime) -> bool:
    now: Found = trail_scopes.find(wanted_of(review), at=at)
    return trail_samples.digest(now.covered) == review.entries_digest


def _end(review: TrailReview) -> datetime:
    return review.concluded_at or review.opened_at


def _demand_reviewer(review: TrailReview, actor: User) -> None:
    if actor.pk != review.reviewer_id:
        raise NotReviewer(f"{review.number} is the review of {review.reviewer.username}")


def _stored(wanted: Wanted) -> dict[str, canonical.Value]:
    return {
        "kind": str(wanted.kind),
        "name": wanted.name,
        "records": [list(record) for record in wanted.records],
        "start": wanted.start.astimezone(UTC).isoformat() if wanted.start else "",
        "end": wanted.end.astimezone(UTC).isoformat() if wanted.end else "",
    }
