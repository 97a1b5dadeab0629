"""Put on record what a process runs with, when it starts (EU GMP Annex 11, 10)."""

import logging
import platform
import tomllib
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connections

from config import env

LOG = logging.getLogger(__name__)


def values() -> dict[str, str]:
    """Return the settings that were read, by name, and the versions of what runs."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    versions = {"version": project["version"], "python": platform.python_version()}
    return {**env.READ, **versions}


def note(process: str, *, at: datetime) -> None:
    """Record what changed; a database that is not there yet is said in the log, and asked later."""
    from compliance.configuration import changes  # the settings import this package first

    try:
        change = changes.note(values(), process=process, at=at)
    except DatabaseError as error:
        LOG.warning("%s: the configuration is not noted now: %s", process, error)
        return
    finally:
        connections.close_all()  # a process that forks after this shares none
    if change is not None:
        LOG.info("%s: %s, %d settings to assess", process, change, change.settings.count())
