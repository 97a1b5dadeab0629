"""State, leaves and checkpoints that are none: every command of the trail has a verdict still."""

from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from compliance.trail import exporting
from config import overview
from tests import trail_log
from tests.attacks import colluding
from tests.factories import NOON

Superuser = psycopg.Connection[Any]
NEWEST = "size = (SELECT max(size) FROM audit.checkpoint)"
PLANTED = {
    "no state": "DELETE FROM audit.log_state",
    "a range of nothing": "UPDATE audit.log_state SET range = ARRAY[NULL]::bytea[]",
    "less than no leaves": "UPDATE audit.log_state SET size = -1",
    "more leaves than there are": "UPDATE audit.log_state SET size = size + 5",
    "a leaf of nothing": "UPDATE pg_attribute SET attnotnull = false "
    "WHERE attrelid = 'audit.leaf'::regclass;"
    "UPDATE audit.leaf SET leaf_hash = NULL WHERE idx = 3",
    "a checkpoint of nothing": "UPDATE pg_attribute SET attnotnull = false "
    "WHERE attrelid = 'audit.checkpoint'::regclass;"
    f"UPDATE audit.checkpoint SET note = NULL WHERE {NEWEST}",
}
WAYS = ("verify", "status", "restore-check", "compare-export", "seal", "publish", "rehash")


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_no_log_any_more_ends_no_command(
    fresh_log: Any, as_superuser: Superuser, settings: Any, tmp_path: Any, planted: str
) -> None:
    settings.EXPORT = str(tmp_path / "worm")
    trail_log.written()
    exporting.export()
    with colluding.silenced(as_superuser) as silent:
        silent.execute(PLANTED[planted])

    failed = []
    for way in WAYS:
        try:
            call_command("trail", way, reason="asked for by the inspector")
        except (CommandError, SystemExit):
            failed.append(way)

    assert "verify" in failed
    assert len(failed) > 1
    if "log_state" in PLANTED[planted] and "size + 5" not in PLANTED[planted]:
        [trail] = [one for one in overview.of_plant(at=NOON).tiles if one.label == "Trail entries"]
        assert (trail.value, trail.tone) == ("damaged", "bad")


def test_an_emptied_checkpoint_is_not_exported(
    fresh_log: Any, as_superuser: Superuser, settings: Any, tmp_path: Any
) -> None:
    settings.EXPORT = str(tmp_path / "worm")
    trail_log.written()
    with colluding.silenced(as_superuser) as silent:
        silent.execute(PLANTED["a checkpoint of nothing"])

    with pytest.raises(exporting.NotSigned, match="is empty in the database"):
        exporting.export()

    assert all(one.stat().st_size for one in (tmp_path / "worm").rglob("note"))
