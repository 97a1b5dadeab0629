"""Read other people's data beside the checkout, as the measurements need them."""

from pathlib import Path

import numpy as np

from twins.predictions import process_files
from twins.predictions.process_files import Sheet

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

# What is known only when a batch of tablets is finished and tested. The yield of the press is one of
# them: the yield of the batch is hardly more than it.
TABLET_RESULTS = (
    "dissolution_av", "dissolution_min", "resodual_solvent", "impurities_total", "impurity_o",
    "impurity_l", "Drug release average (%)", "Drug release min (%)", "Residual solvent",
    "Total impurities", "Impurity O", "Impurity L", "batch_yield", "tbl_yield",
)  # fmt: skip
# They name the batch; the month it was started in would only tell the time.
TABLET_NAMES = ("batch", "start")


def tablets(shared: Path) -> Sheet:
    """Return laboratory and process columns of the 766 batches, in the order of their number."""
    laboratory = process_files.read(shared / "tablets" / "laboratory.parquet")
    process = process_files.read(shared / "tablets" / "process.parquet")
    if laboratory.cells["batch"] != process.cells["batch"]:
        raise ValueError("laboratory and process are not of the same batches in the same order")
    more = {name: one for name, one in process.cells.items() if name not in ("batch", "code")}
    return Sheet("tablets", laboratory.cells | more)


def eastman(shared: Path, name: str) -> tuple[tuple[str, ...], dict[int, np.ndarray]]:
    """Return the signals and for each fault the samples of the Tennessee Eastman process."""
    sheet = process_files.read(shared / "tep" / f"{name}.parquet")
    signals = tuple(one for one in sheet.cells if one.startswith(("xmeas", "xmv")))
    values = process_files.matrix(sheet, signals)
    fault = np.array(sheet.cells["fault"])
    return signals, {int(one): values[fault == one] for one in np.unique(fault)}
