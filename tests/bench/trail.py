"""What the trail costs, in one run: writes, writers, sealing, verification, and its peers.

`ENTRIES=1000000 make bench PART=trail` measures a log of that size. It runs on an embedded server of
its own under var/bench, or in databases of its own on the server of DATABASE_URL.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

RESULTS = Path(os.environ.get("GMP_VAR_DIR", "var")).absolute() / "bench"
RESULTS.mkdir(parents=True, exist_ok=True)
FOLDER = Path(tempfile.mkdtemp(prefix="run-", dir=RESULTS))  # on a disk: /tmp may be in memory
FOLDER.chmod(0o755)
OURS = "gmp_bench_trail"
GROWN = "gmp_bench_grown"
os.environ["GMP_VAR_DIR"] = str(FOLDER)
os.environ["GMP_BENCH_DATABASE"] = OURS
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"

import django  # noqa: E402 -- the folder must be named before the settings are read

django.setup()

from django.db import connections  # noqa: E402

from config.embedded import lease  # noqa: E402
from tests.bench import databases, parts, reporting  # noqa: E402
from tests.bench.measuring import Row  # noqa: E402

PEERS = {
    "auditlog": "django-auditlog", "simple_history": "django-simple-history",
    "easy_audit": "django-easy-audit", "pghistory": "django-pghistory",
}  # fmt: skip
SETTINGS = "tests.bench.settings"
ENTRIES = int(os.environ.get("ENTRIES") or 1_000_000)
IS_QUICK = ENTRIES <= 100_000
ROUNDS, PEER_ROUNDS = (7, 3) if IS_QUICK else (25, 9)
BULK, PEER_BULK = (5_000, 2_000) if IS_QUICK else (20_000, 10_000)


def main() -> int:
    peers = {name: f"gmp_bench_{name}" for name in PEERS}
    try:
        with databases.administrator() as cursor:  # keeps the server running until the end
            server = reporting.server(cursor)
        with databases.made(OURS, GROWN, *peers.values()):
            rows = _rows(peers)
        reporting.report(rows, server=server, entries=ENTRIES, peers=PEERS, folder=RESULTS)
        if "--markdown" in sys.argv:
            print((RESULTS / "trail.md").read_text())
    finally:
        connections.close_all()
        lease.release_all()
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def _rows(peers: dict[str, str]) -> list[Row]:
    rows = _part("writes", "trail", ROUNDS, BULK)
    rows += _part("sealing_rate", ENTRIES // 5)
    rows += _part("contention", 3 if IS_QUICK else 8)
    for name, database in peers.items():
        found = parts.measure(
            "writes", name, str(PEER_ROUNDS), str(PEER_BULK), folder=FOLDER,
            settings=f"tests.bench.peers.with_{name}.settings",
            GMP_BENCH_PEER=databases.plain_settings(database),
        )  # fmt: skip
        rows += [reporting.renamed(row, f"{name}_{row.name}") for row in found]
    return rows + _part("growth", ENTRIES, GMP_BENCH_DATABASE=GROWN)


def _part(module: str, *arguments: object, **extra: str) -> list[Row]:
    words = [str(argument) for argument in arguments]
    return parts.measure(module, *words, folder=FOLDER, settings=SETTINGS, **extra)


if __name__ == "__main__":
    sys.exit(main())
