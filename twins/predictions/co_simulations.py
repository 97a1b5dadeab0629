"""Run an imported FMU on a file of inputs and write its answer, with the error that it carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compliance.refusals import Refused
from twins.hub import co_simulation_models
from twins.models.batch_monitoring.samples import Floats
from twins.models.co_simulation import simulation
from twins.models.co_simulation.declared import Description, Variable
from twins.models.co_simulation.processes import Limits
from twins.models.co_simulation.simulation import Inputs, Run
from twins.predictions import batch_files

ERROR_COLUMN = "step_halving_error"


class InputUnknown(Refused):
    """A column is no input and no parameter of the model."""

    code = "co-simulation-input-unknown"
    status = 422


class InputMissing(Refused):
    """An input of the model, or the time, has no column."""

    code = "co-simulation-input-missing"
    status = 422


class InputInOtherUnit(Refused):
    """A column is not in the unit that the model declares."""

    code = "co-simulation-input-other-unit"
    status = 422


class InputValue(Refused):
    """A value is none, or outside the range that the model declares."""

    code = "co-simulation-input-value"
    status = 422


def simulate(
    model: str,
    inputs: Path,
    out: Path,
    *,
    step: float | None = None,
    tolerance: float = simulation.TOLERANCE,
    limits: Limits | None = None,
) -> str:
    """Run the model on the rows of a file and write one row a row; return what a person reads."""
    opened = co_simulation_models.open_(model)
    if out.resolve() == inputs.resolve():
        raise batch_files.OverInput(f"{out} is the data itself; name another file for the answers")
    given = read(opened.description, batch_files.numbers(inputs))
    run = simulation.simulate(
        opened.data, opened.description, given, step=step, tolerance=tolerance, limits=limits
    )
    batch_files.write(out, _columns(opened.description, run))
    unit = opened.description.time_unit
    error = f"not known, {run.note}" if run.error is None else f"{run.error:.1e}"
    return "\n".join(
        [
            f"{model}: {len(run.times)} rows of {run.outputs.shape[1]} outputs in {out}",
            f"FMU {opened.sha256}, FMI {opened.description.fmi_version}",
            f"step {run.step:g} {unit}, step-halving error {error} (tolerance {tolerance:.0e}), "
            "repeated to the byte",
            f"confined: {', '.join(run.confinement)}",
        ]
    )


def read(description: Description, columns: Mapping[str, Floats]) -> Inputs:
    """Return the inputs of a run from the columns of a file; raise a refusal for what is wrong.

    A column is `name [unit]`, or `name` where the model declares no unit. Every input needs one;
    parameters may have one, with one value. The inputs of a row hold until the next row.
    """
    time, settable = f"time [{description.time_unit}]", description.of("input")
    parameters = [one for one in description.of("parameter") if one.variability != "constant"]
    known = {one.column: one for one in (*settable, *parameters)}
    _check_columns(columns, (time, *known))
    missing = [name for name in (time, *(one.column for one in settable)) if name not in columns]
    if missing:
        raise InputMissing(f"the inputs lack {', '.join(missing)}")
    times = columns[time]
    if len(times) < 2 or not np.all(np.isfinite(times)) or not np.all(np.diff(times) > 0.0):
        raise InputValue(f"{time} must hold two times or more, each later than the one before")
    for name, one in known.items():
        if name in columns:
            _check_values(one, columns[name], times)
    chosen = [columns[one.column] for one in settable]
    values = np.stack(chosen, axis=1) if chosen else np.empty((len(times), 0))
    return Inputs(
        times, values,
        tuple(_one_value(one, columns[one.column]) for one in parameters if one.column in columns),
    )  # fmt: skip


def _check_columns(columns: Mapping[str, Floats], known: Sequence[str]) -> None:
    by_name = {name.split(" [")[0]: name for name in known}
    for column in columns:
        if column in known:
            continue
        name = column.split(" [")[0].strip()
        if name in by_name:
            raise InputInOtherUnit(
                f"the column {column!r} must be {by_name[name]!r}: the unit is part of its name"
            )
        raise InputUnknown(
            f"{column!r} is no input and no parameter of the model; it has {', '.join(known)}"
        )


def _check_values(one: Variable, values: Floats, times: Floats) -> None:
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        if not np.isfinite(value):
            raise InputValue(f"{one.column} holds no number at time {time:g}")
        if not one.holds(value):
            raise InputValue(
                f"{one.column} is {value:g} at time {time:g}; the model takes "
                f"{'any' if one.low is None else f'{one.low:g}'} to "
                f"{'any' if one.high is None else f'{one.high:g}'}"
            )


def _one_value(one: Variable, values: Floats) -> tuple[Variable, float]:
    if not np.all(values == values[0]):
        raise InputValue(f"{one.column} is a parameter: it has one value for the whole run")
    return one, float(values[0])


def _columns(description: Description, run: Run) -> dict[str, Floats]:
    outputs = description.of("output")
    found = {f"time [{description.time_unit}]": run.times}
    found |= {one.column: run.outputs[:, place] for place, one in enumerate(outputs)}
    found[ERROR_COLUMN] = np.full(len(run.times), np.nan) if run.errors is None else run.errors
    return found
