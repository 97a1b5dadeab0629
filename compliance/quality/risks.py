"""Assess risks: scales, failure modes, independent raters, a decision with reasons (ICH Q9(R1))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import occurrences, rating_spread
from compliance.quality.actions import Action
from compliance.quality.models import (
    Category,
    Dimension,
    FailureMode,
    Rating,
    Risk,
    RiskReview,
    RiskState,
    Scale,
    ScaleLevel,
)
from compliance.quality.rating_spread import Numbers, Spread
from compliance.quality.states import RISK, OfRisk
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

RATERS = 2


class RiskIncomplete(Refused):
    code = "risk-incomplete"
    status = 422


class ScaleIncomplete(Refused):
    code = "scale-incomplete"
    status = 422


class RatedAlready(Refused):
    """A rating stands until the next review; nobody adapts it to the others'."""

    code = "rated-already"


class SeverityForbids(Refused):
    """A severe effect is not accepted by a low number (ICH Q9(R1): not the RPN alone)."""

    code = "severity-forbids"


@dataclass(frozen=True)
class Mode:
    """One way in which it can fail."""

    text: str
    effect: str
    cause: str
    controls: str = ""


@dataclass(frozen=True)
class Subject:
    """What a risk assessment is about; deviations of the category are counted against it."""

    title: str
    scope: str
    category: Category = Category.UNSORTED
    concerns: str = ""


def define_scale(
    *, title: str, levels: Mapping[Dimension, Sequence[str]], severe_from: int, confirmed: Confirmed
) -> Scale:
    """Define the next version of the scales by signature: what each number means, from 1 on."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_RISK)
    counts = {len(levels.get(dimension, ())) for dimension in Dimension}
    if len(counts) != 1 or not 3 <= max(counts) <= 10 or not 2 <= severe_from <= max(counts):
        raise ScaleIncomplete("each of the three dimensions defines the same 3 to 10 numbers")
    if any(len(text.strip()) < 8 for texts in levels.values() for text in texts):
        raise ScaleIncomplete("each number says in 8 characters or more what it means")
    with recording.recording(Action.SCALE_DEFINED, actor=actor, at=at, reason=title):
        last = Scale.objects.select_for_update().order_by("-version").first()
        scale = Scale.objects.create(
            version=last.version + 1 if last else 1, title=title.strip(), highest=max(counts),
            severe_from=severe_from, approved_by=actor, approved_at=at,
        )  # fmt: skip
        ScaleLevel.objects.bulk_create(
            ScaleLevel(scale=scale, dimension=dimension, level=level, definition=text.strip())
            for dimension, texts in levels.items()
            for level, text in enumerate(texts, start=1)
        )
        signing.sign(scale, meaning=Meaning.APPROVED, confirmed=confirmed)
    return scale


def open_(*, subject: Subject, actor: User, at: datetime) -> Risk:
    """Open an assessment on the newest version of the scales."""
    authority.demand(actor, Duty.ASSESS_RISK)
    if len(subject.title.strip()) < 8 or len(subject.scope.strip()) < 20:
        raise RiskIncomplete("a risk has a title of 8 characters and says in 20 what it covers")
    scale = Scale.objects.order_by("-version").first()
    if scale is None:
        raise RiskIncomplete("no scale is defined yet: quality defines what the numbers mean")
    with recording.recording(Action.RISK_OPENED, actor=actor, at=at, reason=subject.title):
        return Risk.objects.create(
            number=numbering.next_number(Risk, prefix="RISK", at=at), title=subject.title.strip(),
            scope=subject.scope.strip(), scale=scale, author=actor, opened_at=at,
            category=subject.category, concerns=subject.concerns.strip(),
        )  # fmt: skip


def add_mode(risk: Risk, *, mode: Mode, actor: User, at: datetime) -> FailureMode:
    RISK.permit(actor, OfRisk.ADD_MODE)
    if min(len(mode.text.strip()), len(mode.effect.strip()), len(mode.cause.strip())) < 5:
        raise RiskIncomplete("a failure mode says how it fails, what follows, and why")
    with recording.recording(Action.FAILURE_MODE_ADDED, actor=actor, at=at, reason=mode.text):
        held = RISK.take(risk, OfRisk.ADD_MODE)
        return FailureMode.objects.create(risk=held, **vars(mode))


def rate(
    mode: FailureMode, *, numbers: Numbers, rationale: str, actor: User, at: datetime
) -> Rating:
    """Give one's own numbers; once in a round, and without the others' in sight."""
    RISK.permit(actor, OfRisk.RATE)
    text = recording.demand_reason(rationale)
    with recording.recording(Action.RISK_RATED, actor=actor, at=at, reason=text):
        held = RISK.take(mode.risk, OfRisk.RATE)
        given = (numbers.severity, numbers.occurrence, numbers.detection)
        if not all(1 <= one <= held.scale.highest for one in given):
            raise RiskIncomplete(f"numbers go from 1 to {held.scale.highest}: see {held.scale}")
        if mode.ratings.filter(round=held.round, rater=actor).exists():
            raise RatedAlready(f"you rated “{mode.text}” in this round already")
        return Rating.objects.create(
            mode=mode, round=held.round, rater=actor, severity=numbers.severity,
            occurrence=numbers.occurrence, detection=numbers.detection, rationale=text,
            rated_at=at,
        )  # fmt: skip


def spreads(risk: Risk) -> list[tuple[FailureMode, list[Rating], Spread | None]]:
    """Return each failure mode with its ratings of this round and how they lie apart."""
    modes = risk.modes.prefetch_related("ratings__rater").order_by("pk")
    found = []
    for mode in modes:
        ratings = sorted(
            (one for one in mode.ratings.all() if one.round == risk.round), key=lambda one: one.pk
        )
        numbers = [Numbers(one.severity, one.occurrence, one.detection) for one in ratings]
        spread = rating_spread.of(numbers, highest=risk.scale.highest) if numbers else None
        found.append((mode, ratings, spread))
    return found


def visible_ratings(risk: Risk, *, to: User) -> list[Rating]:
    """Return the ratings that somebody may see: while others rate, only one's own."""
    found = Rating.objects.filter(mode__risk=risk, round=risk.round).select_related("mode", "rater")
    if risk.state == RiskState.RATING and Duty.APPROVE_RISK not in to.duties:
        found = found.filter(rater=to)
    return list(found.order_by("pk"))


def decide(
    risk: Risk, *, is_accepted: bool, rationale: str, review_due_on: date, confirmed: Confirmed,
    resolved: str = "",
) -> Risk:  # fmt: skip
    """Accept a risk or have it mitigated, by signature and with reasons.

    The product of the numbers decides nothing: a severity from `scale.severe_from` on is not
    accepted, and where raters lie wide apart `resolved` says what they agreed upon.
    """
    actor, at = confirmed.signer, confirmed.at
    RISK.permit(actor, OfRisk.DECIDE)
    text = recording.demand_reason(rationale)
    with recording.recording(Action.RISK_DECIDED, actor=actor, at=at, reason=text):
        held = RISK.take(risk, OfRisk.DECIDE)
        _demand_rated(held, resolved)
        if is_accepted:
            _demand_not_severe(held)
        if len(text) < 30 or review_due_on <= at.date():
            raise RiskIncomplete(
                "a decision takes a rationale of 30 characters and a day of review ahead"
            )
        held.rationale = f"{text} {resolved.strip()}".strip()
        held.decided_by, held.decided_at, held.review_due_on = actor, at, review_due_on
        held.state = RiskState.ACCEPTED if is_accepted else RiskState.TO_MITIGATE
        held.save()
        said = f"{held.get_state_display()}: {text}"
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed, comment=said)
    return held


def review(
    risk: Risk, *, text: str, is_rated_again: bool, next_due_on: date | None, actor: User,
    at: datetime,
) -> RiskReview:  # fmt: skip
    """Look back at a decided risk, beside what has occurred since; it may have to be rated again."""
    RISK.permit(actor, OfRisk.REVIEW)
    said = recording.demand_reason(text)
    with recording.recording(Action.RISK_REVIEWED, actor=actor, at=at, reason=said):
        held = RISK.take(risk, OfRisk.REVIEW)
        if not is_rated_again and (next_due_on is None or next_due_on <= at.date()):
            raise RiskIncomplete("name the day of the next review, or have it rated again")
        made = RiskReview.objects.create(
            risk=held, text=said, deviations_since=_occurred(held, since=held.decided_at, until=at),
            is_rated_again=is_rated_again, reviewed_by=actor, reviewed_at=at,
            next_due_on=None if is_rated_again else next_due_on,
        )  # fmt: skip
        if is_rated_again:
            held.state, held.round = RiskState.RATING, held.round + 1
        else:
            held.review_due_on = next_due_on
        held.save(update_fields=["state", "round", "review_due_on"])
    return made


def retire(risk: Risk, *, actor: User, at: datetime, reason: str) -> Risk:
    RISK.permit(actor, OfRisk.RETIRE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RISK_RETIRED, actor=actor, at=at, reason=text):
        held = RISK.take(risk, OfRisk.RETIRE)
        held.state = RiskState.RETIRED
        held.save(update_fields=["state"])
    return held


def overdue(*, on: date) -> QuerySet[Risk]:
    """Return the decided risks whose day of review has passed."""
    return Risk.objects.filter(
        state__in=[RiskState.ACCEPTED, RiskState.TO_MITIGATE], review_due_on__lt=on
    ).order_by("review_due_on", "pk")


@signing.signable(Scale)
def scale_content(scale: Scale) -> Mapping[str, canonical.Value]:
    """What a signature under a scale covers: the meaning of each number."""
    return {
        "version": scale.version, "title": scale.title, "severe_from": scale.severe_from,
        "levels": [
            [one.dimension, one.level, one.definition]
            for one in scale.levels.order_by("dimension", "level")
        ],
    }  # fmt: skip


@signing.signable(Risk)
def signed_content(risk: Risk) -> Mapping[str, canonical.Value]:
    """What a signature under a risk covers: its modes, every rating of the round, the reasons."""
    return {
        "number": risk.number, "title": risk.title, "scope": risk.scope, "round": risk.round,
        "scale": risk.scale.version, "rationale": risk.rationale,
        "modes": [
            [mode.text, mode.effect, mode.cause, mode.controls]
            for mode in risk.modes.order_by("pk")
        ],
        "ratings": [
            [one.mode_id, one.rater.username, one.severity, one.occurrence, one.detection]
            for one in Rating.objects.filter(mode__risk=risk, round=risk.round)
            .select_related("rater")
            .order_by("pk")
        ],
    }  # fmt: skip


def _demand_rated(risk: Risk, resolved: str) -> None:
    found = spreads(risk)
    if not found:
        raise RiskIncomplete(f"{risk.number} names no failure mode")
    few = [mode.text for mode, ratings, _ in found if len(ratings) < RATERS]
    if few:
        raise RiskIncomplete(f"rated by fewer than {RATERS} people: {'; '.join(few)}")
    wide = [mode.text for mode, _, spread in found if spread is not None and spread.is_wide]
    if wide and len(resolved.strip()) < 20:
        raise RiskIncomplete(
            f"the raters lie wide apart on {'; '.join(wide)}: say in 20 characters or more "
            "what they agreed upon, and why"
        )


def _demand_not_severe(risk: Risk) -> None:
    severe = [
        mode.text
        for mode, _, spread in spreads(risk)
        if spread is not None and spread.worst.severity >= risk.scale.severe_from
    ]
    if severe:
        raise SeverityForbids(
            f"severity {risk.scale.severe_from} or more is mitigated, not accepted, however low "
            f"the product of the numbers is: {'; '.join(severe)}"
        )


def _occurred(risk: Risk, *, since: datetime | None, until: datetime) -> int:
    return 0 if since is None else occurrences.count(risk, since=since, until=until)
