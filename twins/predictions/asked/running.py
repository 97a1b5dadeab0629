"""Do work that was asked of an alert once, and repeat it from its record to the byte."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from compliance.refusals import Refused
from compliance.trail import recording
from twins.predictions import environment, leases, replays, runs
from twins.predictions.asked.models import Asked
from twins.predictions.asked.rooms import Room
from twins.predictions.replays import Replay

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

    `package` is what the last bits of an answer depend on beside NumPy, `code` gives the digest of the
    code that answered and of the one here. `beside` is done in the act that records the end, before it
    is written, and gives more columns.
    """

    room: Room[A]
    ask: Callable[[A], bytes]
    answer: Callable[[A, bytes], tuple[S, bytes]]
    conclude: Callable[[A, bytes, S], Outcome]
    package: str
    code: Callable[[A], tuple[str, str]]
    beside: Callable[[A, Outcome, datetime], Mapping[str, Any]] = _nothing

    def run(self, row: A, *, at: datetime) -> A | None:
        """Claim a request and execute it; return None when somebody else does or has."""
        return self.execute(row, at=at) if self.room.claim(row, at=at) else None

    def execute(self, row: A, *, at: datetime) -> A:
        """Run a claimed request and record how it ended.

        Raise the room's `claim_lost` when it took so long that another worker has taken it over.
        """
        room, began = self.room, time.monotonic()
        with leases.held(row, action=room.acts.claimed, actor=room.worker):
            found = self._outcome(row)
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
                "environment": environment.current(self.package),
                "finished_at": ended_at,
                "refusal": found.refusal,
                "problem": found.problem,
                **found.told,
                **self.beside(row, found, ended_at),
            }
            if not leases.own(row).update(**values):
                raise room.refusals.claim_lost(f"{row} was taken over by another worker")
        row.refresh_from_db()
        return row

    def replay(self, row: A) -> Replay:
        """Answer the recorded question again; raise the room's `not_replayable` without an answer."""
        if not row.output:
            raise self.room.refusals.not_replayable(
                f"{row} is {row.get_state_display().lower()}: there is nothing to repeat"
            )
        recorded, here = self.code(row)
        return replays.repeat(
            row,
            lambda given: self.answer(row, given)[1],
            around={"code": recorded, **row.environment},
            here={"code": here, **environment.current(self.package)},
        )

    def _outcome(self, row: A) -> Outcome:
        refusals, given = self.room.refusals, b""
        try:
            given = self.ask(row)
            # From the bytes, not from the question: a replay has nothing else.
            answer, output = self.answer(row, given)
            return replace(self.conclude(row, given, answer), input=given, output=output)
        except SoftTimeLimitExceeded:
            why = "it took longer than a worker may give to it; ask again"
            refused: Refused = refusals.too_slow(why)
        except MemoryError:
            raise  # says something of the worker, and nothing of the batch: another one takes it over
        except Refused as refusal:
            refused = refusal
        except Exception:
            # It is pure: what it raises for this input it raises each time, so it is the outcome.
            # What a solver says of its own matrices is for the log; people read `problem`.
            log.exception("%s failed", row)
            refused = refusals.broken(
                "the twin ended with an error that it has no words for. Ask again after the next "
                f"prediction; the worker's log has it as {self.room.name} {row.pk}"
            )
        return Outcome(self.room.failed, input=given, refusal=refused.code, problem=str(refused))
