"""Settings, entry points and the services that the product brings along."""

import gc

# Of what starting loads nearly all stays: Python's own 700 has it looked through hundreds of times,
# which is a quarter of the time that a process takes to start.
gc.set_threshold(50_000, 20, 50)

from config.celery import app as celery_app  # noqa: E402 -- loads the product

__all__ = ["celery_app"]
