"""Do one part of a bulk run, by the kind of the run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.bulk.models import BulkKind, BulkPart
from twins.hub import versions
from twins.models import futures, requests
from twins.predictions import runs
from twins.predictions.models import Prediction, PredictionState

GoesOn = Callable[[], bool]


class Waits(Exception):
    """Somebody else is at the same prediction: the part is done when that has ended."""


class Stopped(Exception):
    """The run was cancelled, or the part was taken over by another worker."""


class OtherCode(Refused):
    """The twin was replaced since the run was asked for: half of its parts would be of another."""

    code = "bulk-twin-replaced"


def do(part: BulkPart, *, goes_on: GoesOn) -> bytes:
    """Return the output of a part, as canonical bytes; raise `Waits` or `Stopped`."""
    asked: Any = canonical.loads(part.run.request.encode())
    share: Any = canonical.loads(part.work.encode())
    if part.run.kind == BulkKind.FUTURES:
        return _futures(asked, share)
    wanted = asked["predictions"][share["first"] : share["first"] + share["count"]]
    found = []
    for number, as_of in wanted:
        if not goes_on():
            raise Stopped
        found.append(_prediction(number, as_of, twins=asked["twins"]))
    return canonical.dumps({"predictions": found})


def _futures(asked: Mapping[str, Any], share: Mapping[str, int]) -> bytes:
    same = [asked["model"], asked["code_digest"], asked["parameters_digest"]]
    _demand_one_of([same], name=asked["model"])
    # From the recorded bytes: a replay has nothing else.
    request = requests.read(asked["request"])
    found = futures.run(request, part=share["part"], members=share["members"])
    return canonical.dumps(futures.to_document(found))


def _demand_one_of(twins: Sequence[Sequence[str]], *, name: str) -> None:
    """Pass when what answers under a name is what the run was asked of, else raise `OtherCode`."""
    if [name, *versions.identity(name)] not in twins:
        raise OtherCode(f"{name} has been replaced since; ask for a new run")


def _prediction(number: str, as_of: str, *, twins: Sequence[Sequence[str]]) -> dict[str, str]:
    batch = Batch.objects.select_related("recipe").get(number=number)
    _demand_one_of(twins, name=batch.recipe.twin)
    moment, at = datetime.fromisoformat(as_of), timezone.now()
    named = {"batch": number, "as_of": as_of}
    try:
        version = versions.current(batch.recipe.twin, at=at)
        runs.predict(batch, as_of=moment, at=at)
    except runs.ClaimLost as lost:
        raise Waits(str(lost)) from lost
    except Refused as refused:
        return {**named, "problem": f"{refused.code}: {refused}"}
    made = Prediction.objects.filter(batch=batch, model_version=version, as_of=moment)
    prediction = made.defer("input", "output").get()
    if prediction.state == PredictionState.CLAIMED:
        raise Waits(f"another worker is at {prediction}")
    return {
        **named,
        "state": prediction.state,
        "status": prediction.status,
        "model": version.name,
        "code_digest": version.code_digest,
        "input_digest": prediction.input_digest,
        "output_digest": prediction.output_digest,
        "problem": _problem(prediction),
    }


def _problem(prediction: Prediction) -> str:
    """Return code and words of what kept a prediction from an answer."""
    return f"{prediction.refusal}: {prediction.problem}".removeprefix(": ")
