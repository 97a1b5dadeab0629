"""Samples of a series: the digits kept, sealed by their segment, provable and verified."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from hypothesis import given
from hypothesis import strategies as st

from batches.execution import sample_bytes, segments
from batches.execution.sample_bytes import Reading
from compliance.trail.tlog import canonical, merkle
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def _stored_values(segment_id: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT value::text FROM execution_reading WHERE segment_id = %s ORDER BY position",
            [segment_id],
        )
        return [text for (text,) in cursor.fetchall()]


def test_the_digits_that_were_sent_are_the_digits_that_are_stored() -> None:
    batch = factories.running_batch()
    sent = ["36.80", "36.8", "0.00", "-1.50", "1E+3", "1.5E-10", "123456789012345678901234567890"]

    segment = factories.stored(batch, factories.temperatures(*sent), at=LATER)

    assert _stored_values(segment.pk) == [
        "36.80", "36.8", "0.00", "-1.50", "1000", "0.00000000015",
        "123456789012345678901234567890",
    ]  # fmt: skip
    segments.verify(segment)


@pytest.mark.parametrize("count", [511, 512, 513, 1024, 1300])
def test_a_segment_of_several_blocks_has_the_root_over_all_its_samples(count: int) -> None:
    sent = factories.temperatures(*(f"36.{n:04}" for n in range(count)))

    segment = factories.stored(factories.running_batch(), sent, at=NOON + timedelta(days=2))

    assert segment.root == merkle.root_of(sample_bytes.leaf_hashes(sent)).hex()
    segments.verify(segment)


def test_minus_zero_is_stored_and_sealed_as_zero() -> None:
    segment = factories.stored(factories.running_batch(), factories.temperatures("-0.0"))

    assert _stored_values(segment.pk) == ["0.0"]
    segments.verify(segment)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
def test_the_bytes_of_a_sample_are_the_canonical_form_of_its_members(
    value: Decimal, unit: str
) -> None:
    hasher = sample_bytes.LeafHasher()
    text = sample_bytes.plain(value)

    leaf = hasher(position=7, tag="ph", at=sample_bytes.moment(NOON), value=text, unit=unit)

    expected = canonical.dumps(
        {"at": "2026-03-02T12:00:00.000000Z", "p": 7, "tag": "ph", "u": unit, "v": text}
    )
    assert leaf == merkle.leaf_hash(expected)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 100])
def test_every_sample_has_a_proof_that_leads_to_its_segments_root(count: int) -> None:
    batch = factories.running_batch()
    rows = factories.temperatures(*["36.8"] * count)
    segment = factories.stored(batch, rows, at=NOON + timedelta(hours=3))

    for position in range(count):
        proof = segments.proof(segment, position=position)

        merkle.verify_inclusion(
            proof.leaf_hash, position, count, proof.path, bytes.fromhex(segment.root)
        )


def test_a_proof_of_one_sample_does_not_fit_another() -> None:
    segment = factories.stored(
        factories.running_batch(), factories.temperatures("36.8", "36.9"), at=LATER
    )
    proof = segments.proof(segment, position=0)

    with pytest.raises(merkle.ProofInvalid):
        merkle.verify_inclusion(
            segments.proof(segment, position=1).leaf_hash, 0, 2, proof.path, proof.root
        )


def test_untouched_segments_have_no_faults() -> None:
    batch = factories.running_batch()
    factories.stored(batch, factories.temperatures("36.8"))
    factories.stored(batch, [Reading("ph", NOON, Decimal("7.00"), "[pH]")])

    with connection.cursor() as cursor:
        assert list(segments.broken(cursor)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE execution_reading SET value = 1",
        "DELETE FROM execution_reading",
        "TRUNCATE execution_reading",
        "UPDATE execution_reading_202603 SET value = 1",
        "DROP TABLE execution_reading",
    ],
)
def test_the_application_cannot_change_a_stored_sample(statement: str) -> None:
    factories.stored(factories.running_batch(), factories.temperatures("36.8"))

    with (
        connection.cursor() as cursor,
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
    ):
        cursor.execute(statement)
