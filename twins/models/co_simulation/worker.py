"""The process in which an FMU runs: read one job, confine, load, step, write one answer, end.

It is started by `processes`, with nothing inherited but three descriptors. The answer is one line of
JSON and then plain doubles; who reads it believes nothing of it.
"""

import array
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twins.models.co_simulation import confinement

Job = dict[str, Any]
Prepared = Callable[["array.array[float]"], dict[str, Any]]


class Unusable(Exception):
    """What this FMU is refused for; the code is one of `processes.CODES`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def main() -> None:
    """Do the job on standard input and write the answer to the descriptor that it names."""
    job: Job = json.load(sys.stdin)
    act = _describe if job["act"] == "describe" else _run
    numbers = array.array("d")
    try:
        # Before anything of the FMU is touched, and after all that the libraries need to be found.
        prepared = act(job)
        limits = job["limits"]
        confined = confinement.confine(Path(job["folder"]), **limits)
        said = {"state": "done", "confinement": confined, **prepared(numbers)}
    except Unusable as error:
        said = {"state": "refused", "code": error.code, "text": str(error)}
    except MemoryError:
        said = {"state": "refused", "code": "memory", "text": ""}
    with os.fdopen(job["answer"], "wb") as answer:
        answer.write(json.dumps(said).encode() + b"\n")
        numbers.tofile(answer)
    # The FMU's own end could still fail or hang: there is nothing of it that is needed.
    os._exit(0)


def _describe(job: Job) -> Prepared:
    import numpy as np  # noqa: F401 -- all that is needed is found before files are closed
    from fmpy import model_description, validation  # noqa: F401 -- the same
    from lxml import etree

    def read(_: "array.array[float]") -> dict[str, Any]:
        path = str(Path(job["folder"]) / "modelDescription.xml")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            tree = etree.parse(path, parser)
        except (etree.XMLSyntaxError, OSError) as error:
            raise Unusable("description", f"it is no XML: {error}") from error
        if tree.docinfo.internalDTD is not None:
            raise Unusable("description", "it declares a document type, which FMI does not have")
        version = tree.getroot().get("fmiVersion") or "none"
        if version != "2.0" and not version.startswith("3."):
            raise Unusable("version", version)
        try:
            found = model_description.read_model_description(job["folder"], validate=True)
        except Exception as error:  # a library that names no errors of its own
            raise Unusable("description", str(error)) from error
        if found.coSimulation is None:
            raise Unusable("kind", "ModelExchange" if found.modelExchange else "no interface")
        return {"description": _description(found, version)}

    return read


def _description(found: Any, version: str) -> dict[str, Any]:
    interface, experiment = found.coSimulation, found.defaultExperiment
    times = [one for one in found.modelVariables if one.causality == "independent"]
    return {
        "fmi_version": version,
        "model_name": found.modelName or "",
        "model_identifier": interface.modelIdentifier or "",
        "token": found.guid or "",
        "model_version": found.version or "",
        "description": found.description or "",
        "author": found.author or "",
        "license": found.license or "",
        "generation_tool": found.generationTool or "",
        "generated_at": found.generationDateAndTime or "",
        # FMI 2.0.4, 2.2.7 and 3.0.2, 2.4.7.4: time is in seconds unless its variable says otherwise.
        "time_unit": (_unit(times[0]) if times else "") or "s",
        "default_step": _number(experiment.stepSize if experiment else None),
        "default_tolerance": _number(experiment.tolerance if experiment else None),
        "fixed_internal_step": _number(getattr(interface, "fixedInternalStepSize", None)),
        "can_vary_step": bool(interface.canHandleVariableCommunicationStepSize),
        "needs_tool": bool(interface.needsExecutionTool),
        "variables": [_variable(one) for one in found.modelVariables],
    }


def _variable(one: Any) -> dict[str, Any]:
    kind = one.declaredType
    low = one.min if one.min is not None else getattr(kind, "min", None)
    high = one.max if one.max is not None else getattr(kind, "max", None)
    is_real = one.type in ("Real", "Float64")
    return {
        "name": one.name,
        "reference": one.valueReference,
        "kind": one.type,
        "is_scalar": not one.dimensions and not one.dimensionValueReferences,
        "causality": one.causality or "local",
        "variability": one.variability or "continuous",
        "unit": _unit(one),
        "start": _number(one.start) if is_real and not one.dimensions else None,
        "low": _number(low) if is_real else None,
        "high": _number(high) if is_real else None,
        "description": one.description or "",
    }


def _unit(one: Any) -> str:
    return one.unit or getattr(one.declaredType, "unit", None) or ""


def _number(text: str | float | None) -> float | None:
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise Unusable("description", f"{text!r} is no number") from error
    if found in (float("inf"), float("-inf")):
        return None
    if found != found:  # noqa: PLR0124 -- not a number
        raise Unusable("description", "a start, a limit or a step is not a number")
    return found


def _run(job: Job) -> Prepared:
    if job["fmi"] == "2":
        from fmpy import fmi2 as interface
    else:
        from fmpy import fmi3 as interface
    from fmpy.fmi1 import FMICallException

    def run(numbers: "array.array[float]") -> dict[str, Any]:
        unit = _Unit(interface, job)
        try:
            unit.begin()
            for row in job["rows"]:
                numbers.extend(unit.until(row["steps"]))
                unit.set(job["inputs"], row["values"])
            unit.end()
        except FMICallException as error:
            raise Unusable("failed", f"at time {unit.time():g}: {error}") from error
        return {"time": unit.time()}

    return run


class _Unit:
    """One instance of the FMU with its own clock: steps of one length, counted and not added up."""

    def __init__(self, interface: Any, job: Job) -> None:
        self.job, self.done = job, 0
        self.is_two = job["fmi"] == "2"
        kind = interface.FMU2Slave if self.is_two else interface.FMU3Slave
        try:
            self.fmu = kind(
                guid=job["token"],
                modelIdentifier=job["identifier"],
                unzipDirectory=job["folder"],
                libraryPath=job["library"],
                instanceName="twin",
            )
            version = self.fmu.getVersion()
        except Exception as error:  # a library that names no errors of its own
            raise Unusable("library", str(error)) from error
        if not version.startswith(f"{job['fmi']}."):
            raise Unusable("library", f"the description says FMI {job['fmi']}, it says {version!r}")
        try:
            self.fmu.instantiate()
        except Exception as error:  # the same
            raise Unusable("library", f"it makes no instance: {error}") from error

    def time(self) -> float:
        return float(self.job["start"] + self.done * self.job["step"])

    def begin(self) -> None:
        self.set(self.job["parameters"], self.job["parameter_values"])
        known = {
            "tolerance": self.job["tolerance"],
            "startTime": self.job["start"],
            "stopTime": self.job["stop"],
        }
        if self.is_two:
            self.fmu.setupExperiment(**known)
            self.fmu.enterInitializationMode()
        else:
            self.fmu.enterInitializationMode(**known)
        if self.job["rows"]:
            self.set(self.job["inputs"], self.job["rows"][0]["values"])
        self.fmu.exitInitializationMode()

    def until(self, steps: int) -> Sequence[float]:
        """Advance and return the outputs; the inputs hold meanwhile."""
        for _ in range(steps):
            told = self.fmu.doStep(self.time(), self.job["step"])
            if told is not None and (told[1] or told[2]):
                raise Unusable("failed", f"at time {self.time():g} it ended before its step did")
            self.done += 1
        references = self.job["outputs"]
        read = self.fmu.getReal if self.is_two else self.fmu.getFloat64
        return list(read(references)) if references else []

    def set(self, references: Sequence[int], values: Sequence[float]) -> None:
        if references:
            write = self.fmu.setReal if self.is_two else self.fmu.setFloat64
            write(references, values)

    def end(self) -> None:
        self.fmu.terminate()
