"""A Qualified Person certifies what quality released, and nothing leaves the site before."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from batches.disposition import certification, register_file, shipments, standing
from batches.disposition.certification import (
    AlreadyCertified,
    CertifierReleased,
    ImpactNotAssessed,
    NotCertifiable,
)
from batches.disposition.models import Certificate, Market, Outcome, Shipment
from batches.disposition.shipments import NotCertified, ShipmentInvalid
from batches.execution.models import Batch, DispositionState
from batches.execution.states import BatchStateForbids
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
ASSESSED = "The excursion lasted four minutes; every attribute of the product is met."


def _act():  # type: ignore[no-untyped-def]
    return recording.recording(
        certification.Action.BATCH_CERTIFIED, actor=TEST, at=NOON, reason="an attempt by hand"
    )


@pytest.mark.requirement("A11-15", "A16")
def test_nobody_but_the_qualified_person_certifies() -> None:
    batch = factories.released_batch()
    for role in set(Role) - {Role.QUALIFIED_PERSON}:
        signer = factories.confirmed(factories.person(role))
        assert Duty.CERTIFY_BATCH not in DUTIES[role]
        with pytest.raises(NotPermitted):
            certification.certify(batch, confirmed=signer)
        assert not Certificate.objects.exists()

    signer = factories.confirmed(factories.person(Role.QUALIFIED_PERSON))
    certificate = certification.certify(batch, confirmed=signer)

    assert certificate.signature.meaning == Meaning.CERTIFIED
    assert certificate.signature.printed_name == signer.signer.full_name


@pytest.mark.requirement("A11-15")
def test_certification_is_another_act_of_another_person_than_the_release() -> None:
    batch = factories.completed_batch()
    person = factories.person(Role.QUALIFIED_PERSON)
    factories.decision(batch, by=person)

    with pytest.raises(CertifierReleased):
        certification.certify(batch, confirmed=factories.confirmed(person))


@pytest.mark.requirement("A11-15", "A16")
def test_a_confirmation_by_somebody_else_makes_nobody_another_person_than_who_released() -> None:
    batch = factories.completed_batch()
    first = factories.person(Role.QUALIFIED_PERSON)
    factories.decision(batch, by=first)
    factories.deviation(batch, at=NOON + MINUTE)
    for deviation in batch.deviations.all():
        factories.closed(deviation, at=NOON + MINUTE)
    factories.review(batch, at=NOON + MINUTE)
    factories.decision(batch, Outcome.CONFIRMED, at=NOON + MINUTE)

    with pytest.raises(CertifierReleased):
        certification.certify(
            batch, confirmed=factories.confirmed(first, at=NOON + MINUTE), assessment=ASSESSED
        )
    with pytest.raises(DatabaseError, match="who released does not certify"):
        with transaction.atomic(), _act():
            signature = signing.sign(
                batch, meaning=Meaning.CERTIFIED,
                confirmed=factories.confirmed(first, at=NOON + MINUTE),
            )  # fmt: skip
            Certificate.objects.create(
                serial=1, number="QPC-000001", batch=batch, decision=standing.newest(batch),
                statement="by hand", signature=signature, certified_at=NOON + MINUTE,
            )  # fmt: skip
    another = factories.certificate(batch, at=NOON + MINUTE, assessment=ASSESSED)
    assert another.signature.signer != first


@pytest.mark.requirement("A11-15", "P11-f1")
@pytest.mark.parametrize("outcome", [None, Outcome.HELD, Outcome.REJECTED])
def test_a_batch_that_is_not_released_is_not_certified(outcome: Outcome | None) -> None:
    batch = factories.completed_batch()
    if outcome:
        factories.decision(batch, outcome)

    with pytest.raises(BatchStateForbids):
        factories.certificate(batch)


def test_a_release_is_certified_once() -> None:
    batch = factories.released_batch()
    factories.certificate(batch)

    with pytest.raises(AlreadyCertified, match="QPC-"):
        factories.certificate(batch)


@pytest.mark.requirement("A16")
def test_the_register_runs_without_a_gap_also_after_a_refusal() -> None:
    first = factories.certificate(factories.released_batch())
    changed = factories.released_batch()
    factories.deviation(changed, at=NOON + MINUTE)
    with pytest.raises(standing.ReevaluationNeeded):
        factories.certificate(changed)

    second = factories.certificate(factories.released_batch())

    assert (first.serial, second.serial) == (1, 2)
    assert [one.number for one in certification.register()] == ["QPC-000001", "QPC-000002"]


@pytest.mark.requirement("A16")
def test_the_register_is_a_file_with_names_statement_and_digest() -> None:
    made = factories.certificate(factories.released_batch(), statement="=certified as it should be")

    header, line, rest = register_file.csv_of(certification.register()).split("\r\n")

    assert header.startswith("serial,number,batch")
    assert made.signature.printed_name in line
    assert made.signature.record_digest in line
    assert "'=certified" in line  # no spreadsheet computes it
    assert rest == ""


# --- Unexpected deviations (Annex 16, 3)


def _with_deviation() -> Batch:
    batch = factories.completed_batch()
    factories.closed_deviation(batch)
    factories.review(batch)
    factories.decision(batch)
    return batch


@pytest.mark.requirement("A16")
def test_a_batch_with_a_deviation_is_certified_with_its_assessment_only() -> None:
    batch = _with_deviation()
    with pytest.raises(ImpactNotAssessed, match="DEV-"):
        factories.certificate(batch)

    certificate = factories.certificate(batch, assessment=ASSESSED)

    (named,) = certificate.deviations
    assert named["number"] == batch.deviations.get().number
    assert named["impact"] == factories.FINDINGS.impact
    assert certificate.assessment == ASSESSED


@pytest.mark.requirement("A16")
def test_a_batch_out_of_specification_is_not_certified_through_the_path_of_deviations() -> None:
    """Even when quality released it in error, or the result was corrected after the release."""
    batch = _with_deviation()
    factories.result(
        batch.samples.get(), value="1.90", version=2, reason="the dilution was wrong",
        at=NOON + MINUTE,
    )  # fmt: skip
    with pytest.raises(standing.ReevaluationNeeded):
        factories.certificate(batch, assessment=ASSESSED, at=NOON + 2 * MINUTE)
    _confirm_around_the_function(batch)

    with pytest.raises(NotCertifiable, match="does not meet its specification") as refused:
        factories.certificate(batch, assessment=ASSESSED, at=NOON + 2 * MINUTE)

    assert "out-of-specification" in {one["code"] for one in refused.value.errors}
    assert not Certificate.objects.exists()


def _confirm_around_the_function(batch: Batch) -> None:
    """Confirm the release with a review and a signature, and without asking the blockers."""
    review = factories.review(batch)
    signer = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    with _act():
        batch.decisions.create(
            outcome=Outcome.CONFIRMED, reason="an attempt by hand", review=review, decided_at=NOON,
            signature=signing.sign(batch, meaning=Meaning.RELEASED, confirmed=signer),
        )  # fmt: skip


# --- Shipment


@pytest.mark.requirement("P11-f1", "A16")
def test_into_the_eu_goes_only_what_is_certified() -> None:
    batch = factories.released_batch()
    with pytest.raises(NotCertified):
        factories.shipment(batch)

    certificate = factories.certificate(batch)

    assert factories.shipment(batch).certificate == certificate


@pytest.mark.requirement("P11-f1")
@pytest.mark.parametrize(
    "outcomes",
    [(), (Outcome.HELD,), (Outcome.REJECTED,), (Outcome.RELEASED, Outcome.HELD),
     (Outcome.RELEASED, Outcome.RECALLED)],
)  # fmt: skip
def test_what_is_not_released_is_not_shipped(outcomes: tuple[Outcome, ...]) -> None:
    batch = factories.completed_batch()
    for outcome in outcomes:
        factories.decision(batch, outcome)

    for market in Market:
        with pytest.raises(BatchStateForbids):
            factories.shipment(batch, market=market)


def test_elsewhere_a_release_is_enough() -> None:
    assert factories.shipment(factories.released_batch(), market=Market.US).certificate is None


def test_after_a_change_the_release_is_confirmed_and_certified_anew_before_a_shipment() -> None:
    batch = factories.released_batch()
    factories.certificate(batch)
    factories.closed_deviation(batch, at=NOON + MINUTE)
    with pytest.raises(standing.ReevaluationNeeded):
        factories.shipment(batch)
    factories.review(batch, at=NOON + MINUTE)
    factories.decision(batch, Outcome.CONFIRMED, at=NOON + MINUTE)

    with pytest.raises(NotCertified):
        factories.shipment(batch, at=NOON + 2 * MINUTE)
    factories.certificate(batch, assessment=ASSESSED, at=NOON + MINUTE)

    assert factories.shipment(batch, at=NOON + 2 * MINUTE).number.startswith("SHIP-2026-")


def test_a_shipment_is_not_dated_before_its_release_or_in_the_future() -> None:
    batch = factories.released_batch()
    for moment in (NOON - MINUTE, NOON + 3 * MINUTE):
        with pytest.raises(ShipmentInvalid):
            shipments.record(
                batch, market=Market.US, consignee="A wholesaler", quantity=Decimal(1),
                unit="{vial}", shipped_at=moment, actor=factories.person(Role.WAREHOUSE),
                at=NOON + MINUTE,
            )  # fmt: skip


# --- The database


def _certificate_by_hand(batch: Batch, **said):  # type: ignore[no-untyped-def]
    signer = factories.confirmed(factories.person(Role.QUALIFIED_PERSON))
    values = {
        "serial": 1, "number": "QPC-000001", "batch": batch, "decision": batch.decisions.last(),
        "statement": "an attempt by hand", "certified_at": NOON,
    }  # fmt: skip
    with transaction.atomic(), _act():
        if "signature" not in said:
            said["signature"] = signing.sign(batch, meaning=Meaning.CERTIFIED, confirmed=signer)
        return Certificate.objects.create(**{**values, **said})


def _refused(caught) -> bool:  # type: ignore[no-untyped-def]
    return getattr(caught.value.__cause__, "sqlstate", "") == "GM010"


@pytest.mark.requirement("A11-15", "P11-f1")
def test_the_database_refuses_a_certificate_of_what_is_not_released() -> None:
    batch = factories.completed_batch()
    factories.decision(batch, Outcome.HELD)

    with pytest.raises(DatabaseError, match="not released") as caught:
        _certificate_by_hand(batch)
    assert _refused(caught)


@pytest.mark.requirement("A16")
@pytest.mark.parametrize(("serial", "number"), [(2, "QPC-000002"), (1, "QPC-000007")])
def test_the_database_refuses_a_gap_in_the_register(serial: int, number: str) -> None:
    batch = factories.released_batch()

    with pytest.raises(DatabaseError, match="next certificate") as caught:
        _certificate_by_hand(batch, serial=serial, number=number)
    assert _refused(caught)


@pytest.mark.requirement("A11-15")
def test_the_database_refuses_a_certificate_without_a_second_persons_signature() -> None:
    batch = factories.completed_batch()
    person = factories.person(Role.QUALIFIED_PERSON)
    factories.decision(batch, by=person)
    with _act():
        own = signing.sign(batch, meaning=Meaning.CERTIFIED, confirmed=factories.confirmed(person))
        other = signing.sign(
            batch, meaning=Meaning.APPROVED,
            confirmed=factories.confirmed(factories.person(Role.QUALIFIED_PERSON)),
        )  # fmt: skip

    for signature in (own, other):
        with pytest.raises(DatabaseError, match="other than who released") as caught:
            _certificate_by_hand(batch, signature=signature)
        assert _refused(caught)


def test_the_database_refuses_a_certificate_of_a_changed_record() -> None:
    batch = factories.released_batch()
    factories.deviation(batch)

    with pytest.raises(DatabaseError, match="under the record as released") as caught:
        _certificate_by_hand(batch)
    assert _refused(caught)


def test_the_database_refuses_deviations_without_assessment() -> None:
    batch = _with_deviation()

    with pytest.raises(IntegrityError, match="certificate_assesses_deviations"):
        _certificate_by_hand(batch, deviations=[{"number": "DEV-2026-0001"}])


def _shipment_by_hand(batch: Batch, **said):  # type: ignore[no-untyped-def]
    values = {
        "number": "SHIP-2026-0001", "batch": batch, "decision": batch.decisions.last(),
        "market": "us", "consignee": "A wholesaler", "quantity": Decimal(1), "unit": "{vial}",
        "shipped_at": NOON, "recorded_by": factories.person(Role.WAREHOUSE), "recorded_at": NOON,
    }  # fmt: skip
    with transaction.atomic(), _act():
        return Shipment.objects.create(**{**values, **said})


@pytest.mark.requirement("P11-f1")
def test_the_database_refuses_a_shipment_of_what_is_not_released() -> None:
    batch = factories.completed_batch()
    factories.decision(batch, Outcome.HELD)

    with pytest.raises(DatabaseError, match="not released") as caught:
        _shipment_by_hand(batch)
    assert _refused(caught)


@pytest.mark.requirement("P11-f1")
def test_the_database_refuses_a_shipment_into_the_eu_without_the_certificate_of_this_release() -> (
    None
):
    batch, other = factories.released_batch(), factories.released_batch()
    strange = factories.certificate(other)

    with pytest.raises(IntegrityError, match="shipment_to_eu_is_certified"):
        _shipment_by_hand(batch, market="eu")
    with pytest.raises(DatabaseError, match="not about this release") as caught:
        _shipment_by_hand(batch, market="eu", certificate=strange)
    assert _refused(caught)


def test_the_database_refuses_a_shipment_on_a_release_that_a_later_decision_replaced() -> None:
    batch = factories.released_batch()
    former = batch.decisions.get()
    factories.decision(batch, Outcome.CONFIRMED)

    with pytest.raises(DatabaseError, match="the release that holds") as caught:
        _shipment_by_hand(batch, decision=former)
    assert _refused(caught)


def test_a_recalled_batch_keeps_its_certificate_and_its_shipments_on_record() -> None:
    batch = factories.released_batch()
    factories.certificate(batch)
    factories.shipment(batch)

    factories.decision(batch, Outcome.RECALLED, reference="RC-1")

    batch.refresh_from_db()
    assert batch.disposition == DispositionState.RECALLED
    assert (batch.certificates.count(), batch.shipments.count()) == (1, 1)
