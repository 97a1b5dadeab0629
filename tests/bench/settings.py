"""The product's settings, on a database of the benchmark and with the record it measures."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.peers.with_trail"]
for _database in DATABASES.values():
    _database["NAME"] = os.environ["GMP_BENCH_DATABASE"]
