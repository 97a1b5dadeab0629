"""Measure the twin of any process on real data: `python -m tests.real_data [FOLDER]`.

Prints every table of docs/real-data.md in one run; the same data give the same lines. FOLDER holds
the data of others (see docs/real-data.md); without one it is shared/data beside the checkout.
"""

import os
import sys
from pathlib import Path

PINNED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main() -> int:
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        command = [sys.executable, "-m", "tests.real_data", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **PINNED})
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.real_data import eastman, penicillin, reading, tablets, unlabelled

    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else reading.SHARED
    for part in (tablets, unlabelled, eastman, penicillin):
        for line in part.measured(shared):
            print(line, flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
