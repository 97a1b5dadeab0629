"""Enrol, use and remove second factors; each is a record, and wrong answers lock the name."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from compliance.access import authority, credentials
from compliance.access.duties import Duty
from compliance.access.models import SignInOutcome, User
from compliance.refusals import Refused
from compliance.signin import sealed, security_keys, totp
from compliance.signin.actions import Action
from compliance.signin.models import FactorKind, FactorUse, SecondFactor
from compliance.signin.security_keys import Answer
from compliance.trail import recording, refusals

PURPOSE = credentials.SECOND
CODES = 10


class FactorWrong(Refused):
    """The answer is not one of an enrolled second factor of this person."""

    code = "second-factor-wrong"
    status = 403


class FactorKnown(Refused):
    code = "second-factor-known"


class FactorRemoved(Refused):
    code = "second-factor-removed"


class PasswordNotOwn(Refused):
    """Whoever set this password could enrol a factor in the person's name, and keep it."""

    code = "password-not-own"
    status = 403


class FactorNotTested(Refused):
    """A factor counts from its first right answer on (21 CFR 11.300(e))."""

    code = "second-factor-not-tested"
    status = 422


def active(person: User) -> list[SecondFactor]:
    return list(SecondFactor.objects.filter(person=person, removed_at=None).order_by("pk"))


def is_asked(person: User) -> bool:
    """Say whether the password alone does not sign this person in: a factor is enrolled."""
    return (
        SecondFactor.objects.filter(person=person, removed_at=None)
        .exclude(kind=FactorKind.RECOVERY_CODES)
        .exists()
    )


# --- Enrolment: what is enrolled has answered once


def enrol_app(person: User, *, secret: bytes, code: str, name: str, at: datetime) -> SecondFactor:
    """Enrol an authenticator app that shows the right code now; raise `FactorNotTested`."""
    step = totp.matching_step(secret, code.strip(), at=at)
    if step is None:
        raise FactorNotTested("the app shows another code; check its clock, and try the next one")
    factor = SecondFactor(kind=FactorKind.TOTP, secret=sealed.close(secret))
    return _enrolled(factor, person, name=name, answer=str(step), at=at)


def enrol_key(
    person: User, *, state: Any, answer: Mapping[str, Any], name: str, at: datetime
) -> SecondFactor:
    """Enrol a security key by its first answer; raise `KeyAnswerWrong`."""
    made = security_keys.enrolled(state, answer)
    factor = SecondFactor(
        kind=FactorKind.SECURITY_KEY,
        credential_id=made.credential_id,
        public_key=made.public_key,
        model_id=made.model_id,
    )
    return _enrolled(factor, person, name=name, answer=_digest(state["challenge"]), at=at)


def make_codes(person: User, *, at: datetime) -> list[str]:
    """Return new recovery codes, shown once; earlier ones end."""
    codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(CODES)]
    factor = SecondFactor(
        kind=FactorKind.RECOVERY_CODES, secret=" ".join(_digest(one) for one in codes)
    )
    reason = "new recovery codes"
    with recording.recording(Action.FACTOR_ENROLLED, actor=person, at=at, reason=reason):
        for former in active(person):
            if former.kind == FactorKind.RECOVERY_CODES:
                _end(former, by=person.username, at=at)
        _enrolled(factor, person, name="Recovery codes", answer="", at=at)
    return codes


def _enrolled(
    factor: SecondFactor, person: User, *, name: str, answer: str, at: datetime
) -> SecondFactor:
    if person.must_change_password:
        raise PasswordNotOwn("choose a password of your own before you enrol a second factor")
    factor.person, factor.name = person, name.strip() or factor.get_kind_display()
    factor.enrolled_at = factor.tested_at = at
    reason = f"{factor.get_kind_display()} “{factor.name}” enrolled and tested"
    with recording.recording(Action.FACTOR_ENROLLED, actor=person, at=at, reason=reason):
        try:
            with transaction.atomic():
                factor.save(force_insert=True)
        except IntegrityError as error:
            raise FactorKnown(
                f"{factor.get_kind_display()}: one is enrolled already; remove it first"
            ) from error
        if answer:
            FactorUse.objects.create(factor=factor, answer=answer, used_at=at)
    return factor


def remove(factor: SecondFactor, *, actor: User, at: datetime, reason: str) -> SecondFactor:
    """Remove a factor: one's own, or a lost one of somebody else as an administrator."""
    if actor.pk != factor.person_id:
        authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.FACTOR_REMOVED, actor=actor, at=at, reason=text):
        locked = SecondFactor.objects.select_for_update().get(pk=factor.pk)
        if locked.removed_at is not None:
            raise FactorRemoved(f"{locked} is removed already")
        _end(locked, by=actor.username, at=at)
    return locked


def _end(factor: SecondFactor, *, by: str, at: datetime) -> None:
    factor.removed_at, factor.removed_by = at, by
    factor.save(update_fields=["removed_at", "removed_by"])


# --- Use


def give_code(person: User, *, code: str, address: str, at: datetime) -> SecondFactor:
    """Take a code of the person's app, or a recovery code; raise `FactorWrong` or `Locked`."""
    with credentials.one_at_a_time(person.username):
        credentials.demand_unlocked(person.username, purpose=PURPOSE, address=address, at=at)
        given = code.strip().replace(" ", "").lower()
        for factor in active(person):
            if answer := _answer(factor, given, at):
                return _used(factor, person, answer=answer, counter=0, address=address, at=at)
        wrong = FactorWrong("this code is not right, or was used before")
        raise _wrong(person, wrong, address, at)


def give_key(
    person: User, *, state: Any, answer: Mapping[str, Any], address: str, at: datetime
) -> SecondFactor:
    """Take the answer of one of the person's security keys; raise `FactorWrong` or `Locked`."""
    return take_key(person, state=state, answer=answer, address=address, at=at).factor


def take_key(
    person: User, *, state: Any, answer: Mapping[str, Any], address: str, at: datetime,
    purpose: str = PURPOSE,
) -> Answer:  # fmt: skip
    """Take a security key's answer, once, for a sign-in or a signature."""
    credentials.demand_unlocked(person.username, purpose=purpose, address=address, at=at)
    try:
        found = security_keys.answered(state, keys(person), answer)
    except security_keys.KeyAnswerWrong as refused:
        wrong = FactorWrong(str(refused))
        raise _wrong(person, wrong, address, at, purpose) from refused
    last = found.factor.uses.aggregate(last=Max("counter"))["last"] or 0
    if found.counter <= last and (found.counter or last):
        # WebAuthn 6.1.1: a counter that goes back may be that of a copy
        wrong = FactorWrong("this security key counted back: there may be a copy of it")
        raise _wrong(person, wrong, address, at, purpose)
    _used(
        found.factor, person, answer=_digest(state["challenge"]), counter=found.counter,
        address=address, at=at, purpose=purpose,
    )  # fmt: skip
    return found


def keys(person: User) -> list[SecondFactor]:
    """Return the person's security keys."""
    return [one for one in active(person) if one.kind == FactorKind.SECURITY_KEY]


def _answer(factor: SecondFactor, given: str, at: datetime) -> str:
    """Return what a right answer is kept as; nothing for a wrong one."""
    if factor.kind == FactorKind.TOTP:
        step = totp.matching_step(sealed.open_(factor.secret), given, at=at)
        return "" if step is None else str(step)
    if factor.kind == FactorKind.RECOVERY_CODES:
        digest = _digest(given)
        known = [hmac.compare_digest(digest, one) for one in factor.secret.split()]
        return digest if any(known) else ""
    return ""


def _used(
    factor: SecondFactor, person: User, *, answer: str, counter: int, address: str, at: datetime,
    purpose: str = PURPOSE,
) -> SecondFactor:  # fmt: skip
    reason = f"{factor.get_kind_display()} “{factor.name}” given: {purpose}"
    try:
        with recording.recording(Action.FACTOR_GIVEN, actor=person, at=at, reason=reason):
            FactorUse.objects.create(
                factor=factor, answer=answer, counter=counter, address=address[:64], used_at=at
            )
    except IntegrityError as error:
        refused = FactorWrong("this code is not right, or was used before")
        raise _wrong(person, refused, address, at, purpose) from error
    credentials.attempted(
        person, purpose=purpose, outcome=SignInOutcome.ACCEPTED, address=address, at=at
    )
    return factor


def _wrong(
    person: User, refused: Refused, address: str, at: datetime, purpose: str = PURPOSE
) -> Refused:
    """Count a wrong answer with the wrong passwords, record the refusal and return it."""
    credentials.attempted(
        person, purpose=purpose, outcome=SignInOutcome.WRONG, address=address, at=at
    )
    refusals.record(
        refused, action=Action.FACTOR_GIVEN, actor=person, at=at, subject=purpose, repeat=""
    )
    return refused


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
