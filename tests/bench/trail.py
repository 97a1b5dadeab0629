"""What the trail costs, in one run: writes, writers, sealing, verification, and its peers.

`ENTRIES=1000000 make bench PART=trail` measures a log of that size. It runs on an embedded server of
its own under var/bench, or in databases of its own on the server of DATABASE_URL.
"""

import os
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
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
SETTINGS, MEASURED = "tests.bench.settings", "tests.bench.peers.with_trail.settings"
ENTRIES = int(os.environ.get("ENTRIES") or 1_000_000)
IS_QUICK = ENTRIES <= 100_000
ROUNDS, PEER_ROUNDS, CONTENTION_ROUNDS = (7, 3, 6) if IS_QUICK else (25, 9, 24)
BULK, PEER_BULK = (5_000, 2_000) if IS_QUICK else (20_000, 10_000)


def main() -> int:
    peers = {name: f"gmp_bench_{name}" for name in PEERS}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its server ends with it
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
    rows = _ours("writes", "trail", ROUNDS, BULK)
    rows.append(_named(rows, "bytes_per_update", "bytes_per_entry"))
    rows += _ours("sealing_rate")
    rows += _ours("contention", CONTENTION_ROUNDS)
    for name, database in peers.items():
        found = parts.measure(
            "writes", name, str(PEER_ROUNDS), str(PEER_BULK), folder=FOLDER,
            settings=f"tests.bench.peers.with_{name}.settings",
            GMP_BENCH_PEER=databases.plain_settings(database),
        )  # fmt: skip
        rows += [replace(row, name=f"{name}_{row.name}") for row in found]
    grown = _ours("growth", ENTRIES, settings=SETTINGS, GMP_BENCH_DATABASE=GROWN)
    return rows + grown


def _ours(part: str, *arguments: object, settings: str = MEASURED, **extra: str) -> list[Row]:
    words = [str(argument) for argument in arguments]
    return parts.measure(part, *words, folder=FOLDER, settings=settings, **extra)


def _named(rows: list[Row], name: str, other: str) -> Row:
    return next(replace(row, name=other) for row in rows if row.name == name)


if __name__ == "__main__":
    sys.exit(main())
