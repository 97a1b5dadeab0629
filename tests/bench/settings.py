"""The product's settings, on a database of the benchmark."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES

for _database in DATABASES.values():
    _database["NAME"] = os.environ["GMP_BENCH_DATABASE"]
