"""Evidence bundles of a real log verify offline, and show what is complete and what was altered."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.utils import timezone

from compliance.trail import bundles, keys, log_source, seals
from compliance.trail.verifier import container, verification, writing
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel


def bundle_of(records: Sequence[tuple[str, str]]) -> bytes:
    subject = Subject(kind=Kind.RECORD, title="Vessels", records=tuple(records))
    with log_source.opened() as source:
        return writing.bundle(bundles.gather(source, subject, created_at=timezone.now()))


def verified(data: bytes, folder: Path) -> Result:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    trust = Trust.read([("keys", "\n".join(one.vkey for one in keys.current()).encode())])
    return verification.verify(container.open_path(path), trust=trust)


@pytest.fixture
def sealed_log(fresh_log: FreshLog) -> FreshLog:
    trail_log.written()
    seals.seal(timezone.now())
    trail_log.seal_and_sign()
    return fresh_log


def test_the_bundle_of_a_record_verifies_offline(sealed_log: FreshLog, tmp_path: Path) -> None:
    vessel = Vessel.objects.order_by("pk")[0]

    result = verified(bundle_of([("trail_app_vessel", str(vessel.pk))]), tmp_path)

    assert result.exit == 0, result
