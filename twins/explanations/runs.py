"""Explain an alert once for a request, so that the run can be repeated to the byte; workers only."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version as installed_version
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail import recording
from twins.explanations import answers, offers, outputs, questions, requests
from twins.explanations.actions import Action
from twins.explanations.models import Explanation, ExplanationState
from twins.explanations.questions import Question
from twins.hub import batch_models
from twins.models import documents
from twins.predictions import environment, explained_alarms, history, inputs, leases
from twins.predictions import runs as predictions

log = logging.getLogger(__name__)


class ExplanationClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "explanation-claim-lost"


class ExplanationTooSlow(Refused):
    """It took longer than a worker may give to it."""

    code = "explanation-too-slow"


class ExplanationBroken(Refused):
    """The explaining model raised an error that is none of its refusals."""

    code = "explanation-broken"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: an answer, or the refusal that kept it from one."""

    input: bytes = b""
    output: bytes = b""
    said: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""
    problem: str = ""

    @property
    def state(self) -> ExplanationState:
        if self.refusal:
            return ExplanationState.NOT_EXPLAINED
        return ExplanationState(self.said["status"])


def explain(explanation: Explanation, *, at: datetime) -> Explanation | None:
    """Claim a request and execute it; return None when somebody else does or has."""
    return execute(explanation, at=at) if requests.claim(explanation, at=at) else None


def execute(explanation: Explanation, *, at: datetime) -> Explanation:
    """Run a claimed request and record how it ended.

    Raise `ExplanationClaimLost` when it took so long that another worker has taken it over.
    """
    began = time.monotonic()
    with leases.held(explanation, action=Action.EXPLANATION_CLAIMED, actor=requests.WORKER):
        outcome = _outcome(explanation)
    ended_at = at + timedelta(seconds=time.monotonic() - began)
    with recording.recording(
        Action.EXPLANATION_REFUSED if outcome.refusal else Action.EXPLANATION_GIVEN,
        actor=requests.WORKER,
        at=ended_at,
        reason=outcome.problem[:500] or f"{explanation}: {outcome.state.label.lower()}",
    ):
        changed = leases.own(explanation).update(
            state=outcome.state,
            input=outcome.input.decode(),
            input_digest=predictions.digest(outcome.input) if outcome.input else "",
            output=outcome.output.decode(),
            output_digest=predictions.digest(outcome.output) if outcome.output else "",
            code_digest=documents.code_digest(),
            environment=environment_here(),
            finished_at=ended_at,
            refusal=outcome.refusal,
            problem=outcome.problem,
            **outputs.told(outcome.said),
        )
        if not changed:
            raise ExplanationClaimLost(f"{explanation} was taken over by another worker")
    explanation.refresh_from_db()
    return explanation


def environment_here() -> dict[str, str]:
    """Say what the last bits of an answer can depend on beside code, parameters and input."""
    return {**environment.current(), "numba": installed_version("numba")}


def answer(given: bytes, *, rows: bytes) -> tuple[dict[str, Any], bytes]:
    """Answer the stored bytes of a question about the stored bytes of the rows."""
    return answers.answer(questions.read(given), rows=rows)


def _outcome(explanation: Explanation) -> Outcome:
    given = b""
    try:
        given = questions.write(_question(explanation))
        # From the bytes, not from the question: a replay has nothing else.
        said, output = answer(given, rows=explanation.prediction.input.encode())
    except SoftTimeLimitExceeded:
        refused: Refused = ExplanationTooSlow(
            "it took longer than a worker may give to it; ask again"
        )
        return Outcome(input=given, refusal=refused.code, problem=str(refused))
    except MemoryError:
        raise  # says something of the worker, and nothing of the batch: another one takes it over
    except Refused as refusal:
        return Outcome(input=given, refusal=refusal.code, problem=str(refusal))
    except Exception as error:
        # It is pure: what it raises for this input it raises each time, so it is the outcome.
        log.exception("%s failed", explanation)
        problem = f"{type(error).__name__}: {error}"
        return Outcome(input=given, refusal=ExplanationBroken.code, problem=problem)
    why = said.get("refused", {"code": "", "reason": ""})
    return Outcome(given, output, said, refusal=why["code"], problem=why["reason"])


def _question(explanation: Explanation) -> Question:
    offers.demand(explanation.alert)  # its version may have been retired since it was asked for
    prediction = explanation.prediction
    opened = batch_models.of_version(prediction.model_version)
    return Question(
        batch=prediction.batch.number,
        detector=opened.label,
        detector_digest=str(opened.dossier["digest"]),
        rows_sha256=prediction.input_digest,
        end_h=_end_h(prediction.batch),
        seed=explanation.seed,
    )


def _end_h(batch: Batch) -> float:
    """Return when the product counts: at the end of the batch, or where batches usually end."""
    if batch.ended_at is None:
        return explained_alarms.USUAL_END_H
    return history.hours(batch.ended_at, since=inputs.start_of(batch))
