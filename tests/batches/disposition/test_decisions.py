"""A batch is what its newest signed decision says, and nothing else makes it so."""

import contextlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from batches.disposition import decisions, excursions, reviews, specification, standing
from batches.disposition.decisions import DispositionBlocked, ReferenceNeeded
from batches.disposition.makers import MakerDecides
from batches.disposition.models import BatchReview, Decision, Outcome
from batches.disposition.reviews import RecordChanged
from batches.execution import blockers, events
from batches.execution.models import Batch, DispositionState, EventKind
from batches.execution.states import BY_DISPOSITION
from batches.laboratory import results
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.trail import recording
from compliance.trail.models import Entry
from tests import factories
from tests.batches.disposition.test_states import in_state
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@contextlib.contextmanager
def _refused_by_database(code: str = "GM010"):  # type: ignore[no-untyped-def]
    """Expect the application's own role to be refused, at the latest when it commits."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert getattr(caught.value.__cause__, "sqlstate", "") == code


def _act():  # type: ignore[no-untyped-def]
    return recording.recording(
        decisions.Action.BATCH_DISPOSITIONED, actor=TEST, at=NOON, reason="an attempt by hand"
    )


def test_a_batch_is_held_the_hold_lifted_and_then_released() -> None:
    batch = factories.completed_batch()

    for outcome in (Outcome.HELD, Outcome.LIFTED, Outcome.RELEASED):
        factories.decision(batch, outcome)

    batch.refresh_from_db()
    assert batch.disposition == DispositionState.RELEASED
    assert list(batch.decisions.order_by("pk").values_list("outcome", flat=True)) == [
        "held", "lifted", "released",
    ]  # fmt: skip


def test_a_rework_names_its_order_and_the_batch_is_judged_anew_after_it() -> None:
    batch = factories.completed_batch()
    with pytest.raises(ReferenceNeeded):
        factories.decision(batch, Outcome.REWORK)

    ordered = factories.decision(batch, Outcome.REWORK, reference="RO-2026-7")
    factories.decision(batch, Outcome.REWORKED)

    batch.refresh_from_db()
    assert ordered.reference == "RO-2026-7"
    assert batch.disposition == DispositionState.PENDING


@pytest.mark.requirement("211-192")
def test_a_record_that_nobody_reviewed_is_not_released() -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="a line after the review")
    factories.batch_trail_review(batch)

    with pytest.raises(DispositionBlocked, match="signed a review") as refused:
        factories.decision(batch)

    assert [one["code"] for one in refused.value.errors] == ["record-not-reviewed"]
    assert blockers.of(batch)[0].clause.startswith("21 CFR 211.192")


@pytest.mark.requirement("211-192")
def test_every_objection_to_a_release_is_named_at_once_with_its_clause() -> None:
    batch = factories.running_batch()
    factories.happened(batch, EventKind.BATCH_ENDED)
    factories.deviation(batch)
    batch.refresh_from_db()

    found = blockers.of(batch)
    with pytest.raises(DispositionBlocked) as refused:
        factories.decision(batch)

    assert {one.name for one in found} >= {
        "deviation-open", "phase-not-executed", "record-not-reviewed", "value-missing",
    }  # fmt: skip
    assert all(one.clause for one in found)
    assert {one["code"] for one in refused.value.errors} == {one.name for one in found}


def test_a_result_outside_its_specification_bars_the_release_with_any_deviation() -> None:
    batch = factories.completed_batch()
    sample = factories.sample(batch, at=NOON + MINUTE)
    factories.result(sample, value="1.90", at=NOON + MINUTE)
    factories.closed_deviation(batch)
    factories.review(batch)

    with pytest.raises(DispositionBlocked, match="does not meet its specification"):
        factories.decision(batch)


def test_a_review_signs_what_was_looked_at_or_nothing() -> None:
    batch = factories.completed_batch()
    seen = signing.digest(batch)
    factories.happened(batch, EventKind.OBSERVATION, text="while somebody reads")
    reviewer = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))

    with pytest.raises(RecordChanged):
        reviews.sign(batch, seen=seen, remarks="all of it was read", confirmed=reviewer)

    assert BatchReview.objects.filter(batch=batch).count() == 1  # the factory's own


def test_a_review_is_bound_to_the_digest_and_to_the_size_of_the_trail() -> None:
    batch = factories.completed_batch()

    review = factories.review(batch)

    signature = review.signature
    assert signature.record_digest == review.content_digest == signing.digest(batch)
    assert signature.meaning == Meaning.REVIEWED
    assert f"trail of {review.tree_size} entries" in signature.comment
    assert review.counts["phases"] == {"records": 3, "exceptions": 0}


# --- What comes after the release


CHANGES: dict[str, Callable[[Batch], object]] = {
    "an event": lambda batch: factories.happened(
        batch, EventKind.OBSERVATION, text="foam was seen", at=NOON + MINUTE
    ),
    "a corrected result": lambda batch: factories.result(
        batch.samples.get(), value="3.20", version=2, reason="the dilution was wrong",
        at=NOON + MINUTE,
    ),
    "a new result": lambda batch: factories.result(
        factories.sample(batch, at=NOON + MINUTE), at=NOON + MINUTE
    ),
    "readings": lambda batch: factories.stored(
        batch, factories.temperatures("36.9", since=NOON), at=NOON + MINUTE
    ),
    "a deviation": lambda batch: factories.deviation(batch, at=NOON + MINUTE),
}  # fmt: skip


@pytest.mark.requirement("A11D-13", "P11-70")
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_the_release_opens_the_evaluation_again(change: str) -> None:
    batch = factories.released_batch()
    assert not standing.of(batch).needs_reevaluation

    CHANGES[change](batch)

    found = standing.of(batch)
    assert found.needs_reevaluation
    assert found.decision is not None
    since = standing.entries_since(found.decision)
    assert since
    assert all(not one.action.startswith("disposition.") for one in since)
    with pytest.raises(standing.ReevaluationNeeded):
        factories.certificate(batch)
    with pytest.raises(standing.ReevaluationNeeded):
        factories.shipment(batch)


def test_a_release_is_confirmed_after_a_new_review_only() -> None:
    batch = factories.released_batch()
    CHANGES["an event"](batch)
    with pytest.raises(DispositionBlocked, match="signed a review"):
        factories.decision(batch, Outcome.CONFIRMED)

    factories.review(batch)
    factories.decision(batch, Outcome.CONFIRMED)

    assert not standing.of(batch).needs_reevaluation
    assert factories.certificate(batch).decision.outcome == Outcome.CONFIRMED


def test_what_comes_before_the_decision_is_no_change_after_it() -> None:
    batch = factories.released_batch()
    decision = batch.decisions.get()

    assert standing.entries_since(decision) == []


# --- The database, for whoever comes around the functions


@pytest.mark.requirement("211-22a", "P11-f1")
@pytest.mark.parametrize("state", ["released", "rejected", "held", "rework"])
def test_the_database_refuses_a_disposition_without_its_decision(state: str) -> None:
    batch = factories.completed_batch()

    with _refused_by_database(), _act():
        Batch.objects.filter(pk=batch.pk).update(disposition=state)


@pytest.mark.requirement("P11-f1")
def test_the_database_refuses_every_move_that_the_table_of_states_does_not_have() -> None:
    possible = {
        (state, decisions.RULES[outcome].becomes)
        for state in DispositionState
        for outcome in Outcome
        if decisions.RULES[outcome].step in BY_DISPOSITION[state]
    }
    for state in DispositionState:
        batch = in_state(state)
        for target in set(DispositionState) - {state}:
            with pytest.raises(DatabaseError) as caught, transaction.atomic(), _act():
                Batch.objects.filter(pk=batch.pk).update(disposition=target)
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            said = "cannot become" in str(caught.value)
            assert said == ((state, target) not in possible), (state, target)


def test_the_database_refuses_a_batch_that_is_born_released() -> None:
    batch = factories.completed_batch()
    with _refused_by_database(), _act():
        Batch.objects.create(
            number="B-born", recipe=batch.recipe, recipe_digest=batch.recipe_digest,
            state="completed", disposition="released", issued_at=NOON,
        )  # fmt: skip


def _signature(batch: Batch, meaning: Meaning, **said: str) -> Signature:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    made = signing.sign(batch, meaning=meaning, confirmed=factories.confirmed(signer))
    if not said:
        return made
    values = {
        field.attname: getattr(made, field.attname) for field in Signature._meta.fields
    } | said
    del values["id"]
    return Signature.objects.create(**values)


def _released_by_hand(batch: Batch, signature: Signature, review: BatchReview | None) -> None:
    Decision.objects.create(
        batch=batch, outcome=Outcome.RELEASED, reason="an attempt by hand", review=review,
        signature=signature, decided_at=NOON,
    )  # fmt: skip
    Batch.objects.filter(pk=batch.pk).update(disposition="released")


def test_the_database_refuses_a_release_with_a_signature_of_another_meaning() -> None:
    batch = factories.completed_batch()
    with _refused_by_database(), _act():
        signature = _signature(batch, Meaning.APPROVED)
        _released_by_hand(batch, signature, batch.reviews.get())


def test_the_database_refuses_a_release_with_the_signature_of_another_batch() -> None:
    batch, other = factories.completed_batch(), factories.completed_batch()
    with _refused_by_database(), _act():
        signature = _signature(other, Meaning.RELEASED)
        _released_by_hand(batch, signature, batch.reviews.get())


def test_the_database_refuses_a_release_of_something_that_was_not_reviewed() -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="a line after the review")
    with _refused_by_database(), _act():
        _released_by_hand(batch, _signature(batch, Meaning.RELEASED), batch.reviews.get())


def test_the_database_refuses_a_release_without_a_review() -> None:
    batch = factories.completed_batch()
    with pytest.raises(DatabaseError, match="decision_release_needs_review"):
        with transaction.atomic(), _act():
            _released_by_hand(batch, _signature(batch, Meaning.RELEASED), None)


def test_the_database_refuses_a_decision_that_does_not_move_its_batch() -> None:
    batch = factories.completed_batch()
    with _refused_by_database(), _act():
        Decision.objects.create(
            batch=batch, outcome=Outcome.HELD, reason="an attempt by hand", decided_at=NOON,
            signature=_signature(batch, Meaning.APPROVED),
        )  # fmt: skip


def test_a_release_by_hand_that_has_all_of_it_is_possible() -> None:
    """The guards ask for what a release needs, and for nothing else."""
    batch = factories.completed_batch()
    with transaction.atomic(), _act():
        _released_by_hand(batch, _signature(batch, Meaning.RELEASED), batch.reviews.get())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    batch.refresh_from_db()
    assert batch.disposition == DispositionState.RELEASED


def test_a_link_to_a_deviation_is_never_taken_back() -> None:
    batch = factories.completed_batch()
    factories.deviation(batch)

    with _refused_by_database("GM002"), _act():
        batch.deviations.clear()


def test_a_decision_and_its_batch_are_not_deleted() -> None:
    batch = factories.released_batch()

    with pytest.raises(ProtectedError):
        batch.delete()
    with _refused_by_database("GM002"), _act():
        batch.decisions.all().delete()


def test_decisions_carry_their_reason_in_the_trail() -> None:
    batch = factories.released_batch()

    entry = Entry.objects.of_record("execution_batch", batch.pk).last()

    assert entry is not None
    assert (entry.action, entry.reason) == (
        "disposition.batch-dispositioned", "the record was reviewed",
    )  # fmt: skip


# --- Nobody judges their own work, and nothing is released beside what is open


@pytest.mark.requirement("211-22a", "P11-g1")
@pytest.mark.parametrize("made", ["observed", "tested"])
def test_whoever_made_or_tested_a_batch_neither_reviews_nor_releases_it(made: str) -> None:
    """A second role makes nobody independent of their own entries; nor does a role given later."""
    both = factories.person(Role.OPERATOR, Role.QC_ANALYST, Role.QUALITY_ASSURANCE)
    batch = factories.completed_batch()
    if made == "observed":
        happened = events.Reported(
            kind=EventKind.OBSERVATION, occurred_at=NOON, occurred_text=NOON.isoformat(),
            text="the vessel was looked at",
        )  # fmt: skip
        events.record(batch, reported=happened, message_id="", actor=both, at=NOON)
    else:
        results.report(
            factories.sample(batch), tag="mab_g_l", unit="g/L", value_text="3.10", reported_at=NOON,
            message_id="by-hand", actor=both, at=NOON,
        )  # fmt: skip

    with pytest.raises(MakerDecides):
        factories.review(batch, by=both)
    factories.review(batch)
    with pytest.raises(MakerDecides):
        factories.decision(batch, by=both)
    with _refused_by_database(), _act():
        _released_at_once(batch, both)
    factories.decision(batch, Outcome.HELD, by=both)  # to stop a batch is everybody's


@pytest.mark.requirement("211-192")
@pytest.mark.parametrize("open_", ["deviation", "oos", "phase"])
def test_the_database_releases_nothing_that_stands_open(open_: str) -> None:
    batch = factories.completed_batch()
    if open_ == "deviation":
        factories.deviation(batch)
    elif open_ == "oos":
        batch = factories.specified_batch()
        factories.oos_investigation(about=batch)
    else:
        batch = factories.running_batch()
    said = {"deviation": "is open", "oos": "stands", "phase": "is waiting"}[open_]

    with connection.cursor() as cursor:
        cursor.execute("SELECT public.disposition_stands_against(%s)", [batch.pk])
        assert said in cursor.fetchone()[0]
    if open_ != "deviation":
        return
    factories.review(batch)
    with _refused_by_database(), _act():
        _released_at_once(batch, factories.person(Role.QUALITY_ASSURANCE))


def _released_at_once(batch: Batch, by: User) -> None:
    """Do what `decide` does, without asking anything."""
    signature = signing.sign(
        batch, meaning=Meaning.RELEASED, confirmed=factories.confirmed(by), comment="by hand"
    )
    Batch.objects.filter(pk=batch.pk).update(disposition="released")
    Decision.objects.create(
        batch=batch, outcome="released", reason="by hand", review=reviews.current(batch),
        signature=signature, decided_at=NOON,
    )  # fmt: skip


@pytest.mark.requirement("211-192")
def test_a_closed_deviation_stands_for_the_excursions_that_it_names() -> None:
    """A closed deviation about the temperature says nothing of the pH."""
    batch = factories.running_batch()
    factories.stored(batch, factories.temperatures("39.0"))
    factories.stored(
        batch, [one._replace(tag="ph", unit="[pH]") for one in factories.temperatures("8.00")]
    )
    factories.closed_deviation(batch)

    (left,) = [one.text for one in blockers.of(batch) if one.name == "outside-limits"]

    assert left.startswith("ph: 1 reading outside")
    assert "names pH or ph" in left


def test_a_name_within_a_word_is_not_named() -> None:
    batch = factories.running_batch()
    factories.stored(
        batch, [one._replace(tag="ph", unit="[pH]") for one in factories.temperatures("8.00")]
    )
    (excursion,) = excursions.of(batch)
    deviation = factories.deviation(batch)

    for title, is_about in (
        ("The phase took long", False), ("pH left its limits", True), ("alphabet", False),
        ("Excursion (PH)", True),
    ):  # fmt: skip
        deviation.title = title
        assert excursions.is_named(excursion, excursions.words(deviation)) is is_about, title


@pytest.mark.requirement("211-192")
@pytest.mark.parametrize(
    ("value", "unit"), [("36.9", "K"), ("36.9", ""), ("n/a", "Cel"), ("NaN", "Cel"), ("", "Cel")]
)
def test_a_value_that_nobody_could_judge_is_an_exception_and_no_value(
    value: str, unit: str
) -> None:
    """Else a wrong unit lets any value pass, and “n/a” stands for what the recipe demands."""
    batch = factories.running_batch()

    factories.happened(batch, EventKind.MEASUREMENT, tag="temperature_c", value=value, unit=unit)

    (exception,) = batch.exceptions.all()
    assert (exception.kind, exception.is_critical) == ("not-judged", True)
    assert any(one.startswith("temperature_c") for one in specification.missing(batch))
    factories.happened(batch, EventKind.MEASUREMENT, tag="temperature_c", value="36.9", unit="Cel")
    assert not any(one.startswith("temperature_c") for one in specification.missing(batch))


def test_a_batch_is_not_released_as_expired() -> None:
    batch = factories.completed_batch()

    with pytest.raises(decisions.ExpiryInvalid):
        factories.decision(batch, expires_on=NOON.date())
