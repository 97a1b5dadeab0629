"""The inspector: a good batch is clean, a broken rule is exactly that finding."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from batches.disposition import decisions
from batches.execution import events
from batches.execution.events import Reported
from batches.execution.models import Batch, DispositionState, EventKind
from compliance.access.duties import Role
from compliance.inspection import engine, snapshots
from compliance.inspection.models import Profile, Verdict
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=2)
# A test's own transaction has no sealed log, and its clock is given: it is not the database's.
OF_THE_LOG = {"DI-01", "DI-02", "DI-03", "DI-07"}


def _found(batch: Batch) -> dict[str, engine.Result]:
    snapshot = snapshots.take(scope=[batch.number], as_of=LATER)
    assessment = engine.assess(snapshot, profile=Profile.FDA, repeats={})
    return {
        one.check_id: one
        for one in assessment.results
        if one.verdict == Verdict.FINDING and one.check_id not in OF_THE_LOG
    }


def _measured(batch: Batch, value: str, *, minute: int = 0, **said: Any) -> None:
    at = NOON + timedelta(minutes=minute)
    person = factories.person(Role.OPERATOR)
    reported = {
        "kind": EventKind.MEASUREMENT, "occurred_at": at, "occurred_text": at.isoformat(),
        "sent_at": at, "tag": "temperature_c", "value": value, "unit": "Cel",
        "performed_by": person.username, "details": {"equipment": "BR-1", "vial": str(minute)},
    }  # fmt: skip
    events.record(
        batch, reported=Reported(**{**reported, **said}), message_id=f"m-{minute}-{value}",
        actor=factories.device(), at=at + timedelta(minutes=1),
    )  # fmt: skip


def test_a_batch_as_it_should_be_has_no_finding() -> None:
    batch = factories.completed_batch()

    assert _found(batch) == {}


def _far_outside(batch: Batch) -> None:
    _measured(batch, "99.0")


def _nobody_known(batch: Batch) -> None:
    _measured(batch, "36.8", performed_by="OP_1")


def _late(batch: Batch) -> None:
    _measured(batch, "36.8", sent_at=NOON + timedelta(days=3))


def _silent_alarm(batch: Batch) -> None:
    details = {"equipment": "BR-1", "vial": "1", "critical_alarm": "1"}
    _measured(batch, "36.8", details=details)


def _nothing_but_values(batch: Batch) -> None:
    for minute, value in enumerate(("36.7", "36.8", "36.9", "36.8", "36.8", "36.9")):
        _measured(batch, value, minute=minute * minute + minute, details={})


@pytest.mark.parametrize(
    ("break_it", "check_id", "says"),
    [
        (_far_outside, "BR-04", "99.0 Cel"),
        (_nobody_known, "SG-01", "“OP_1”, named as performer of 1 event"),
        (_late, "DI-05", "was entered 3 days later"),
        (_silent_alarm, "QS-05", "the only critical alarm, 36.8 Cel"),
        (_nothing_but_values, "BR-01", "none of the 6 measurements names the equipment"),
    ],
)
def test_one_broken_rule_is_exactly_that_finding(
    break_it: Callable[[Batch], None], check_id: str, says: str
) -> None:
    batch = factories.running_batch()
    break_it(batch)

    found = _found(batch)

    assert set(found) == {check_id}
    assert says in found[check_id].text
    assert found[check_id].evidence
    assert found[check_id].failing >= 1


def test_an_excursion_that_a_deviation_speaks_of_is_no_finding_but_is_named() -> None:
    batch = factories.running_batch()
    _measured(batch, "99.0")
    factories.deviation(batch)  # "The temperature ... left its limits"

    snapshot = snapshots.take(scope=[batch.number], as_of=LATER)
    results = engine.assess(snapshot, profile=Profile.EU, repeats={}).results
    said = next(one for one in results if one.check_id == "BR-04")

    assert said.verdict == Verdict.CLEAN
    assert "Covered by a deviation" in said.text
    assert "99.0 Cel" in said.text


def test_a_repeat_is_raised_and_the_reason_says_so() -> None:
    batch = factories.running_batch()
    _far_outside(batch)

    snapshot = snapshots.take(scope=[batch.number], as_of=LATER)
    once = engine.assess(snapshot, profile=Profile.FDA, repeats={})
    again = engine.assess(snapshot, profile=Profile.FDA, repeats={"BR-04": "INS-2026-0001"})

    first = next(one for one in once.results if one.check_id == "BR-04")
    second = next(one for one in again.results if one.check_id == "BR-04")
    assert (first.finding_class, second.finding_class) == ("major", "critical")
    assert "repeat of a finding of inspection INS-2026-0001" in second.class_reason


def test_the_same_records_give_the_same_findings() -> None:
    batch = factories.running_batch()
    _far_outside(batch)

    snapshot = snapshots.take(scope=[batch.number], as_of=LATER)
    twice = [engine.assess(snapshot, profile=Profile.FDA, repeats={}) for _ in range(2)]

    assert twice[0] == twice[1]


def test_a_release_is_refused_while_a_deviation_is_open() -> None:
    batch = factories.completed_batch()
    factories.deviation(batch)
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(decisions.Refused, match="is open"):
        decisions.decide(
            batch, outcome=DispositionState.RELEASED, confirmed=factories.confirmed(quality),
            reason="every value within limits",
        )  # fmt: skip

    assert Decimal("1") == Batch.objects.filter(pk=batch.pk, disposition="pending").count()
