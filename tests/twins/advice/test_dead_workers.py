"""A request whose workers died six times has failed, with a code and words; it may be asked again."""

from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, transaction
from django.test import Client

from compliance.access.duties import Role
from compliance.trail import recording
from compliance.trail.models import Entry
from tests import factories
from tests.factories import TEST
from tests.twins.advice.conftest import AT, predicted
from twins.advice import outputs, proposals, requests, runs, tasks
from twins.advice.actions import Action
from twins.advice.models import Proposal, ProposalState
from twins.predictions import leases
from twins.predictions.asked import rooms
from twins.predictions.models import Alert

pytestmark = pytest.mark.django_db
RUN_OUT = leases.STALE_AFTER + timedelta(seconds=1)


@pytest.fixture
def dead(alert: Alert) -> Proposal:
    """Return a request that six workers took, and of which nothing was heard again."""
    proposal, when = requests.for_alert(alert, at=AT), AT
    for _ in range(rooms.MOST_ATTEMPTS):
        assert requests.ROOM.claim(proposal, at=when)
        when += RUN_OUT
    return proposal


@pytest.mark.usefixtures("once", "at_once")
def test_the_sweep_ends_it_once_and_takes_it_up_no_more(dead: Proposal) -> None:
    assert tasks.look_after_proposals() == 0
    ended = Proposal.objects.get(pk=dead.pk)
    assert tasks.look_after_proposals() == 0

    assert ended.state == ProposalState.FAILED
    assert ended.finished_at is not None
    assert outputs.headline(ended).endswith("(advice-workers-died)")
    assert dead.alert.proposals.count() == 1
    assert requests.for_alert(dead.alert, at=AT) == ended  # a person may ask, nobody else does
    entries = Entry.objects.filter(record="advice_proposal", record_id=str(dead.pk))
    assert entries.order_by("entry_id").values_list("action", flat=True).last() == (
        Action.ADVICE_FAILED
    )


def test_the_last_worker_may_still_end_it_well(dead: Proposal, once: None) -> None:
    done = runs.execute(dead, at=AT)

    assert done.state == ProposalState.OPEN
    assert requests.ROOM.give_up(at=AT + 10 * RUN_OUT) == 0


def test_what_failed_is_asked_for_once_more_and_not_twice(dead: Proposal) -> None:
    late = AT + 10 * RUN_OUT
    assert requests.ROOM.give_up(at=late) == 1
    first, second = factories.person(Role.SUPERVISOR), factories.person(Role.PROCESS_ENGINEER)

    asked = requests.by_person(dead.alert, actor=first, at=late)

    assert asked.pk != dead.pk
    with pytest.raises(requests.AdviceCurrent, match=first.trail_identity().name):
        requests.by_person(dead.alert, actor=second, at=late)


def test_what_says_something_of_the_worker_only_is_no_outcome(
    alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise MemoryError

    proposal = requests.for_alert(alert, at=AT)
    with monkeypatch.context() as patched:
        patched.setattr(runs, "answer", too_large)
        with pytest.raises(MemoryError):
            runs.advise(proposal, at=AT)

    proposal.refresh_from_db()
    assert proposal.state == ProposalState.CLAIMED
    assert requests.ROOM.left_behind(at=AT + RUN_OUT) == [proposal]


def test_one_that_takes_too_long_says_so_and_may_be_asked_for_again(
    alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(runs, "answer", too_long)

    made = runs.advise(requests.for_alert(alert, at=AT), at=AT)

    assert made is not None
    assert (made.state, made.refusal) == (ProposalState.FAILED, "advice-too-slow")
    assert requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=AT).pk != made.pk
    for task in (tasks.advise, tasks.propose):
        assert task.soft_time_limit < task.time_limit


def test_what_the_twin_cannot_do_has_failed_with_a_code_and_its_own_words_are_in_the_log(
    alert: Alert, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError('generic_matrix.hpp:5539: Assertion "!x.is_empty()" failed')

    monkeypatch.setattr(runs, "answer", broken)

    made = runs.advise(requests.for_alert(alert, at=AT), at=AT)

    assert made is not None
    assert (made.state, made.refusal) == (ProposalState.FAILED, "advice-broken")
    assert outputs.headline(made) == (
        "There is no advice: the twin ended with an error that it has no words for. Ask again after "
        f"the next prediction; the worker's log has it as proposal {made.pk} (advice-broken)"
    )
    assert "is_empty" in caplog.text
    assert made.input_digest
    assert not made.output


# --- What nobody may


def _altered(statement: str, *values: object) -> None:
    with (
        transaction.atomic(),
        recording.recording(Action.ADVICE_GIVEN, actor=TEST, at=AT, reason="by hand, in SQL"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "change",
    ["attempts = 0, state = 'claimed'", "refusal = 'another-code'", "problem = 'another one'",
     "state = 'requested'", "state = 'open'"],
)  # fmt: skip
def test_the_database_keeps_how_it_failed(dead: Proposal, change: str) -> None:
    requests.ROOM.give_up(at=AT + 10 * RUN_OUT)

    with pytest.raises(DatabaseError, match="never altered"):
        _altered(f"UPDATE advice_proposal SET {change}")


def test_the_database_takes_no_failure_without_words(dead: Proposal) -> None:
    with pytest.raises(DatabaseError, match="proposal_failed_in_words"):
        _altered("UPDATE advice_proposal SET state = 'failed'")
    with pytest.raises(DatabaseError, match="proposal_failed_in_words"):
        _altered("UPDATE advice_proposal SET state = 'claimed', refusal = 'x'")


def test_the_database_takes_no_proposal_that_nobody_asked_for(proposal: Proposal) -> None:
    with pytest.raises(DatabaseError, match="begins as a request"):
        _altered(
            "INSERT INTO advice_proposal SELECT (jsonb_populate_record(p, '{\"id\": 900}')).* "
            "FROM advice_proposal p"
        )


def test_the_database_takes_no_prediction_of_another_batch(alert: Alert) -> None:
    other = predicted(factories.running_batch(alert.batch.recipe))
    asked: dict[str, Any] = {
        "state": "requested", "requested_by": "x", "requested_at": AT, "seed": 0,
    }  # fmt: skip
    with (
        pytest.raises(DatabaseError, match="is not of the batch"),
        transaction.atomic(),
        recording.recording(Action.ADVICE_REQUESTED, actor=TEST, at=AT, reason="mixed up"),
    ):
        Proposal.objects.create(alert=alert, prediction=other, **asked)


def test_the_api_lists_what_failed(dead: Proposal, client: Client) -> None:
    requests.ROOM.give_up(at=AT + 10 * RUN_OUT)
    client.force_login(factories.person(Role.AUDITOR))

    listed = client.get("/api/v1/proposals?state=failed").json()["results"]

    assert [one["refusal"] for one in listed] == ["advice-workers-died"]
    with pytest.raises(proposals.NoMoveProposed):
        proposals.answer(
            Proposal.objects.get(pk=dead.pk), accept=True, reason="it is wanted at once",
            actor=factories.person(Role.SUPERVISOR), at=AT,
        )  # fmt: skip
