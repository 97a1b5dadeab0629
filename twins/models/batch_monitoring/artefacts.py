"""Write a trained twin as text that a person can compare, and read it back to the same bits."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from twins.models import documents
from twins.models.batch_monitoring import channels, forecast
from twins.models.batch_monitoring.calibration import Calibrator
from twins.models.batch_monitoring.channels import Fitted
from twins.models.batch_monitoring.combination import Scales
from twins.models.batch_monitoring.forecast import Forecaster
from twins.models.batch_monitoring.model import Detector, Model
from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import LABORATORY_NAMES

FORMAT = "batch-twin-1"
DIGITS = 7


class NotATwin(ValueError):
    """A file is no trained batch twin of this format, or was changed since it was written."""

    code = "not-a-batch-twin"


def code_digest() -> str:
    """Return the SHA-256 over name and bytes of every source file of this twin."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_bytes()
        found.update(f"{path.name}\n{len(source)}\n".encode())
        found.update(source)
    return found.hexdigest()


def to_text(model: Model, dossier: Mapping[str, documents.Json]) -> str:
    """Return the artefact: the dossier, a digest, and one array a line."""
    lines = [f"  {json.dumps(name)}: {_array(array)}" for name, array in _arrays(model).items()]
    body = ",\n".join(lines)
    head = json.dumps(dict(dossier), indent=1, sort_keys=True, ensure_ascii=False)
    return (
        f'{{\n "format": "{FORMAT}",\n "dossier": {head},\n'
        f' "digest": "{_digest(body)}",\n "arrays": {{\n{body}\n }}\n}}\n'
    )


def from_text(text: str) -> tuple[Model, dict[str, Any]]:
    """Return the twin and its dossier with its digest; raise `NotATwin`."""
    try:
        document = json.loads(text)
        arrays = document["arrays"]
        body = text.split('"arrays": {\n', 1)[1].removesuffix("\n }\n}\n")
        if document["format"] != FORMAT:
            raise NotATwin(f"the format is {document['format']}, not {FORMAT}")
        if document["digest"] != _digest(body):
            raise NotATwin("the numbers are not those that its digest stands for")
        found = _model({name: np.array(one, dtype=np.float64) for name, one in arrays.items()})
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(error, NotATwin):
            raise
        raise NotATwin(f"this is no trained batch twin: {error}") from error
    return found, {**document["dossier"], "digest": document["digest"]}


def rounded(model: Model) -> Model:
    """Return the model with the digits that its artefact keeps."""
    return from_text(to_text(model, {}))[0]


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _array(array: Floats) -> str:
    if array.ndim == 1:
        return "[" + ",".join(_number(one) for one in array.tolist()) + "]"
    return "[\n   " + ",\n   ".join(_array(row) for row in array) + "]"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "1e300" if value > 0 else "-1e300"
    text = f"{value:.{DIGITS}g}"
    return "0" if text in ("-0", "0") else text


def _arrays(model: Model) -> dict[str, Floats]:
    d, f = model.detector, model.forecaster
    found = {
        "profile": d.fitted.profile,
        "last slot": np.array([float(d.fitted.last_slot)]),
        "aims": d.fitted.aims,
        "limits": d.fitted.limits,
        "centre": d.scales.centre,
        "size": d.scales.size,
        "knee": d.scales.knee,
        "tail": d.scales.tail,
        "weight": d.weight,
        "limit": np.array([d.limit]),
    }
    found |= {f"relation {name}": one for name, one in d.fitted.relation.items()}
    found |= {f"laboratory {name}": one for name, one in d.fitted.laboratory.items()}
    for name, one in (("active", model.active), ("costing", model.costing)):
        found[f"{name} weights"] = one.weights
        found[f"{name} knots"] = one.knots
        found[f"{name} values"] = one.values
    found |= {f"usual {name}": one for name, one in f.usual.items()}
    found |= {f"forecast {name}": one for name, one in f.weights.items()}
    found |= {f"width {name}": one for name, one in f.width.items()}
    return found


def _model(a: dict[str, Floats]) -> Model:
    fitted = Fitted(
        profile=a["profile"],
        last_slot=int(a["last slot"][0]),
        aims=a["aims"],
        relation={one.name: a[f"relation {one.name}"] for one in channels.RELATIONS},
        limits=a["limits"],
        laboratory={name: a[f"laboratory {name}"] for name in LABORATORY_NAMES},
    )
    scales = Scales(a["centre"], a["size"], a["knee"], a["tail"])
    return Model(
        detector=Detector(fitted, scales, a["weight"], float(a["limit"][0])),
        active=Calibrator(a["active weights"], a["active knots"], a["active values"]),
        costing=Calibrator(a["costing weights"], a["costing knots"], a["costing values"]),
        forecaster=Forecaster(
            usual={one: a[f"usual {one}"] for one in forecast.QUANTITIES},
            weights={one: a[f"forecast {one}"] for one in forecast.KEYS},
            width={one: a[f"width {one}"] for one in forecast.KEYS},
        ),
    )
