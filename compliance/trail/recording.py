"""Open an act: the transaction in which controlled records may change, with who and why."""

import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from json.encoder import encode_basestring as _json  # the C encoder of one text
from types import MappingProxyType
from typing import Any, Protocol

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from compliance.refusals import Refused
from compliance.trail.tlog import canonical


class ReasonNotMeaningful(Refused):
    """The reason says nothing (21 CFR 11.10(e); EU GMP Annex 11 section 9)."""

    code = "reason-not-meaningful"
    status = 422


class Outside(Refused):
    """The act was begun outside what can be recorded."""

    code = "act-not-recordable"


@dataclass(frozen=True)
class Identity:
    """Who acts: a person, a device or the system itself, with the role at this moment."""

    id: str
    name: str
    role: str


class Actor(Protocol):
    """Whoever can act. People and devices of `access` are actors; so is `System`."""

    def trail_identity(self) -> Identity: ...


@dataclass(frozen=True)
class System:
    """The product itself, acting by a schedule or a rule; named by the process that acts."""

    name: str

    def trail_identity(self) -> Identity:
        return Identity(id=f"system:{self.name}", name=self.name, role="system")


@dataclass(frozen=True)
class Act:
    """One act in the trail: all entries it caused carry its id."""

    id: str
    action: str
    identity: Identity
    reason: str
    source: str
    at: datetime
    log: int


# Where the request came from (api, admin, task, command) with its correlation id; set at the edge.
source: ContextVar[str] = ContextVar("trail_source", default="process")
# Which log an act goes to: its number, or the log that continues it. None: the installation's own.
log: ContextVar[int | None] = ContextVar("trail_log", default=None)
# The act under way in each connection: one in another connection is no part of this one.
_NONE: Mapping[str, Act] = MappingProxyType({})
_current: ContextVar[Mapping[str, Act]] = ContextVar("trail_act", default=_NONE)
_END = "SELECT set_config('audit.xid', '', true)"
# The act before has ended, but its words are still set in its transaction.
_LAST = "SELECT coalesce(nullif(current_setting('audit.act', true), '')::json ->> 'id', '')"


@contextmanager
def recording(
    action: StrEnum,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    using: str = DEFAULT_DB_ALIAS,
) -> Iterator[Act]:
    """Run a block as one act and one transaction.

    An act inside an act is a savepoint of the outer one; its own name holds until it ends.
    Changes and deletions need a reason, or the database refuses them (SQLSTATE GM003).
    """
    acts = _current.get()
    outer = acts.get(using)
    act = _act(action, actor, at, reason)
    connection: Any = connections[using]  # of our backend: config/postgres
    opens = not connection.in_atomic_block and (
        connection.autocommit or connection.get_autocommit()  # which connects, where it has to
    )
    # The act travels with BEGIN or SAVEPOINT, and its end with RELEASE: one round trip for both.
    connection.statement_at_begin = _begin_statement(act)
    try:
        with transaction.atomic(using=using):
            if connection.statement_at_begin is not None:  # there was no savepoint to be made
                _execute(connection.statement_at_begin, using)
            token = _current.set({**acts, using: act})  # last: a refused act must not stay current
            try:
                yield act
            finally:
                _current.reset(token)
            # Not reached after an exception: the rollback to the savepoint restores the outer act.
            if connection.needs_rollback or connection.is_aborted:
                # A statement failed, or a savepoint could not be rolled back, and somebody caught
                # what said so. Django or the server would now roll back without a word, and the
                # caller believe in a commit.
                raise OperationalError(f"the act {act.action} was not committed: try it again")
            if outer is not None:
                connection.statement_at_release = _begin_statement(outer)
            elif not opens:  # else COMMIT ends it
                connection.statement_at_release = _END
        if not opens:
            connection.act_before = act.id if outer is None else outer.id
    finally:
        connection.statement_at_begin = connection.statement_at_release = None


def closing(action: StrEnum, *, actor: Actor, at: datetime, reason: str = "") -> tuple[str, str]:
    """Return what begins the last act of an open transaction, and the id of the act before, or "".

    It is sent in one message with the last change (`written_once.Insertion`) and needs no savepoint:
    what fails in it fails the transaction, whose COMMIT ends it. Where that transaction is a
    savepoint of another, its release does.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    act, before = _act(action, actor, at, reason), connection.act_before
    if before is None:
        with connection.cursor() as cursor:
            cursor.execute(_LAST)
            (before,) = cursor.fetchone()
    connection.act_before, connection.statement_at_release = act.id, _END
    return _begin_statement(act), before


def _act(action: StrEnum, actor: Actor, at: datetime, reason: str) -> Act:
    return Act(
        id=str(uuid.uuid4()),
        action=str(action),
        identity=actor.trail_identity(),
        reason=reason.strip(),
        source=source.get(),
        at=at,
        log=log.get() or settings.LOG_ID,
    )


@contextmanager
def into(log_id: int) -> Iterator[None]:
    """Let acts of this block go to another log than the installation's own."""
    token = log.set(log_id)
    try:
        yield
    finally:
        log.reset(token)


def current() -> Act | None:
    """Return the act under way in this thread or task, if any."""
    return _current.get().get(DEFAULT_DB_ALIAS)


def demand_reason(reason: str) -> str:
    """Return the reason without padding, or raise `ReasonNotMeaningful` for an empty phrase.

    What no reader sees does not count, and nothing in a reason turns the direction of writing: it
    would read otherwise than it is stored.
    """
    text = " ".join(reason.split())
    if any(one in _TURNS for one in text):
        raise ReasonNotMeaningful(
            "a reason has no marks that override the direction of writing: type it anew"
        )
    seen = "".join(one for one in text if unicodedata.category(one)[0] not in "CM")
    if len(seen) < 8 or len(set(seen.lower())) < 4 or seen.lower().rstrip(".!") in EMPTY_PHRASES:
        raise ReasonNotMeaningful(
            f"“{text}” is no reason: say in at least 8 characters what was changed and why"
        )
    return text


_TURNS = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")  # UAX 9: embed, override, isolate
EMPTY_PHRASES = frozenset(
    {"correction", "corrected", "data correction", "see above", "as discussed", "no reason"}
    | {"not applicable", "test test", "changed value", "mistake", "wrong value", "typing error"}
)


def _begin_statement(act: Act) -> str:
    """Return the SQL that tells the database who acts; raise `Outside` for what has no form."""
    at = act.at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    text = (  # canonical JSON: members in order, each a text
        f'{{"acted_at":"{at}Z","action":{_json(act.action)},'
        f'"actor":{_json(act.identity.name)},"actor_id":{_json(act.identity.id)},'
        f'"id":"{act.id}","reason":{_json(act.reason)},"role":{_json(act.identity.role)},'
        f'"source":{_json(act.source)}}}'
    )
    # A backslash that somebody wrote is two in JSON: what is left are those of JSON itself.
    has_nul = "\\u0000" in text and "\\u0000" in text.replace("\\\\", "")
    if has_nul or (not text.isascii() and canonical.has_surrogate(text)):
        raise Outside(
            f"the act {act.action!r} has a character that cannot be recorded (NUL, or half of a "
            "surrogate pair): take it out of the reason or the name"
        )
    quoted = text.replace("'", "''")
    # Two literals: the server finds the function by their number, and no cast is to be prepared.
    return f"SELECT audit.begin_act('{act.log}', '{quoted}')"


def _execute(statement: str, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
