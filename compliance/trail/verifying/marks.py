"""Remember up to where a whole log was intact, so that the next verification can begin there."""

from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

_FILE = "last"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A log at the end of its last whole range, and as long as it was when it was intact."""

    boundary: int  # a multiple of the leaves of a range
    chain: bytes
    hashes: tuple[bytes, ...]
    latest: int | None
    size: int
    root: bytes


def keep(folder: Path, marks: dict[str, Mark]) -> None:
    """Keep the marks of all logs, by their origins, instead of earlier ones."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{_FILE}.partial"
    partial.write_bytes(msgspec.msgpack.encode({name: asdict(one) for name, one in marks.items()}))
    partial.replace(folder / _FILE)


def kept(folder: Path) -> dict[str, Mark]:
    """Return the marks that were kept; none when there are none that can be read."""
    try:
        return msgspec.msgpack.decode((folder / _FILE).read_bytes(), type=dict[str, Mark])
    except (OSError, msgspec.MsgspecError):
        return {}
