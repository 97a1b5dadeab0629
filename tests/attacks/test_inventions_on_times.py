"""Attacks on the times at which checkpoints are shown as signed and stamped."""

from typing import Any

import psycopg
import pytest

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests.attacks.conftest import SealedLog
from tests.attacks.test_trail_as_superuser import unguarded

Superuser = psycopg.Connection[Any]


@pytest.mark.parametrize("moved", ["+ interval '5 years'", "- interval '5 minutes'"])
def test_a_checkpoint_shown_as_signed_at_another_time_is_named(
    sealed_log: SealedLog, superuser: Superuser, moved: str
) -> None:
    with unguarded(superuser, "audit.checkpoint"):
        superuser.execute(f"UPDATE audit.checkpoint SET signed_at = signed_at {moved}")
    superuser.commit()

    report = verification.verify()

    assert report.counts[Verdict.TAMPERED] >= len(sealed_log.sizes)
    assert "was signed" in report.faults[0].message


@pytest.mark.parametrize("moved", ["gen_time - interval '1 second'", "'infinity'"])
def test_a_token_shown_as_of_another_time_is_named(
    sealed_log: SealedLog, superuser: Superuser, moved: str
) -> None:
    with unguarded(superuser, 'audit."timestamp"'):
        superuser.execute(f"UPDATE audit.timestamp SET gen_time = {moved}")
    superuser.commit()

    faults = verification.verify().faults

    assert {one.verdict for one in faults} == {Verdict.TAMPERED}
    assert all(one.message.startswith("the token over checkpoint") for one in faults)
