"""Have the newest checkpoint cosigned by the witnesses of the policy, and keep what they sign."""

import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import httpx
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

from compliance.trail import published, stored, trust, witness_calls
from compliance.trail.published import Published
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import merkle, tiles
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.policy import NotOfLog, Policy, Witness
from compliance.trail.tlog.witness_request import AddCheckpoint
from compliance.trail.witness_calls import (
    Contradicted,
    OtherSize,
    Refused,
    Reply,
    Unreachable,
)

log = logging.getLogger(__name__)
ALIAS = "signer"
ATTEMPTS = 4
FIRST_PAUSE_S = 0.5
MOST_AT_ONCE = 16


class Outcome(StrEnum):
    """How one witness answered."""

    COSIGNED = "cosigned"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CONTRADICTED = "contradicted"  # it cosigned another history: this log was forked
    ROLLED_BACK = "rolled-back"  # it cosigned more leaves than this database has
    OVERTAKEN = "overtaken"  # by a newer checkpoint, meanwhile signed and cosigned


ALARMS = frozenset({Outcome.CONTRADICTED, Outcome.ROLLED_BACK})


@dataclass(frozen=True)
class Answer:
    """What one witness of the policy said about the checkpoint, and why."""

    witness: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """One round of asking; `shortfall` says what the policy's quorum lacks, empty when met."""

    size: int
    answers: tuple[Answer, ...]
    shortfall: str

    @property
    def alarms(self) -> tuple[Answer, ...]:
        """Answers that mean that the log was forked or rolled back."""
        return tuple(one for one in self.answers if one.outcome in ALARMS)


@dataclass
class _Asked:
    """A witness that has not answered for good yet."""

    witness: Witness
    old: int
    last: Answer = field(init=False)
    is_settled: bool = False

    def settle(self, outcome: Outcome, detail: str = "") -> None:
        self.last = Answer(self.witness.name, outcome, detail)
        self.is_settled = outcome is not Outcome.UNREACHABLE


def identity(verifier: Verifier) -> str:
    """Return what names a witness in the database: key name and key ID together."""
    return identity_of(verifier.name, verifier.key_id)


def identity_of(name: str, key_id: bytes) -> str:
    return f"{name}+{key_id.hex()}"


def collect(at: datetime, *, log_id: int = LOG_ID) -> Collected | None:
    """Ask every witness that has not cosigned the newest checkpoint; None when there is nothing to.

    Safe to run twice and beside itself: a witness counts once for a size. One that is down does not
    keep the others waiting, and is asked again at the next call.
    """
    policy = trust.policy()
    with connection.cursor() as cursor:
        newest = published.newest(cursor, log_id)
        if policy is None or newest is None:
            return None
        asked = _unanswered(cursor, log_id, newest.size, policy)
    with httpx.Client(timeout=witness_calls.TIMEOUT) as client:
        for attempt in range(ATTEMPTS):
            waiting = [one for one in asked if not one.is_settled]
            if not waiting:
                break
            if attempt and any(one.last.outcome is Outcome.UNREACHABLE for one in waiting):
                time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.7, 1.3))  # noqa: S311
            _round(client, log_id, newest, waiting, at)
    return _reported(log_id, newest, policy, [one.last for one in asked])


def _unanswered(cursor: CursorWrapper, log_id: int, size: int, policy: Policy) -> list[_Asked]:
    cursor.execute(
        "SELECT witness, max(size) FROM audit.cosignature WHERE log_id = %s AND size <= %s "
        "AND witness = ANY(%s) GROUP BY witness",
        [log_id, size, [identity(one.verifier) for one in policy.witnesses.values()]],
    )
    last = dict(cursor.fetchall())
    found = [
        _Asked(one, last.get(identity(one.verifier), 0))
        for one in policy.witnesses.values()
        if one.url
    ]
    return [one for one in found if one.old < size or not size]


def _round(
    client: httpx.Client, log_id: int, newest: Published, waiting: Sequence[_Asked], at: datetime
) -> None:
    """Ask all of them at once; only this thread uses the database."""
    with connection.cursor() as cursor:
        reader = tiles.TiledReader(stored.fetch(cursor, log_id))
        bodies = [_body(one.old, newest, reader) for one in waiting]

    def send(one: _Asked, body: str) -> Reply | Exception:
        try:
            return witness_calls.send(client, str(one.witness.url), body)
        except (Unreachable, Refused) as error:
            return error

    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        replies = list(pool.map(send, waiting, bodies))
    for one, reply in zip(waiting, replies, strict=True):
        _judge(log_id, newest, one, reply, at)


def _body(old: int, newest: Published, reader: tiles.TiledReader) -> str:
    steps = tuple(merkle.consistency_proof(old, newest.size, reader))
    return AddCheckpoint(old=old, steps=steps, note=newest.note).text()


def _judge(
    log_id: int, newest: Published, one: _Asked, reply: Reply | Exception, at: datetime
) -> None:
    verifier = one.witness.verifier
    try:
        if isinstance(reply, Exception):
            raise reply
        line, _ = witness_calls.cosignature(
            reply, signed=newest.note, old=one.old, verifier=verifier, clock=at.timestamp()
        )
    except Unreachable as error:
        one.settle(Outcome.UNREACHABLE, str(error))
    except Contradicted as error:
        one.settle(Outcome.CONTRADICTED, str(error))
    except Refused as error:
        one.settle(Outcome.REFUSED, str(error))
    except OtherSize as error:
        _continue_from(log_id, newest, one, error.size)
    else:
        _keep(log_id, newest.size, identity(verifier), line)
        one.settle(Outcome.COSIGNED)


def _continue_from(log_id: int, newest: Published, one: _Asked, size: int) -> None:
    """Prove from the size that the witness told, next time; from a larger one nobody can."""
    one.last = Answer(one.witness.name, Outcome.REFUSED, f"it told {size} leaves, and another size")
    if size <= newest.size:
        one.old = size
        return
    with connection.cursor() as cursor:
        last = published.newest(cursor, log_id)
    if last is not None and last.size >= size:
        one.settle(Outcome.OVERTAKEN, f"the witness cosigned {size} leaves meanwhile")
    else:
        one.settle(
            Outcome.ROLLED_BACK,
            f"the witness cosigned {size} leaves, the newest checkpoint here has {newest.size}: "
            "the database was rolled back. Recover the rest, or begin a new log",
        )


def _keep(log_id: int, size: int, witness: str, line: str) -> None:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit.cosignature (log_id, size, witness, line) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [log_id, size, witness, line],
        )


def _reported(
    log_id: int, newest: Published, policy: Policy, answers: Sequence[Answer]
) -> Collected:
    for one in answers:
        if one.outcome in ALARMS:
            log.error("Witness %s: %s", one.witness, one.detail)
        elif one.outcome in {Outcome.UNREACHABLE, Outcome.REFUSED}:
            log.warning("Witness %s is %s: %s", one.witness, one.outcome, one.detail)
    with connection.cursor() as cursor:
        now = published.of_size(cursor, log_id, newest.size) or newest
    return Collected(size=newest.size, answers=tuple(answers), shortfall=shortfall(now, policy))


def shortfall(one: Published, policy: Policy) -> str:
    """Say what the quorum lacks for a checkpoint; empty when the policy is met."""
    try:
        return policy.weigh(one.cosigned).shortfall
    except NotOfLog as error:
        return f"the policy does not know this log: {error}"
