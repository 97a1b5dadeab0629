"""Samples go from hand to hand on record, and the database keeps their states in order."""

from datetime import timedelta

import pytest

from batches.laboratory import custody, states
from batches.laboratory.models import CustodyKind, Sample, SampleCustody, SampleState
from batches.laboratory.samples import SampleKnown
from compliance.access.duties import Role
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-160/165/166/198")]


def _move(sample: Sample, kind: CustodyKind, location: str = "Fridge 2") -> SampleCustody:
    return custody.move(
        sample, kind=kind, location=location, happened_at=NOON, at=NOON,
        actor=factories.person(Role.QC_ANALYST), reason="as the sampling plan says",
    )  # fmt: skip


def test_a_sample_is_received_stored_and_disposed_of() -> None:
    sample = factories.sample(factories.running_batch())
    assert custody.state_of(sample) == SampleState.TAKEN

    _move(sample, CustodyKind.RECEIVED)
    moved = _move(sample, CustodyKind.STORED, "Freezer 1")
    assert (moved.state, moved.location) == (SampleState.RECEIVED, "Freezer 1")
    _move(sample, CustodyKind.DISPOSED, "")

    assert custody.state_of(sample) == SampleState.DISPOSED
    assert list(sample.custody.order_by("pk").values_list("kind", flat=True)) == [
        "received", "stored", "disposed",
    ]  # fmt: skip
    with pytest.raises(states.SampleStateForbids):
        factories.result(sample)


def test_an_aliquot_names_the_sample_it_comes_from() -> None:
    sample = factories.sample(factories.running_batch())
    said = {"actor": factories.person(Role.QC_ANALYST), "at": NOON, "reason": "half for the assay"}

    part = custody.split(sample, number="A", **said)  # type: ignore[arg-type]

    assert (part.parent, part.batch, part.taken_at) == (sample, sample.batch, sample.taken_at)
    with pytest.raises(SampleKnown):
        custody.split(sample, number="A", **said)  # type: ignore[arg-type]


def test_a_move_names_a_place_and_follows_in_time() -> None:
    sample = factories.sample(factories.running_batch())

    with pytest.raises(custody.CustodyInvalid):
        _move(sample, CustodyKind.RECEIVED, "")
    with pytest.raises(custody.CustodyInvalid):
        custody.move(
            sample, kind=CustodyKind.RECEIVED, location="Fridge", at=NOON, reason="as planned then",
            happened_at=NOON - timedelta(days=1), actor=factories.person(Role.QC_ANALYST),
        )  # fmt: skip
    with pytest.raises(custody.CustodyInvalid):
        _move(sample, CustodyKind.SPLIT)


@pytest.mark.parametrize("state", ["received", "taken", "cancelled"])
def test_the_database_revives_no_sample(state: str, database_refuses: Refuses) -> None:
    sample = factories.sample(factories.running_batch())
    _move(sample, CustodyKind.RECEIVED)
    _move(sample, CustodyKind.DISPOSED)

    database_refuses(
        "UPDATE laboratory_samplecustody SET state = %s WHERE sample_id = %s",
        state,
        sample.pk,
        saying="does not become",
    )


def test_the_database_keeps_the_sample_of_an_open_investigation(
    database_refuses: Refuses,
) -> None:
    made = factories.oos_investigation()
    assert made.result is not None
    _move(made.result.sample, CustodyKind.RECEIVED)

    database_refuses(
        "UPDATE laboratory_samplecustody SET state = 'disposed' WHERE sample_id = %s",
        made.result.sample_id,
        saying="still needs the sample",
    )
