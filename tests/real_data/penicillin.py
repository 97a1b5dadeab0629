"""Simulated penicillin batches: what the twin of any process says where another twin knows more.

The reference are the 120 normal batches; the 40 with a deviation are judged when they are finished.
The quality is the product of a batch, in kg.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from twins.models.process_monitoring import batches, skill
from twins.models.process_monitoring.aligning import Run
from twins.models.process_monitoring.batches import Options
from twins.predictions import process_files


def measured(shared: Path) -> Iterator[str]:
    """Yield the lines of the table."""
    folder = shared / "indpensim"
    sheet = process_files.read(folder / "dev_measured.parquet")
    labels = process_files.read(folder / "dev_labels.parquet").cells
    kinds = {str(name): kind for name, kind in zip(labels["batch"], labels["kind"], strict=True)}
    product = {
        str(name): kg for name, kg in zip(labels["batch"], labels["P_total_kg"], strict=True)
    }
    laboratory = tuple(name for name in sheet.cells if name.startswith("lab_"))
    signals = process_files.signals(sheet, without=("batch", "time_h", *laboratory))
    values = process_files.matrix(sheet, signals)
    runs = [
        Run(name, values[rows], quality=float(product[name]))
        for name, rows in process_files.rows_by(sheet, "batch").items()
    ]
    normal = [one for one in runs if kinds[one.name] == "none"]
    deviating = [one for one in runs if kinds[one.name] != "none"]

    found = batches.survey(signals, normal, Options())
    assert found.foreseen is not None
    told = skill.of(found.foreseen, is_event=False)
    yield (
        f"penicillin: product of {told.rows} normal batches from 21 trajectories (MPLS, "
        f"{len(found.monitor.fitted.slopes)} components), left out: skill {told.skill}, "
        f"+- {found.monitor.quality_width:.0f} kg"
    )
    plain = batches.survey(signals, [replace(one, quality=None) for one in normal], Options())
    judged = {one.name: batches.judge(one, plain.monitor) for one in deviating}
    odd = sum(one.verdict == "odd" for one in plain.judged)
    yield (
        f"  MPCA: {odd} of {len(normal)} normal batches odd ({len(plain.dropped)} were no part of "
        f"the reference), {sum(one.verdict == 'odd' for one in judged.values())} of "
        f"{len(deviating)} deviating ones"
    )
    for kind in sorted({kinds[one] for one in judged}):
        own = [one for name, one in judged.items() if kinds[name] == kind]
        yield f"    {kind:14} {sum(one.verdict == 'odd' for one in own)} of {len(own)}"
