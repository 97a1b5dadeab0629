"""Measure each part in a process of its own, and take over the rows that it found."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import django

from tests.bench.measuring import Row

RESULT = "GMP_BENCH_RESULT"


class PartFailed(Exception):
    """A part ended without its figures: then no figure of the run counts."""


def measure(module: str, *arguments: str, folder: Path, settings: str, **extra: str) -> list[Row]:
    """Run a module of the benchmark under the given settings, and return its rows."""
    result = folder / f"{module}-{'-'.join(arguments)}.json"
    environment = {
        **os.environ, **extra, RESULT: str(result), "DJANGO_SETTINGS_MODULE": settings,
    }  # fmt: skip
    print(f"measuring: {module} {' '.join(arguments)}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "tests.bench.parts", module, *arguments]
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise PartFailed(f"{module} {' '.join(arguments)} ended with {done.returncode}")
    return [
        Row(**{**row, "spread": row["spread"] and tuple(row["spread"])})
        for row in json.loads(result.read_text())
    ]


def main() -> None:
    """Do a part, in its process: set Django up, measure, and hand the rows over."""
    module, *arguments = sys.argv[1:]
    django.setup()
    part = importlib.import_module(f"tests.bench.{module}")  # its models need the set-up
    rows = [asdict(row) for row in part.rows(*arguments)]
    Path(os.environ[RESULT]).write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
