"""Events are recorded as the source says them, and move batch and phases in order."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from batches.disposition import sections
from batches.execution import events, signals
from batches.execution.events import EventInvalid, MessageKnown, PhaseOutOfOrder, PhaseUnknown
from batches.execution.measurements import TagUnknown
from batches.execution.models import BatchEvent, BatchState, EventKind, PhaseState
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _reported(kind: EventKind = EventKind.OBSERVATION, **said: Any) -> events.Reported:
    return events.Reported(
        kind=kind,
        **{"occurred_at": NOON, "occurred_text": NOON.isoformat(), "text": "foam was seen", **said},
    )


def test_a_batch_runs_from_its_start_to_its_end_as_the_plants_clock_says() -> None:
    batch = factories.batch()
    end = NOON + timedelta(days=12)

    factories.happened(batch, EventKind.BATCH_STARTED)
    factories.happened(batch, EventKind.BATCH_ENDED, at=end)

    batch.refresh_from_db()
    assert (batch.state, batch.started_at, batch.ended_at) == (BatchState.COMPLETED, NOON, end)


def test_phases_start_in_the_order_of_the_recipe_only() -> None:
    batch = factories.running_batch()

    with pytest.raises(PhaseOutOfOrder, match="Inoculation is waiting"):
        factories.happened(batch, EventKind.PHASE_STARTED, phase="Growth")

    assert not batch.phases.exclude(state=PhaseState.WAITING).exists()


def test_a_phase_starts_when_the_one_before_is_done() -> None:
    batch = factories.running_batch()
    factories.happened(batch, EventKind.PHASE_STARTED, phase="Inoculation")
    with pytest.raises(PhaseOutOfOrder, match="Inoculation is running"):
        factories.happened(batch, EventKind.PHASE_STARTED, phase="Growth")
    factories.happened(batch, EventKind.PHASE_ENDED, phase="Bioreactor/Inoculation")

    factories.happened(batch, EventKind.PHASE_STARTED, phase="Growth")

    assert list(batch.phases.order_by("order").values_list("state", flat=True)) == [
        "done", "running", "waiting",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [EventKind.PHASE_ENDED, EventKind.PHASE_STARTED])
def test_a_phase_is_not_ended_before_it_starts_nor_started_twice(kind: EventKind) -> None:
    batch = factories.running_batch()
    if kind == EventKind.PHASE_STARTED:
        factories.happened(batch, kind, phase="Inoculation")

    with pytest.raises(PhaseOutOfOrder):
        factories.happened(batch, kind, phase="Inoculation")


def test_a_batch_does_not_end_while_a_phase_runs() -> None:
    batch = factories.running_batch()
    factories.happened(batch, EventKind.PHASE_STARTED, phase="Inoculation")

    with pytest.raises(PhaseOutOfOrder, match="Inoculation is running"):
        factories.happened(batch, EventKind.BATCH_ENDED)


def test_a_phase_that_is_not_in_the_recipe_is_refused_with_the_known_ones() -> None:
    batch = factories.running_batch()

    with pytest.raises(PhaseUnknown, match="Bioreactor/Growth"):
        factories.happened(batch, EventKind.OBSERVATION, phase="Polishing")


@pytest.mark.parametrize("kind", [EventKind.BATCH_ENDED, EventKind.BATCH_ABORTED])
def test_a_batch_does_not_end_before_it_started(kind: EventKind) -> None:
    batch = factories.running_batch()

    with pytest.raises(EventInvalid, match="cannot have ended before"):
        events.record(
            batch,
            reported=_reported(kind, occurred_at=NOON - timedelta(hours=1), text="the seal broke"),
            message_id="m",
            actor=factories.device(),
            at=NOON,
        )


def test_an_abort_says_why() -> None:
    with pytest.raises(EventInvalid, match="why"):
        factories.happened(factories.running_batch(), EventKind.BATCH_ABORTED)


@pytest.mark.parametrize("kind", [EventKind.OBSERVATION, EventKind.ADDITION, EventKind.ALARM])
@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ({"text": ""}, True),
        ({"text": " \n"}, True),
        ({"text": "foam"}, False),
        ({"text": "", "tag": "PAH-101"}, False),
        ({"text": "", "details": {"material": "glucose"}}, False),
    ],
)
def test_what_moves_nothing_says_something(
    kind: EventKind, said: dict[str, Any], is_refused: bool
) -> None:
    batch, source = factories.running_batch(), factories.device()

    def post() -> BatchEvent:
        return events.record(
            batch, reported=_reported(kind, **said), message_id="m", actor=source, at=NOON
        )

    if is_refused:
        with pytest.raises(EventInvalid, match="says nothing"):
            post()
    else:
        post()

    assert batch.events.filter(message_id="m").exists() is not is_refused


@pytest.mark.parametrize("tag", ["", "temprature_c"])
def test_a_measurement_of_no_parameter_is_refused_with_the_known_ones(tag: str) -> None:
    batch = factories.running_batch()

    with pytest.raises(TagUnknown, match="temperature_c"):
        factories.happened(batch, EventKind.MEASUREMENT, tag=tag, value="99", unit="Cel")

    assert not batch.events.filter(kind=EventKind.MEASUREMENT).exists()


@pytest.mark.parametrize(("minutes", "is_named"), [(-5, False), (-6, True), (-20 * 525_600, True)])
def test_what_happened_before_the_batch_began_is_named_in_its_review(
    minutes: int, is_named: bool
) -> None:
    batch = factories.running_batch()
    factories.happened(
        batch, EventKind.OBSERVATION, occurred_at=NOON + timedelta(minutes=minutes),
        is_backfilled=True,
    )  # fmt: skip

    named = [one.text for one in sections.events(batch).exceptions]

    assert any("before the start" in text for text in named) is is_named


@pytest.mark.parametrize(("ahead_s", "is_refused"), [(300, False), (301, True)])
def test_what_a_source_says_will_happen_is_refused(ahead_s: int, is_refused: bool) -> None:
    batch, source = factories.running_batch(), factories.device()
    said = _reported(occurred_at=NOON + timedelta(seconds=ahead_s))

    if is_refused:
        with pytest.raises(EventInvalid, match="future"):
            events.record(batch, reported=said, message_id="m", actor=source, at=NOON)
    else:
        events.record(batch, reported=said, message_id="m", actor=source, at=NOON)

    assert batch.events.filter(message_id="m").exists() is not is_refused


def test_a_message_id_names_one_record_of_a_source() -> None:
    batch, source = factories.running_batch(), factories.device()
    events.record(batch, reported=_reported(), message_id="m-1", actor=source, at=NOON)

    with pytest.raises(MessageKnown):
        events.record(batch, reported=_reported(), message_id="m-1", actor=source, at=NOON)
    events.record(batch, reported=_reported(), message_id="m-1", actor=factories.device(), at=NOON)

    assert BatchEvent.objects.filter(message_id="m-1").count() == 2


@pytest.mark.parametrize(("minutes", "is_late"), [(0, False), (15, False), (16, True)])
def test_an_event_recorded_long_after_it_happened_is_late(minutes: int, is_late: bool) -> None:
    event = events.record(
        factories.running_batch(),
        reported=_reported(occurred_at=NOON - timedelta(minutes=minutes)),
        message_id="m",
        actor=factories.device(),
        at=NOON,
    )

    assert event.is_late is is_late


def test_what_a_person_enters_carries_their_name_and_no_source() -> None:
    operator = factories.person(Role.OPERATOR)

    event = events.record(
        factories.running_batch(), reported=_reported(), message_id="m", actor=operator, at=NOON
    )

    assert (event.performed_by, event.source) == (operator.username, None)


def test_somebody_without_the_duty_records_nothing() -> None:
    batch = factories.running_batch()

    with pytest.raises(NotPermitted):
        events.record(
            batch,
            reported=_reported(),
            message_id="m",
            actor=factories.person(Role.AUDITOR),
            at=NOON,
        )


def test_the_signal_is_sent_once_what_it_tells_is_committed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    batch = factories.running_batch()
    heard: list[dict[str, Any]] = []

    def listen(**told: Any) -> None:
        heard.append({name: told[name] for name in ("batch", "kind", "record_id")})

    signals.batch_event_recorded.connect(listen)
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            event = factories.happened(batch, EventKind.OBSERVATION)
            segment = factories.stored(batch, factories.temperatures("36.8"))
            result = factories.result(factories.sample(batch))
        assert heard == []
        for callback in callbacks:
            callback()
    finally:
        signals.batch_event_recorded.disconnect(listen)

    assert heard == [
        {"batch": batch, "kind": "event", "record_id": event.pk},
        {"batch": batch, "kind": "readings", "record_id": segment.pk},
        {"batch": batch, "kind": "result", "record_id": result.pk},
    ]


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_after_the_commit_hinders_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = factories.running_batch()
    heard: list[int] = []

    def fail(**told: Any) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    def listen(**told: Any) -> None:
        heard.append(told["record_id"])

    signals.batch_event_recorded.connect(fail)
    signals.batch_event_recorded.connect(listen)
    try:
        segment = factories.stored(batch, factories.temperatures("36.8"))
    finally:
        signals.batch_event_recorded.disconnect(fail)
        signals.batch_event_recorded.disconnect(listen)

    assert heard == [segment.pk]
    assert "closed the connection unexpectedly" in caplog.text
