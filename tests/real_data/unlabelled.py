"""Nylon and dryer batches: monitored without labels, each by a model that had not seen it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from twins.predictions import process_monitors
from twins.predictions.process_monitors import Layout

RATE = 0.05
FILES = {
    "nylon": Layout(batch="batch_id", phase="Tag01"),
    "dryer": Layout(batch="batch_id", time="ClockTime"),
}


def measured(shared: Path) -> Iterator[str]:
    """Yield what the command says of each file."""
    for name, layout in FILES.items():
        trained = process_monitors.train(
            shared / "batch_real" / f"{name}.parquet", layout, rate=RATE
        )
        with tempfile.TemporaryDirectory() as folder:
            lines = process_monitors.monitor(trained, None, Path(folder) / "out.csv")
        yield f"{name}: {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])
