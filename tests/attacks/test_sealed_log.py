"""Each attack on a sealed, witnessed and time-stamped log gets its verdict, and none passes."""

from typing import Any

import psycopg

from compliance.trail.findings import Verdict
from tests.attacks.conftest import SealedLog
from tests.attacks.test_trail_as_superuser import entry_of_leaf, found, unguarded, verdicts

Superuser = psycopg.Connection[Any]


def test_a_middle_entry_deleted_is_missing(sealed_log: SealedLog, superuser: Superuser) -> None:
    entry_id, _ = entry_of_leaf(superuser, 500)

    with unguarded(superuser, "audit.entry"):
        superuser.execute("DELETE FROM audit.entry WHERE entry_id = %s", [entry_id])

    assert verdicts(found()) == {(Verdict.MISSING, 500)}
