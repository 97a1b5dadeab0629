"""Estimate constants of the penicillin twin from batches of a file, and say which ones they know."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from compliance.refusals import Refused
from twins.hub import batch_models
from twins.models import alarmed_batches
from twins.models.alarmed_batches import StartMissing
from twins.models.batch_monitoring.samples import Floats
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import fitting, measuring, parameters
from twins.predictions import batch_files, batch_replays
from twins.predictions.explainable import DETECTOR

# What differs from batch to batch by the publication, and so from plant to plant.
# Temperature and pH are imposed, and say nothing of the coolant nor of acid and base.
USUAL = tuple(
    one.name for one in measuring.UNCERTAIN if one.name not in ("t_coolant", "c_acid_base")
)
# Of a combination that is hardly seen, what is less than a tenth of it is not named.
_NAMED = 0.1


class BatchesUnusable(Refused):
    """The file does not hold what a fit needs, or there is no such constant."""

    code = "penicillin-batches-unusable"
    status = 422


def fit(data: Path, *, assumed: Mapping[str, float], constants: Sequence[str]) -> str:
    """Fit the constants to all batches of a file and return the table that a person reads."""
    if assumed:
        raise BatchesUnusable(f"{', '.join(assumed)}: nothing has to be assumed for these batches")
    batches = read(data)
    try:
        found = fitting.fit(list(batches.values()), constants or USUAL)
    except (fitting.NothingToFit, IntegrationInaccurate) as error:
        raise BatchesUnusable(str(error)) from error
    lines = [
        f"{len(batches)} batches; step-halving error {found.error:.1e}; residuals "
        f"{found.rms_before:.2f} -> {found.rms_after:.2f} in units of noise",
        f"{'constant':18} {'published':>10} {'estimate':>10} {'sd':>9}  unit",
    ]
    for one in found.constants:
        declared = parameters.PARAMETERS[parameters.INDEX[one.name]]
        said = "at its bound" if one.is_at_bound else "" if one.is_identifiable else "not known"
        lines.append(
            f"{one.name:18} {one.start:10.4g} {one.value:10.4g} {one.sd:9.1e}  {declared.unit} {said}"
        )
    weakest = (f"{share:+.2f} {name}" for name, share in found.weakest if abs(share) > _NAMED)
    lines.append(
        f"condition {found.condition:.1f} (from {fitting.COLLINEAR:g} on, constants count only "
        f"together); least is known of {', '.join(weakest)} (logarithms)"
    )
    return "\n".join(line.rstrip() for line in lines)


def read(path: Path) -> Mapping[str, Mapping[str, Floats]]:
    """Return the batches of a file by name, one array a tag from inoculation on."""
    table = batch_files.read(path)
    batch_files.check_units(table, batch_replays.usual_of(batch_models.open_(DETECTOR)))
    found = {}
    for name, rows in table.rows_of().items():
        grid = batch_replays.grid_of(table, rows)
        if not len(grid.time_h):
            raise BatchesUnusable(f"no sample of batch {name} says when it was taken")
        try:
            found[str(name)] = alarmed_batches.arrays_of(grid)
        except StartMissing as missing:
            raise BatchesUnusable(f"batch {name}: {missing}") from missing
    return found
