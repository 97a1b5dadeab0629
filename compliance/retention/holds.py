"""Place and lift legal holds by two people, and say what they keep (EU GMP 4.10; litigation)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import models
from django.db.models import QuerySet

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.retention import kinds
from compliance.retention.actions import Action
from compliance.retention.models import HeldRecord, HoldState, LegalHold
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.signing import Confirmed
from compliance.trail import capture, detaching, log_events, recording
from compliance.trail.tlog import canonical


class HoldInvalid(Refused):
    code = "legal-hold-invalid"
    status = 422


class HoldStateForbids(Refused):
    code = "legal-hold-state"


class SecondPersonNeeded(Refused):
    """Who asks does not confirm."""

    code = "second-person-needed"
    status = 403


# What may be done to a hold in which state: data, for the pages and for the tests.
ALLOWED: dict[str, frozenset[str]] = {
    HoldState.REQUESTED: frozenset({"confirm"}),
    HoldState.PLACED: frozenset({"request-lift"}),
    HoldState.LIFT_REQUESTED: frozenset({"lift"}),
    HoldState.LIFTED: frozenset(),
}


def request(
    *, title: str, records: Sequence[tuple[str, str]], actor: User, at: datetime, reason: str
) -> LegalHold:
    """Ask for a hold over records, as (kind, number); it is in force from now on."""
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    text = recording.demand_reason(reason)
    if len(title.strip()) < 8 or not records:
        raise HoldInvalid("a legal hold has a title of 8 characters or more, and names its records")
    for kind, number in records:
        _demand_known(kind, number)
    with recording.recording(Action.HOLD_REQUESTED, actor=actor, at=at, reason=text):
        hold = LegalHold.objects.create(
            number=numbering.next_number(LegalHold, prefix="LH", at=at), title=title.strip(),
            reason=text, requested_by=actor, requested_at=at,
        )  # fmt: skip
        HeldRecord.objects.bulk_create(
            HeldRecord(hold=hold, kind=kind, subject=number) for kind, number in set(records)
        )
        # The trail's own hold: no entry leaves the database while it is in force.
        log_events.record(
            detaching.HOLD, {"v": 1, "hold": hold.number}, actor=actor, at=at, reason=text
        )
    return hold


def confirm(hold: LegalHold, *, confirmed: Confirmed) -> LegalHold:
    """Place a requested hold, by the signature of a second person."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    reason = f"{hold.number} is placed: {hold.title}"
    with recording.recording(Action.HOLD_CONFIRMED, actor=actor, at=at, reason=reason):
        locked = _taken(hold, "confirm")
        _demand_second(actor, locked.requested_by_id, locked)
        locked.placed_signature = _signed(locked, confirmed, locked.reason)
        locked.state = HoldState.PLACED
        locked.save(update_fields=["placed_signature", "state"])
    return locked


def request_lift(hold: LegalHold, *, actor: User, at: datetime, reason: str) -> LegalHold:
    """Ask that a hold be lifted; it stays in force until a second person signs."""
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    text = recording.demand_reason(reason)
    with recording.recording(Action.LIFT_REQUESTED, actor=actor, at=at, reason=text):
        locked = _taken(hold, "request-lift")
        locked.state = HoldState.LIFT_REQUESTED
        locked.lift_reason = text
        locked.lift_requested_by = actor
        locked.lift_requested_at = at
        locked.save(
            update_fields=["state", "lift_reason", "lift_requested_by", "lift_requested_at"]
        )
    return locked


def lift(hold: LegalHold, *, confirmed: Confirmed) -> LegalHold:
    """Lift a hold, by the signature of somebody other than who asked for it."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.PLACE_LEGAL_HOLD)
    reason = f"{hold.number} is lifted: {hold.title}"
    with recording.recording(Action.HOLD_LIFTED, actor=actor, at=at, reason=reason):
        locked = _taken(hold, "lift")
        _demand_second(actor, locked.lift_requested_by_id, locked)
        locked.lift_signature = _signed(locked, confirmed, locked.lift_reason)
        locked.state = HoldState.LIFTED
        locked.save(update_fields=["lift_signature", "state"])
        log_events.record(
            detaching.RELEASE, {"v": 1, "hold": locked.number}, actor=actor, at=at, reason=reason
        )
    return locked


def in_force() -> QuerySet[LegalHold]:
    return LegalHold.objects.exclude(state=HoldState.LIFTED).order_by("pk")


def over(record: models.Model) -> list[LegalHold]:
    """Return the holds in force that keep a record."""
    key = (capture.record_of(type(record)), str(record.pk))
    found = HeldRecord.objects.exclude(hold__state=HoldState.LIFTED).select_related("hold")
    return sorted({one.hold for one in found if _covers(one, key)}, key=lambda hold: hold.pk)


def of_subject(kind: str, number: str) -> list[LegalHold]:
    """Return the holds in force that name this very record, or everything."""
    named = HeldRecord.objects.filter(kind=kind, subject=number) | HeldRecord.objects.filter(
        kind=kinds.EVERYTHING
    )
    return list(in_force().filter(held__in=named).distinct())


def why_kept(record: models.Model, column: str) -> str | None:
    """Say why a value is not erased, or None (GDPR art. 17(3)(e))."""
    found = over(record)
    return f"legal hold {', '.join(hold.number for hold in found)} keeps it" if found else None


@signing.signable(LegalHold, meanings={Meaning.APPROVED})
def content(hold: LegalHold) -> Mapping[str, canonical.Value]:
    """What a signature under a hold covers: what it keeps and why, and why it is lifted."""
    return {
        "number": hold.number,
        "title": hold.title,
        "reason": hold.reason,
        "requested_by": hold.requested_by.username,
        "lift_reason": hold.lift_reason,
        "records": [[one.kind, one.subject] for one in hold.held.order_by("kind", "subject")],
    }


def _covers(held: HeldRecord, key: tuple[str, str]) -> bool:
    if held.kind == kinds.EVERYTHING:
        return True
    if held.kind == kinds.RECORD:
        return held.subject == " ".join(key)
    return key in set(kinds.by_name(held.kind).records(held.subject))


def _demand_known(kind: str, number: str) -> None:
    if kind == kinds.EVERYTHING:
        return
    if kind == kinds.RECORD:
        tables = {control.record for control in capture.controls()}
        table, _, key = number.partition(" ")
        if table not in tables or not key:
            raise HoldInvalid(f"“{number}” names no record: write its table and its key")
        return
    kinds.subject(kind, number)


def _taken(hold: LegalHold, act: str) -> LegalHold:
    locked = LegalHold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    if act not in ALLOWED[locked.state]:
        raise HoldStateForbids(f"{locked} is {locked.get_state_display().lower()}: not to {act}")
    return locked


def _demand_second(actor: User, first: int | None, hold: LegalHold) -> None:
    if actor.pk == first:
        raise SecondPersonNeeded(
            f"{actor} asked for it: {hold} needs the signature of another person"
        )


def _signed(hold: LegalHold, confirmed: Confirmed, comment: str) -> Signature:
    return signing.sign(hold, meaning=Meaning.APPROVED, confirmed=confirmed, comment=comment)
