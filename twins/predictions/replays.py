"""Repeat a past prediction from its stored input, and say whether every byte is the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.hub import versions
from twins.predictions import environment, runs
from twins.predictions.models import Prediction, PredictionState


class NotReplayable(Refused):
    """The prediction has no output to compare with."""

    code = "prediction-not-replayable"


@dataclass(frozen=True)
class Replay:
    """What repeating one prediction showed.

    `differences` names what is not as recorded: stored bytes that do not fit their digest, and
    code, parameters or environment that differ, which can be why an output differs.
    """

    prediction: int
    identical: bool
    recorded_digest: str
    computed_digest: str
    differences: tuple[str, ...]


def replay(prediction: Prediction) -> Replay:
    """Run a finished prediction again in this process; raise `NotReplayable` for any other."""
    if prediction.state != PredictionState.DONE:
        raise NotReplayable(
            f"prediction {prediction.pk} is {prediction.get_state_display().lower()}: "
            "only one that is done can be replayed"
        )
    differences = damaged(prediction)
    try:
        given = prediction.input.encode()
        computed = runs.answer(prediction.model_version.name, given=given).output
    except (canonical.NotCanonical, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # The twin answered this input once: the input, or the twin, is not what it was.
        computed = b""
        differences.append(f"no answer: {type(error).__name__}: {error}")
    return Replay(
        prediction=prediction.pk,
        identical=computed == prediction.output.encode() and not differences,
        recorded_digest=prediction.output_digest,
        computed_digest=runs.digest(computed),
        differences=(*differences, *_changed(prediction)),
    )


class Stored(Protocol):
    """A record with the bytes of a run and their digests."""

    input: str
    input_digest: str
    output: str
    output_digest: str


def damaged(record: Stored) -> list[str]:
    """Name the stored bytes of a run that do not fit the digest recorded for them."""
    return [
        f"{name}: stored bytes have digest {found}, recorded is {recorded}"
        for name, found, recorded in (
            ("input", runs.digest(record.input.encode()), record.input_digest),
            ("output", runs.digest(record.output.encode()), record.output_digest),
        )
        if found != recorded
    ]


def differing(recorded: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Name what a run had around it that is not the same here."""
    return [
        f"{name}: recorded {recorded.get(name)}, here {here.get(name)}"
        for name in dict.fromkeys((*recorded, *here))
        if recorded.get(name) != here.get(name)
    ]


def _changed(prediction: Prediction) -> list[str]:
    version = prediction.model_version
    code_digest, parameters_digest = versions.identity(version.name)
    recorded = {
        "code": version.code_digest,
        "parameters": version.parameters_digest,
        **prediction.environment,
    }
    here = {
        "code": code_digest,
        "parameters": parameters_digest,
        **environment.current(),
    }
    return differing(recorded, here)
