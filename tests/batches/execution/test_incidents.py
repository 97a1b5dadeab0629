"""A critical incident becomes a deviation with its root cause, closed by signatures that stay."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from batches.execution import blockers, exceptions
from batches.execution.exceptions import DeviationNeeded
from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from compliance.quality import deviations
from compliance.quality.models import DeviationState, Severity
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Signature
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("A11-13/14")]
LATER = NOON + timedelta(hours=1)


def _hot() -> Batch:
    """Return a batch in which a system measured a critical parameter far outside."""
    batch = factories.running_batch()
    factories.happened(batch, EventKind.MEASUREMENT, tag="temperature_c", value="99.0", unit="Cel")
    return batch


def test_a_critical_incident_is_settled_by_a_deviation_and_by_nothing_less() -> None:
    batch = _hot()
    incident = batch.exceptions.get()
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    assert incident.is_critical
    with pytest.raises(DeviationNeeded):
        exceptions.assess(incident, confirmed=quality, assessment="no effect on the product")
    assert any("°C" in one.text for one in blockers.of(batch))

    deviation = factories.deviation(batch, severity=Severity.CRITICAL)
    exceptions.link(incident, deviation=deviation, actor=quality.signer, at=NOON)
    exceptions.assess(incident, confirmed=quality, assessment="investigated in the deviation")

    assert [one.name for one in blockers.of(batch) if deviation.number in one.text] == [
        "deviation-open"
    ]


def test_its_deviation_is_not_closed_without_a_root_cause() -> None:
    deviation = factories.deviation(_hot(), severity=Severity.CRITICAL)
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(Refused):
        deviations.close(
            deviation, confirmed=factories.confirmed(quality), reason="nothing to be said of it"
        )
    closed = factories.closed_deviation(_hot())

    assert closed.state == DeviationState.CLOSED
    assert closed.root_cause


def test_the_signature_under_its_closure_has_its_moment_and_stays_with_its_record() -> None:
    closed = factories.closed_deviation(_hot(), at=LATER)
    other = factories.deviation()

    (signature,) = [one for one in signing.of(closed) if one.meaning == "closed"]

    assert signature.signed_at == LATER
    assert (signature.record, signature.record_id) == ("quality_deviation", str(closed.pk))
    assert signing.is_current(signature, closed)
    for moved in ({"record_id": str(other.pk)}, {"signed_at": NOON}):
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), factories.acting():
            Signature.objects.filter(pk=signature.pk).update(**moved)
        assert getattr(caught.value.__cause__, "sqlstate", "") == "GM002"
