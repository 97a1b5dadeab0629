"""Repeat a past prediction from its stored input, and say whether every byte is the same."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

from compliance.refusals import Refused
from compliance.trail.tlog import canonical
from twins.hub import versions
from twins.predictions import environment, runs
from twins.predictions.models import Prediction, PredictionState

# So much of a value is shown where two outputs part; a whole digest.
_LONGEST = 70


class NotReplayable(Refused):
    """The prediction has no output to compare with."""

    code = "prediction-not-replayable"


class Stored(Protocol):
    """A record with the bytes of a run and their digests."""

    input: str
    input_digest: str
    output: str
    output_digest: str


@dataclass(frozen=True)
class Replay:
    """What repeating a run showed.

    `differences` names what is not as recorded: stored bytes that do not fit their digest, where the
    output parts from the record, and code, parameters or environment that differ, which can be why.
    """

    identical: bool
    computed_digest: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        """Say it to whoever asked on a page."""
        if self.identical:
            return f"Replayed: every byte is the same, digest {self.computed_digest}."
        return f"Replayed: the output DIFFERS from the record. {'; '.join(self.differences)}."


def replay(prediction: Prediction) -> Replay:
    """Run a finished prediction again in this process; raise `NotReplayable` for any other."""
    if prediction.state != PredictionState.DONE:
        raise NotReplayable(
            f"prediction {prediction.pk} is {prediction.get_state_display().lower()}: "
            "only one that is done can be replayed"
        )
    version = prediction.model_version
    code_digest, parameters_digest = versions.identity(version.name)
    return repeat(
        prediction,
        lambda given: runs.answer(version.name, given=given).output,
        around={
            "code": version.code_digest,
            "parameters": version.parameters_digest,
            **prediction.environment,
        },
        here={
            "code": code_digest,
            "parameters": parameters_digest,
            **environment.current(),
        },
    )


def repeat(
    record: Stored,
    answer: Callable[[bytes], bytes],
    *,
    around: Mapping[str, str],
    here: Mapping[str, str],
) -> Replay:
    """Answer the stored input again, and compare it with the record and what was `around` its run."""
    differences = _damaged(record)
    try:
        computed = answer(record.input.encode())
    except (
        Refused, canonical.NotCanonical, ArithmeticError, LookupError, RecursionError, TypeError,
        ValueError,
    ) as error:  # fmt: skip
        # It was answered once: the input, the twin or the code is not what it was.
        computed = b""
        differences.append(f"no answer: {type(error).__name__}: {error}")
    else:
        differences += _parting(record.output.encode(), computed)
    changed = _differing(around, here)
    return Replay(not differences, runs.digest(computed), (*differences, *changed))


def _damaged(record: Stored) -> list[str]:
    """Name the stored bytes of a run that do not fit the digest recorded for them."""
    return [
        f"{name}: stored bytes have digest {found}, recorded is {recorded}"
        for name, found, recorded in (
            ("input", runs.digest(record.input.encode()), record.input_digest),
            ("output", runs.digest(record.output.encode()), record.output_digest),
        )
        if found != recorded
    ]


def _parting(recorded: bytes, computed: bytes) -> list[str]:
    """Say where an output that was worked out again parts from the recorded one; nothing if nowhere."""
    if recorded == computed:
        return []
    try:
        place = _place("output", json.loads(recorded), json.loads(computed))
    except (RecursionError, ValueError):
        place = ""
    if not place:  # no document any more, or the same values written differently
        pairs = enumerate(zip_longest(recorded, computed))
        first = next(at for at, (was, comes) in pairs if was != comes)
        place = f"output: byte {first} is the first that differs"
    return [place]


def _place(path: str, was: Any, comes: Any) -> str:
    """Name the first place in which two documents differ, and what stands there; else nothing."""
    if isinstance(was, dict) and isinstance(comes, dict):
        names = sorted({*was, *comes})
        steps = [(f".{_short(name)[1:-1]}", was.get(name), comes.get(name)) for name in names]
    elif isinstance(was, list) and isinstance(comes, list):
        steps = [(f"[{at}]", *both) for at, both in enumerate(zip_longest(was, comes))]
    elif was == comes:
        return ""
    else:
        return f"{path}: recorded {_short(was)}, worked out again {_short(comes)}"
    return next(filter(None, (_place(f"{path}{step}", *both) for step, *both in steps)), "")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _differing(recorded: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Name what a run had around it that is not the same here."""
    return [
        f"{name}: recorded {recorded.get(name)}, here {here.get(name)}"
        for name in dict.fromkeys((*recorded, *here))
        if recorded.get(name) != here.get(name)
    ]
