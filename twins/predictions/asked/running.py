"""Do work that was asked of an alert once, so that it can be repeated to the byte; workers only."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from compliance.refusals import Refused
from compliance.trail import recording
from twins.predictions import leases, runs
from twins.predictions.asked.models import Asked
from twins.predictions.asked.rooms import Room

A = TypeVar("A", bound=Asked)
S = TypeVar("S")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a run came to: an answer, or the refusal that kept it from one.

    `said` is the answer in a word, `told` what lists show of it without reading its document.
    """

    state: str
    said: str = ""
    input: bytes = b""
    output: bytes = b""
    told: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    problem: str = ""


def _nothing(*_: object) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Work(Generic[A, S]):
    """How a room asks, answers the bytes of a question, and says what came of it.

    `beside` is done in the act that records the end, before it is written, and gives more columns.
    """

    ask: Callable[[A], bytes]
    answer: Callable[[A, bytes], tuple[S, bytes]]
    conclude: Callable[[A, bytes, S], Outcome]
    environment: Callable[[], Mapping[str, str]]
    beside: Callable[[A, Outcome, datetime], Mapping[str, Any]] = _nothing


def run(room: Room[A], work: Work[A, S], row: A, *, at: datetime) -> A | None:
    """Claim a request and execute it; return None when somebody else does or has."""
    return execute(room, work, row, at=at) if room.claim(row, at=at) else None


def execute(room: Room[A], work: Work[A, S], row: A, *, at: datetime) -> A:
    """Run a claimed request and record how it ended.

    Raise the room's `claim_lost` when it took so long that another worker has taken it over.
    """
    began = time.monotonic()
    with leases.held(row, action=room.acts.claimed, actor=room.worker):
        found = _outcome(room, work, row)
    ended_at = at + timedelta(seconds=time.monotonic() - began)
    with recording.recording(
        room.acts.failed if found.refusal else room.acts.given,
        actor=room.worker,
        at=ended_at,
        reason=found.problem[:500] or f"{row}: {found.said}",
    ):
        values = {
            "state": found.state,
            "input": found.input.decode(),
            "input_digest": runs.digest(found.input) if found.input else "",
            "output": found.output.decode(),
            "output_digest": runs.digest(found.output) if found.output else "",
            "environment": work.environment(),
            "finished_at": ended_at,
            "refusal": found.refusal,
            "problem": found.problem,
            **found.told,
            **work.beside(row, found, ended_at),
        }
        if not leases.own(row).update(**values):
            raise room.refusals.claim_lost(f"{row} was taken over by another worker")
    row.refresh_from_db()
    return row


def _outcome(room: Room[A], work: Work[A, S], row: A) -> Outcome:
    given = b""
    try:
        given = work.ask(row)
        # From the bytes, not from the question: a replay has nothing else.
        answer, output = work.answer(row, given)
        return replace(work.conclude(row, given, answer), input=given, output=output)
    except SoftTimeLimitExceeded:
        why = "it took longer than a worker may give to it; ask again"
        refused: Refused = room.refusals.too_slow(why)
    except MemoryError:
        raise  # says something of the worker, and nothing of the batch: another one takes it over
    except Refused as refusal:
        refused = refusal
    except Exception as error:
        # It is pure: what it raises for this input it raises each time, so it is the outcome.
        log.exception("%s failed", row)
        refused = room.refusals.broken(f"{type(error).__name__}: {error}")
    return Outcome(room.failed, input=given, refusal=refused.code, problem=str(refused))
