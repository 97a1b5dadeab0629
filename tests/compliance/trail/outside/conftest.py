"""A signed log of three checkpoints, with what it takes to show it to outsiders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compliance.trail import keys
from tests import trail_log, witnesses
from tests.conftest import FreshLog
from tests.witnesses import WitnessProcess


@pytest.fixture
def written_log(fresh_log: FreshLog, django_db_blocker: Any) -> Iterator[int]:
    """Return the size of a log with more than one full tile of leaves."""
    with django_db_blocker.unblock():
        trail_log.vessels(300, "F")
        yield trail_log.written()


@pytest.fixture
def two_witnesses(written_log: int, tmp_path: Path) -> Iterator[list[WitnessProcess]]:
    logs = [keys.verifier(size=1).vkey]
    with (
        witnesses.running(tmp_path / "w1", logs, name="witness.example/w1") as one,
        witnesses.running(tmp_path / "w2", logs, name="witness.example/w2") as two,
    ):
        yield [one, two]


def trust(settings: Any, folder: Path, found: list[WitnessProcess], needed: str = "all") -> None:
    """Write the policy that trusts these witnesses and let the settings name it."""
    lines = [f"log {keys.verifier(size=1).vkey}"]
    lines += [f"witness w{n} {one.verifier.vkey} {one.url}" for n, one in enumerate(found, start=1)]
    lines.append(f"group g {needed} " + " ".join(f"w{n + 1}" for n in range(len(found))))
    path = folder / f"policy-{needed}"
    path.write_text("\n".join([*lines, "quorum g"]) + "\n")
    settings.LOG_POLICY = str(path)
