"""Check a name and password, count the failures, and lock: one counter for sessions and signatures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import connections, transaction
from django.db.models import QuerySet

from compliance.access import alarms
from compliance.access.actions import Action
from compliance.access.models import AlarmKind, SignIn, SignInOutcome, User
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from compliance.trail.recording import Actor, System
from compliance.trail.refusals import Unidentified

MAX_FAILURES = 5  # 21 CFR 11.300(d)
LOCK_FOR = timedelta(minutes=15)
_LOCK = 0x5349474E  # of the lock that makes attempts in one name wait for each other


# A right password that does not sign in by itself: it must not end a row of wrong answers.
HALF = "password"
SECOND = "second-factor"
_more: list[Callable[[User], bool]] = []


def more_is_asked_of(asks: Callable[[User], bool]) -> None:
    """Let a higher room say of whom more than the password is asked at sign-in."""
    _more.append(asks)


class CredentialsWrong(Refused):
    code = "credentials-wrong"
    status = 403


class Locked(Refused):
    code = "locked"
    status = 403


def check(*, username: str, password: str, purpose: str, address: str, at: datetime) -> User:
    """Return the person these credentials belong to, or raise `CredentialsWrong` or `Locked`.

    Every attempt is a record of its own, committed also when what asked for it rolls back: else
    whoever holds a session could try passwords without end, in requests that are rolled back.
    """
    username = _typed(username)
    with one_at_a_time(username):
        return _checked(username, password, purpose, address, at)


@contextmanager
def one_at_a_time(username: str) -> Iterator[None]:
    """Let attempts in one name wait for each other, and keep what each of them recorded.

    Else many at once would all be let in before the first of them has failed. What is recorded is
    committed at the end, also when an exception says what came of it.
    """
    kept = transaction.atomic(using=refusals.ALIAS)
    kept.__enter__()
    try:
        with connections[refusals.ALIAS].cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(lower(%s)))", [_LOCK, _typed(username)]
            )
        yield
    finally:
        kept.__exit__(None, None, None)


def _checked(username: str, password: str, purpose: str, address: str, at: datetime) -> User:
    demand_unlocked(username, purpose=purpose, address=address, at=at)
    person = User.objects.filter(username__iexact=username, is_active=True).first()
    if person is None:
        make_password(password)  # as slow as a known name, so that names cannot be guessed
    if person is None or not person.check_password(password):
        _record(username, purpose, SignInOutcome.WRONG, address, at)
        if is_locked(username, at=at):
            _alarm(username, person, purpose, address, at)
        refused = CredentialsWrong("this name and password do not belong together")
        raise kept(refused, username, purpose, at)
    is_half = purpose == "session" and any(asks(person) for asks in _more)
    _record(username, HALF if is_half else purpose, SignInOutcome.ACCEPTED, address, at)
    return person


def demand_unlocked(username: str, *, purpose: str, address: str, at: datetime) -> None:
    """Pass when the name is not locked, else record the attempt and raise `Locked`."""
    if is_locked(username, at=at):
        _record(username, purpose, SignInOutcome.LOCKED, address, at)
        refused = Locked(
            f"{username} is locked after {MAX_FAILURES} wrong attempts; wait "
            f"{LOCK_FOR.seconds // 60} minutes or ask an administrator"
        )
        raise kept(refused, username, purpose, at)


def attempted(
    person: User, *, purpose: str, outcome: SignInOutcome, address: str, at: datetime
) -> None:
    """Record an attempt with something else than the password; it counts with all others."""
    counted(person.username, person, purpose=purpose, outcome=outcome, address=address, at=at)


def counted(
    name: str, about: Actor, *, purpose: str, outcome: SignInOutcome, address: str, at: datetime
) -> None:
    """Record an attempt under a name, a person's or a client's; too many wrong ones are an alarm."""
    name = _typed(name)
    _record(name, purpose, outcome, address, at)
    if outcome == SignInOutcome.WRONG and is_locked(name, at=at):
        _alarm(name, about, purpose, address, at)


def _alarm(username: str, person: Actor | None, purpose: str, address: str, at: datetime) -> None:
    """Tell somebody at once that a name is locked: urgently, says 21 CFR 11.300(d)."""
    text = f"{username} is locked: {MAX_FAILURES} wrong attempts, the last one for a {purpose}"
    about = person or Unidentified(username)
    alarms.raise_(AlarmKind.LOCKED, text, about=about, address=address, at=at)


def kept(refused: Refused, username: str, purpose: str, at: datetime) -> Refused:
    """Record the refusal and return it; each attempt counts, whatever the caller names it."""
    refusals.record(
        refused,
        action=Action.SIGN_IN,
        actor=Unidentified(username),
        at=at,
        subject=purpose,
        repeat="",
    )
    return refused


def _typed(username: str) -> str:
    """Return a name as it can be stored; what is replaced is in nobody's name."""
    return username.replace("\0", "\ufffd").encode(errors="replace").decode()[:150]


def is_locked(username: str, *, at: datetime) -> bool:
    """Say whether the last attempts within the lock time all failed, and were too many.

    Second factors are counted by themselves too: a right password, given to witness or to sign in
    between, does not end a row of wrong codes.
    """
    recent = (
        SignIn.objects.using(refusals.ALIAS)
        .filter(username__iexact=_typed(username), attempted_at__gt=at - LOCK_FOR)
        .exclude(outcome__in=[SignInOutcome.LOCKED, SignInOutcome.SIGNED_OUT])
        .exclude(purpose=HALF, outcome=SignInOutcome.ACCEPTED)
        .order_by("-pk")
    )
    return _are_too_many(recent) or _are_too_many(recent.filter(purpose=SECOND))


def _are_too_many(attempts: QuerySet[SignIn]) -> bool:
    last = list(attempts.values_list("outcome", flat=True)[:MAX_FAILURES])
    return len(last) == MAX_FAILURES and set(last) == {SignInOutcome.WRONG}


def signed_out(person: User, *, address: str, at: datetime) -> None:
    _record(person.username, "session", SignInOutcome.SIGNED_OUT, address, at)


def _record(
    username: str, purpose: str, outcome: SignInOutcome, address: str, at: datetime
) -> None:
    with recording.recording(
        Action.SIGN_IN,
        actor=System("access"),
        at=at,
        reason=f"{purpose}: {outcome.label}",
        using=refusals.ALIAS,
    ):
        SignIn.objects.using(refusals.ALIAS).create(
            username=username,
            purpose=purpose,
            outcome=outcome,
            address=address[:64],
            attempted_at=at,
        )
