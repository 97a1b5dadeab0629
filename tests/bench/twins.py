"""What the twins cost, beside the solvers that people know, in one run: `make bench PART=twins`.

Writes var/bench/twins.json. Solvers are measured in CPU seconds of one thread, the sweep over running
batches in wall time on an installation of its own with real workers. ARGS='--without-sweep' leaves that
out; BENCH_PEERS_PYTHON names a Python that has jax or numbalsoda (they are no dependencies of ours).
"""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench import twins_cho, twins_penicillin, twins_plant, twins_updates
from tests.bench.measuring import Row

RESULTS = Path(os.environ.get("GMP_VAR_DIR", "var")).absolute() / "bench"  # the sweep has its own


def line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:9.2f} x"
    spread = "" if row.spread is None else f"  ({row.spread[0]:.3g} to {row.spread[1]:.3g})"
    return f"{row.name:<46}{row.value:>14.4g}  {row.unit:<16}{ratio}{spread}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.twins", description=__doc__)
    parser.add_argument("--without-sweep", action="store_true")
    parser.add_argument("--batches", type=int, default=1000, help="running batches of the sweep")
    parser.add_argument("--markdown", action="store_true", help="print a table for the documents")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"twins: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"load {load:.2f} at the start",
        flush=True,
    )
    rows: list[Row] = [Row("load_at_start", load, "1")]
    parts = [twins_cho.rows, twins_cho.peer_rows, twins_penicillin.rows, twins_updates.rows]
    if not given.without_sweep:
        parts.append(lambda: twins_plant.rows(given.batches))
    for part in parts:
        found = part()
        rows += found
        for row in found:
            print(line(row), flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = [{k: v for k, v in asdict(row).items() if k != "spread"} for row in rows]
    path = RESULTS / "twins.json"
    path.write_text(json.dumps(kept, indent=2) + "\n")
    print(f"written to {path}")
    if given.markdown:
        print("| figure | value | unit | ratio |\n|---|---|---|---|")
        for row in rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            print(f"| {row.name} | {row.value:.4g} | {row.unit} | {ratio} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
