"""Check a name and password, count the failures, and lock: one counter for sessions and signatures."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from compliance.access.actions import Action
from compliance.access.models import SignIn, SignInOutcome, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System

MAX_FAILURES = 5  # 21 CFR 11.300(d)
LOCK_FOR = timedelta(minutes=15)


class CredentialsWrong(Refused):
    code = "credentials-wrong"
    status = 403


class Locked(Refused):
    code = "locked"
    status = 403


def check(*, username: str, password: str, purpose: str, address: str, at: datetime) -> User:
    """Return the person these credentials belong to, or raise `CredentialsWrong` or `Locked`.

    Every attempt is a record of its own, committed also when what asked for it rolls back: call
    it outside a transaction that may fail.
    """
    if is_locked(username, at=at):
        _record(username, purpose, SignInOutcome.LOCKED, address, at)
        raise Locked(
            f"{username} is locked after {MAX_FAILURES} wrong attempts; wait "
            f"{LOCK_FOR.seconds // 60} minutes or ask an administrator"
        )
    person = User.objects.filter(username__iexact=username, is_active=True).first()
    if person is None:
        make_password(password)  # as slow as a known name, so that names cannot be guessed
    if person is None or not person.check_password(password):
        _record(username, purpose, SignInOutcome.WRONG, address, at)
        raise CredentialsWrong("this name and password do not belong together")
    _record(username, purpose, SignInOutcome.ACCEPTED, address, at)
    return person


def is_locked(username: str, *, at: datetime) -> bool:
    """Say whether the last attempts within the lock time all failed, and were too many."""
    recent = (
        SignIn.objects.filter(username__iexact=username, attempted_at__gt=at - LOCK_FOR)
        .exclude(outcome__in=[SignInOutcome.LOCKED, SignInOutcome.SIGNED_OUT])
        .order_by("-pk")
        .values_list("outcome", flat=True)[:MAX_FAILURES]
    )
    return len(recent) == MAX_FAILURES and set(recent) == {SignInOutcome.WRONG}


def signed_out(person: User, *, address: str, at: datetime) -> None:
    _record(person.username, "session", SignInOutcome.SIGNED_OUT, address, at)


def _record(
    username: str, purpose: str, outcome: SignInOutcome, address: str, at: datetime
) -> None:
    with recording.recording(
        Action.SIGN_IN, actor=System("access"), at=at, reason=f"{purpose}: {outcome.label}"
    ):
        SignIn.objects.create(
            username=username.replace("\0", "")[:150],
            purpose=purpose,
            outcome=outcome,
            address=address[:64],
            attempted_at=at,
        )
