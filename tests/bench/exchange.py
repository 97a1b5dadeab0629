"""What integrators get, in one run: posts of readings, single records, a backfill, a long series.

`make bench PART=exchange` measures in full; `ENTRIES=100000` or less is a quick look. It runs on an
embedded server of its own under var/bench, or in databases of its own on that of DATABASE_URL.
"""

import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

RESULTS = Path(os.environ.get("GMP_VAR_DIR", "var")).absolute() / "bench"
RESULTS.mkdir(parents=True, exist_ok=True)
FOLDER = Path(tempfile.mkdtemp(prefix="run-", dir=RESULTS))  # on a disk: /tmp may be in memory
FOLDER.chmod(0o755)
OURS, SCRATCH = "gmp_bench_exchange", "gmp_bench_exchange_plain"
os.environ["GMP_VAR_DIR"] = str(FOLDER)
os.environ["GMP_BENCH_DATABASE"] = OURS
os.environ["GMP_BENCH_SCRATCH"] = SCRATCH
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"

import django  # noqa: E402 -- the folder must be named before the settings are read

django.setup()

import psutil  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from config.embedded import lease  # noqa: E402
from tests.bench import databases, parts, reporting  # noqa: E402
from tests.bench.measuring import Row  # noqa: E402

SETTINGS = "tests.bench.settings"
IS_QUICK = int(os.environ.get("ENTRIES") or 1_000_000) <= 100_000
ROUNDS, SINGLES, BACKFILL = (3, 100, 100_000) if IS_QUICK else (15, 500, 4_320_000)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its server ends with it
    try:
        with databases.administrator() as cursor:  # keeps the server running until the end
            server = reporting.server(cursor)
        with databases.made(OURS, SCRATCH):
            call_command("migrate", verbosity=0)
            connections.close_all()
            rows = _rows()
        _report(rows, server)
    finally:
        connections.close_all()
        lease.release_all()
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def _rows() -> list[Row]:
    return [
        *_part("ingest", ROUNDS),
        *_part("single_records", ROUNDS, SINGLES),
        *_part("concurrent_records", 20 * SINGLES),
        *_part("backfill", BACKFILL),
    ]


def _part(name: str, *arguments: object) -> list[Row]:
    words = [str(argument) for argument in arguments]
    return parts.measure(name, *words, folder=FOLDER, settings=SETTINGS)


def _report(rows: list[Row], server: str) -> None:
    print(
        f"exchange: {psutil.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {server}, backfill of {BACKFILL:,} rows"
    )
    print(f"{'name':<34}{'value':>14}  {'unit':<15}{'baseline':>13}{'ratio':>7}  spread")
    for row in rows:
        print(reporting.line(row))
    path = RESULTS / "exchange.json"
    found = [{k: v for k, v in asdict(row).items() if k != "spread"} for row in rows]
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    sys.exit(main())
