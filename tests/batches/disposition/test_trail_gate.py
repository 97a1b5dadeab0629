"""The audit trail is reviewed, independently and as it is, before a batch is released."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from batches.disposition import decisions, reviews
from batches.disposition.decisions import DispositionBlocked
from batches.disposition.models import Outcome
from batches.execution import blockers
from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from compliance.quality import trail_reviews
from compliance.quality.models import EntryOutcome
from compliance.quality.trail_reviews import ReviewerInvolved
from compliance.retention import holds
from compliance.signatures import signing
from compliance.trail import recording
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=1)


def _against(batch: Batch) -> set[str]:
    return {one.name for one in blockers.of(Batch.objects.get(pk=batch.pk))}


def _record_reviewed(batch: Batch) -> None:
    """Sign the review of the record alone."""
    signer = factories.person(Role.QUALITY_ASSURANCE)
    reviews.sign(
        batch, seen=signing.digest(Batch.objects.get(pk=batch.pk)), remarks="all of it was read",
        confirmed=factories.confirmed(signer),
    )  # fmt: skip


@pytest.mark.requirement("PI041-9.6", "A11-9")
def test_a_batch_whose_trail_nobody_reviewed_is_not_released() -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="a line after the review")
    _record_reviewed(batch)

    with pytest.raises(DispositionBlocked, match="review of the audit trail") as refused:
        factories.decision(batch)

    assert [one["code"] for one in refused.value.errors] == ["trail-not-reviewed"]
    assert blockers.of(batch)[0].clause == "PIC/S PI 041-1 9.6; EU GMP Annex 11 9"


@pytest.mark.requirement("PI041-9.6", "A11-9")
def test_a_review_that_is_open_or_given_up_is_none() -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="a line after the review")
    reviewer = factories.person(Role.QUALITY_ASSURANCE)
    wanted = Wanted(kind=Kind.BATCH, name=batch.number)
    opened = trail_reviews.open_(wanted, seed="seed of a test", actor=reviewer, at=NOON)
    assert "trail-not-reviewed" in _against(batch)

    trail_reviews.abandon(opened, actor=reviewer, at=NOON, reason="the reviewer is away")
    assert "trail-not-reviewed" in _against(batch)

    factories.batch_trail_review(batch)
    assert "trail-not-reviewed" not in _against(batch)


@pytest.mark.requirement("PI041-9.6")
def test_what_the_disposition_itself_writes_is_no_news_to_the_review_of_the_trail() -> None:
    batch = factories.completed_batch()
    quality = factories.person(Role.QUALITY_ASSURANCE)

    factories.decision(batch, Outcome.HELD, by=quality)
    factories.decision(batch, Outcome.LIFTED, by=quality)
    _record_reviewed(batch)
    holds.request(
        title="A claim of a customer", records=[("batch-record", batch.number)], actor=quality, at=NOON,
        reason="the lawyers ask for it",
    )  # fmt: skip
    factories.decision(batch, Outcome.RELEASED)
    batch.refresh_from_db()
    factories.certificate(batch)
    factories.shipment(batch)

    assert batch.disposition == "released"
    current = trail_reviews.current_of(Kind.BATCH, batch.number)
    assert current is not None
    standing = trail_reviews.state(current)
    assert (standing.is_current, standing.entries) == (True, standing.entries_now)


def _signed_elsewhere(batch: Batch) -> None:
    with recording.recording(factories.TestAction.WRITTEN, actor=TEST, at=LATER, reason="by hand"):
        signing.sign(
            batch, meaning=signing.Meaning.APPROVED,
            confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        )  # fmt: skip


NEWS: dict[str, Callable[[Batch], object]] = {
    "an event": lambda batch: factories.happened(
        batch, EventKind.OBSERVATION, text="foam was seen", at=LATER
    ),
    "a corrected result": lambda batch: factories.result(
        batch.samples.get(), value="3.20", version=2, reason="the dilution was wrong", at=LATER
    ),
    "readings": lambda batch: factories.stored(
        batch, factories.temperatures("36.9", since=NOON), at=LATER
    ),
    "a deviation": lambda batch: factories.deviation(batch, at=LATER),
    "a signature that is no decision": _signed_elsewhere,
}


@pytest.mark.requirement("PI041-9.6", "A11-9")
@pytest.mark.parametrize("news", NEWS)
def test_anything_else_makes_the_review_of_the_trail_stale(news: str) -> None:
    batch = factories.completed_batch()
    assert "trail-not-reviewed" not in _against(batch)

    NEWS[news](batch)

    assert "trail-not-reviewed" in _against(batch)


def test_an_act_of_the_disposition_hides_no_other_record_from_the_review() -> None:
    batch = factories.completed_batch()
    with recording.recording(
        decisions.Action.BATCH_DISPOSITIONED, actor=TEST, at=NOON, reason="under another name"
    ):
        event = batch.events.order_by("pk")[0]
        event.pk, event.message_id = None, "a message under another name"
        event.save(force_insert=True)

    assert "trail-not-reviewed" in _against(batch)


@pytest.mark.requirement("PI041-9.6", "A11-9")
def test_whoever_made_entries_of_the_batch_does_not_review_its_trail() -> None:
    batch = factories.completed_batch()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    factories.decision(batch, Outcome.HELD, by=quality)

    with pytest.raises(ReviewerInvolved):
        factories.batch_trail_review(batch, by=quality)


@pytest.mark.requirement("PI041-9.6")
def test_every_drawn_entry_is_assessed_before_the_review_counts() -> None:
    batch = factories.completed_batch()
    review = trail_reviews.current_of(Kind.BATCH, batch.number)

    assert review is not None
    assert review.sample.count() >= 5
    assert not review.sample.filter(outcome=EntryOutcome.PENDING).exists()


@pytest.mark.requirement("PI041-9.6")
def test_the_database_refuses_a_release_without_any_review_of_the_trail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.factories.batches.batch_trail_review", lambda *given, **said: None)
    batch = factories.completed_batch()
    monkeypatch.setattr(blockers, "of", lambda batch: [])

    with pytest.raises(DatabaseError, match="without a review of its audit trail") as caught:
        with transaction.atomic():
            factories.decision(batch)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert getattr(caught.value.__cause__, "sqlstate", "") == "GM010"
