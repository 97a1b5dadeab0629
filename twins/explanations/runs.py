"""Explain an alert once for a request, so that the run can be repeated to the byte; workers only."""

from typing import Any

from batches.execution.models import Batch
from twins.explanations import answers, offers, outputs, questions
from twins.explanations.models import Explanation, ExplanationState
from twins.explanations.questions import Question
from twins.explanations.requests import ROOM
from twins.hub import batch_models
from twins.models import documents
from twins.predictions import explained_alarms, history, inputs
from twins.predictions.asked.running import Outcome, Work


def answer(given: bytes, *, rows: bytes) -> tuple[dict[str, Any], bytes]:
    """Answer the stored bytes of a question about the stored bytes of the rows."""
    return answers.answer(questions.read(given), rows=rows)


def _question(explanation: Explanation) -> bytes:
    offers.demand(explanation.alert)  # its version may have been retired since it was asked for
    prediction = explanation.prediction
    opened = batch_models.of_version(prediction.model_version)
    return questions.write(
        Question(
            batch=prediction.batch.number,
            detector=opened.label,
            detector_digest=str(opened.dossier["digest"]),
            rows_sha256=prediction.input_digest,
            end_h=_end_h(prediction.batch),
            seed=explanation.seed,
        )
    )


def _concluded(_: Explanation, given: bytes, said: dict[str, Any]) -> Outcome:
    why = said.get("refused", {"code": "", "reason": ""})
    state = ExplanationState(said["status"])
    return Outcome(
        state, state.label.lower(), told=outputs.told(said), refusal=why["code"],
        problem=why["reason"],
    )  # fmt: skip


def _end_h(batch: Batch) -> float:
    """Return when the product counts: at the end of the batch, or where batches usually end."""
    if batch.ended_at is None:
        return explained_alarms.USUAL_END_H
    return history.hours(batch.ended_at, since=inputs.start_of(batch))


_WORK = Work(
    ROOM,
    ask=_question,
    answer=lambda row, given: answer(given, rows=row.prediction.input.encode()),
    conclude=_concluded,
    package="numba",
    code=lambda row: (row.code_digest, documents.code_digest()),
    beside=lambda *_: {"code_digest": documents.code_digest()},
)
explain, execute, replay = _WORK.run, _WORK.execute, _WORK.replay
