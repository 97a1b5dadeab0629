"""Write a trained twin of a process as text that a person can compare, and read it back."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from twins.models import documents
from twins.models.process_monitoring import batches, continuous
from twins.models.process_monitoring.aligning import Alignment
from twins.models.process_monitoring.encoding import Encoder
from twins.models.process_monitoring.foreseeing import Foreseer
from twins.models.process_monitoring.limits import Limits
from twins.models.process_monitoring.planes import Plane
from twins.models.process_monitoring.quality import Regression
from twins.models.process_monitoring.summing import Floats

FORMAT = "process-twin-1"
DIGITS = 10
_UNBOUNDED = "1e300"
Model = batches.Monitor | continuous.Monitor | Foreseer
Kept = TypeVar("Kept", batches.Monitor, continuous.Monitor, Foreseer)
Names = dict[str, list[str]]
Arrays = dict[str, Floats]


class NotATwin(ValueError):
    """A file is no trained twin of a process, or was changed since it was written."""

    code = "not-a-process-twin"


def code_digest() -> str:
    """Return the SHA-256 over name and bytes of every source file of this twin."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_bytes()
        found.update(f"{path.name}\n{len(source)}\n".encode())
        found.update(source)
    return found.hexdigest()


def to_text(model: Model, dossier: Mapping[str, documents.Json]) -> str:
    """Return the artefact: the dossier, a digest, its names and one array a line."""
    kind, names, arrays = _taken_apart(model)
    lines = [f'  "kind": {json.dumps(kind)}', f'  "names": {json.dumps(names, ensure_ascii=False)}']
    lines += [f"  {json.dumps(name)}: {_array(one)}" for name, one in arrays.items()]
    body = ",\n".join(lines)
    head = json.dumps(dict(dossier), indent=1, sort_keys=True, ensure_ascii=False)
    return (
        f'{{\n "format": "{FORMAT}",\n "dossier": {head},\n'
        f' "digest": "{_digest(body)}",\n "model": {{\n{body}\n }}\n}}\n'
    )


def from_text(text: str) -> tuple[Model, dict[str, Any]]:
    """Return the twin and its dossier with its digest; raise `NotATwin`."""
    try:
        document = json.loads(text)
        body = text.split('"model": {\n', 1)[1].removesuffix("\n }\n}\n")
        if document["format"] != FORMAT:
            raise NotATwin(f"the format is {document['format']}, not {FORMAT}")
        if document["digest"] != _digest(body):
            raise NotATwin("the numbers are not those that its digest stands for")
        parts = dict(document["model"])
        kind, names = parts.pop("kind"), parts.pop("names")
        arrays = {name: _bounded(np.array(one, dtype=np.float64)) for name, one in parts.items()}
        found = _put_together(kind, names, arrays)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(error, NotATwin):
            raise
        raise NotATwin(f"this is no trained twin of a process: {error}") from error
    return found, {**document["dossier"], "digest": document["digest"]}


def rounded(model: Kept) -> Kept:
    """Return the twin with the digits that its artefact keeps."""
    found, _ = from_text(to_text(model, {}))
    if not isinstance(found, type(model)):
        raise NotATwin(f"{type(model).__name__} came back as another kind of twin")
    return found


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _array(array: Floats) -> str:
    if array.ndim == 1:
        return "[" + ",".join(_number(one) for one in array.tolist()) + "]"
    return "[\n   " + ",\n   ".join(_array(row) for row in array) + "]"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return f"{_UNBOUNDED}" if value > 0 else f"-{_UNBOUNDED}"
    text = f"{value:.{DIGITS}g}"
    return "0" if text == "-0" else text


def _bounded(array: Floats) -> Floats:
    """Return the array with infinity where a number stands for it, as JSON has none."""
    return np.where(np.abs(array) >= float(_UNBOUNDED), np.copysign(np.inf, array), array)


def _taken_apart(model: Model) -> tuple[str, Names, Arrays]:
    match model:
        case batches.Monitor():
            return "batches", *_of_batches(model)
        case continuous.Monitor():
            return "continuous", *_of_continuous(model)
        case _:
            return "quality", *_of_quality(model)


def _put_together(kind: str, names: Names, arrays: Arrays) -> Model:
    match kind:
        case "batches":
            return _batches(names, arrays)
        case "continuous":
            return _continuous(names, arrays)
        case "quality":
            return _quality(names, arrays)
    raise NotATwin(f"{kind} is no kind of twin")


def _plane_arrays(name: str, plane: Plane) -> Arrays:
    # One row a component, which reads better and keeps its shape without any component.
    return {
        f"{name} weights": plane.weights.T,
        f"{name} loadings": plane.loadings.T,
        f"{name} spread": plane.spread,
    }


def _plane(name: str, a: Arrays) -> Plane:
    return Plane(a[f"{name} weights"].T, a[f"{name} loadings"].T, a[f"{name} spread"])


def _limit_arrays(limits: Limits) -> Arrays:
    return {"limits": limits.values, "rate": np.array([limits.false_alarm_rate])}


def _limits(names: tuple[str, ...], a: Arrays) -> Limits:
    return Limits(names, a["limits"], float(a["rate"][0]))


def _of_batches(model: batches.Monitor) -> tuple[Names, Arrays]:
    one = model.alignment
    arrays = {
        "phases": one.phases,
        "points": one.points_of.astype(np.float64),
        "samples": np.array([one.least_samples, one.most_samples], dtype=np.float64),
        "low": model.low,
        "high": model.high,
        "centre": model.fitted.centre,
        "size": model.fitted.size,
        "slopes": model.fitted.slopes,
        "quality": np.array([model.fitted.quality, np.nan_to_num(model.quality_width)]),
    }
    arrays |= _plane_arrays("plane", model.fitted.plane) | _limit_arrays(model.limits)
    return {"signals": list(one.signals)}, arrays


def _batches(names: Names, a: Arrays) -> batches.Monitor:
    least, most = (int(one) for one in a["samples"])
    points = a["points"].astype(np.int64)
    return batches.Monitor(
        alignment=Alignment(tuple(names["signals"]), a["phases"], points, least, most),
        fitted=batches.Fitted(
            a["centre"], a["size"], _plane("plane", a), float(a["quality"][0]), a["slopes"]
        ),
        limits=_limits(batches.STATISTICS, a),
        low=a["low"],
        high=a["high"],
        quality_width=float(a["quality"][1]) if len(a["slopes"]) else np.nan,
    )


def _of_continuous(model: continuous.Monitor) -> tuple[Names, Arrays]:
    fitted = model.fitted
    arrays = {
        "centre": fitted.centre,
        "size": fitted.size,
        "low": model.low,
        "high": model.high,
        "expected": fitted.expected,
    }
    for name in continuous.PLANES:
        arrays |= _plane_arrays(name, fitted.planes[name])
    return {"signals": list(model.signals)}, arrays | _limit_arrays(model.limits)


def _continuous(names: Names, a: Arrays) -> continuous.Monitor:
    found = {name: _plane(name, a) for name in continuous.PLANES}
    return continuous.Monitor(
        signals=tuple(names["signals"]),
        fitted=continuous.Fitted(a["centre"], a["size"], a["expected"], found),
        limits=_limits(continuous.STATISTICS, a),
        low=a["low"],
        high=a["high"],
    )


def _of_quality(model: Foreseer) -> tuple[Names, Arrays]:
    encoder = model.regression.encoder
    names = {
        "columns of numbers": list(model.numbers),
        "columns of texts": list(model.texts),
        "target and group": [model.target, model.group],
        "numbers": list(encoder.numbers),
        "holed": list(encoder.holed),
        "texts": list(encoder.levels),
    }
    names |= {f"levels {name}": list(levels) for name, levels in encoder.levels.items()}
    arrays = {
        "centre": encoder.centre,
        "size": encoder.size,
        "low": encoder.low,
        "high": encoder.high,
        "weights": model.regression.weights,
        "rest": np.array(
            [
                model.regression.constant,
                model.regression.penalty,
                float(model.is_event),
                model.above,
                model.below,
                float(model.known_after),
                float(model.with_history),
                model.width,
                model.span,
            ]
        ),
    }
    return names, arrays


def _quality(names: Names, a: Arrays) -> Foreseer:
    encoder = Encoder(
        numbers=tuple(names["numbers"]),
        centre=a["centre"],
        size=a["size"],
        low=a["low"],
        high=a["high"],
        holed=tuple(names["holed"]),
        levels={name: tuple(names[f"levels {name}"]) for name in names["texts"]},
    )
    constant, penalty, is_event, above, below, after, with_history, width, span = a["rest"].tolist()
    return Foreseer(
        regression=Regression(encoder, constant, a["weights"], penalty),
        numbers=tuple(names["columns of numbers"]),
        texts=tuple(names["columns of texts"]),
        target=names["target and group"][0],
        group=names["target and group"][1],
        is_event=bool(is_event),
        above=above,
        below=below,
        known_after=int(after),
        with_history=bool(with_history),
        width=width,
        span=span,
    )
