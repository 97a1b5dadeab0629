"""Answer a question about the alarm of a batch from its recorded bytes, as canonical bytes.

It compiles the penicillin model: only workers and commands import it, never a page.
"""

import hashlib
from typing import Any

from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.explanations.questions import Question
from twins.hub import batch_models
from twins.models import batch_watch
from twins.models.batch_monitoring.model import Model
from twins.predictions import explained_alarms, request_bytes
from twins.predictions.explained_alarms import EstimateInaccurate, MomentUnusable


class RowsAltered(Refused):
    """The recorded rows are not those that the question names by their digest."""

    code = "explanation-rows-altered"


class DetectorReplaced(Refused):
    """The detector that is installed is not the one that raised the alarm."""

    code = "explanation-detector-replaced"


class NoRows(Refused):
    """The twin had not seen a sample of the batch yet."""

    code = "explanation-without-rows"


def answer(question: Question, *, rows: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the answer as plain values and as the bytes that are recorded.

    An estimate or a moment that cannot be used is an answer too, with the code and words of the
    refusal. Raise `RowsAltered` or `DetectorReplaced`.
    """
    found = hashlib.sha256(rows).hexdigest()
    if found != question.rows_sha256:
        raise RowsAltered(f"the rows have digest {found}, asked was about {question.rows_sha256}")
    opened = batch_models.open_(question.detector)
    if str(opened.dossier["digest"]) != question.detector_digest:
        raise DetectorReplaced(f"{question.detector} is not the twin that the question names")
    said: dict[str, Any] = {"batch": question.batch, "seed": question.seed}
    try:
        said |= _told(question, opened.model, rows)
    except (MomentUnusable, EstimateInaccurate, NoRows) as refused:
        said |= {
            "status": "not-explained",
            "refused": {"code": refused.code, "reason": str(refused)},
        }
    return said, request_bytes.write(said)


def _told(question: Question, model: Model, rows: bytes) -> dict[str, Any]:
    asked: Any = canonical.loads(rows)
    request = batch_watch.read(asked)
    if not request.time_h:
        raise NoRows(f"batch {question.batch} has no sample up to {request.as_of_h:g} h")
    grid = batch_watch.grid_of(request)
    as_of_h = float(grid.time_h[-1])
    end_h = max(as_of_h, question.end_h)
    return {
        "as_of_h": round(as_of_h, 6),
        **explained_alarms.told(model, grid, batch=question.batch, end_h=end_h, seed=question.seed),
    }
