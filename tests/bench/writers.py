"""Write as an application with several processes and threads does; told what to do on stdin.

A line has the model's name, how many threads write, when they begin (CLOCK_MONOTONIC), and for how
many seconds; the answer is the number of transactions that were committed.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from tests.bench.columns import values  # noqa: E402
from tests.bench.peers.with_trail import product  # noqa: E402

APPLICATION_S = 0.003  # what an application does between its write and COMMIT
MOST_THREADS = 4


def main() -> None:
    print("ready", flush=True)
    with ThreadPoolExecutor(MOST_THREADS) as pool:
        for line in sys.stdin:
            model, threads, begin, seconds = line.split()
            jobs = [
                pool.submit(_write, model, float(begin), float(begin) + float(seconds))
                for _ in range(int(threads))
            ]
            print(sum(job.result() for job in jobs), flush=True)


def _write(name: str, begin: float, end: float) -> int:
    model = apps.get_model("with_trail", name)
    block = product.block if name == "Audited" else transaction.atomic
    connection.ensure_connection()
    time.sleep(max(0.0, begin - time.monotonic()))
    count = 0
    while time.monotonic() < end:
        with block():
            model.objects.create(**values(count))
            time.sleep(APPLICATION_S)
        count += 1
    return count


if __name__ == "__main__":
    main()
