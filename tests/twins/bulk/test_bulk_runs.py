"""A bulk run is merged in a fixed order, goes on after a death, and is cancelled and tried again."""

import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from batches.execution.models import Batch
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail import recording
from tests import factories
from tests.factories import TEST
from tests.twins.predictions.conftest import Culture, moment
from twins.bulk import asking, limits, merging, parts, running, work
from twins.bulk.actions import Action
from twins.bulk.models import BulkPart, BulkRun, BulkState, PartState
from twins.models.requests import FeedStep
from twins.predictions import claims, inputs, leases, replays
from twins.predictions.models import Prediction, PredictionState

WHY = "a question of a test"


@pytest.fixture
def engineer(db: None) -> User:
    return factories.person(Role.PROCESS_ENGINEER)


@pytest.fixture
def batch(culture: Culture) -> Batch:
    return culture(until_h=30.0, every_h=6.0)


@pytest.fixture
def futures(batch: Batch, engineer: User, monkeypatch: pytest.MonkeyPatch) -> BulkRun:
    """Return a run of 250 futures in three parts."""
    return of_futures(batch, engineer, monkeypatch)


def of_futures(
    batch: Batch, engineer: User, monkeypatch: pytest.MonkeyPatch, *,
    feed: list[FeedStep] | None = None,
) -> BulkRun:  # fmt: skip
    monkeypatch.setattr(asking, "MEMBERS_A_PART", 100)
    return asking.of_futures(
        batch, as_of=moment(30.0), members=250, actor=engineer, at=timezone.now(), reason=WHY,
        feed=feed,
    )  # fmt: skip


def worked(run: BulkRun) -> BulkRun:
    while running.go_on(run):
        pass
    return BulkRun.objects.get(pk=run.pk)


def taken(run: BulkRun, *, at: datetime) -> BulkPart:
    part = parts.claim_next(run, at=at)
    assert part is not None
    return part


def test_parts_done_in_another_order_merge_to_the_same_bytes(
    batch: Batch, engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (of_futures(batch, engineer, monkeypatch) for _ in range(2))
    claimed = [taken(second, at=timezone.now()) for _ in range(3)]

    done = worked(first)
    for part in reversed(claimed):
        assert parts.do(part)
    merging.settle(second, at=timezone.now())
    second.refresh_from_db()

    assert done.state == second.state == BulkState.DONE
    assert done.result == second.result
    assert done.result_digest == second.result_digest
    assert '"members":250' in done.result


def test_a_run_is_repeated_from_its_record_to_the_byte(futures: BulkRun) -> None:
    done = worked(futures)

    found = running.repeat(done)

    assert found.identical
    assert found.computed_digest == done.result_digest


def test_a_run_that_is_not_done_is_not_repeated(futures: BulkRun) -> None:
    with pytest.raises(replays.NotReplayable):
        running.repeat(futures)


def test_another_feed_gives_another_future(
    batch: Batch, engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = worked(of_futures(batch, engineer, monkeypatch))
    more = worked(
        of_futures(batch, engineer, monkeypatch, feed=[FeedStep(0.0, 0.1), FeedStep(40.0, 0.3)])
    )

    assert as_it_is.result != more.result
    assert '["30.0","0.1"]' not in more.request
    assert '{"rate_l_per_h":"0.1","start_h":"30.0"}' in more.request


def test_all_moments_that_readings_reached_are_predicted_once(batch: Batch, engineer: User) -> None:
    run = asking.predictions([batch], actor=engineer, at=timezone.now(), reason=WHY)
    again = asking.predictions([batch], actor=engineer, at=timezone.now(), reason=WHY)

    done, same = worked(run), worked(again)

    made = Prediction.objects.filter(batch=batch)
    assert [one.as_of for one in made.order_by("as_of")] == [moment(h) for h in (6, 12, 18, 24, 30)]
    assert {one.state for one in made} == {PredictionState.DONE}
    assert done.result_digest == same.result_digest
    assert running.repeat(done).identical


def test_a_part_whose_worker_died_is_taken_over_and_the_dead_one_is_refused(
    futures: BulkRun,
) -> None:
    at = timezone.now()
    dead = taken(futures, at=at - 2 * leases.STALE_AFTER)

    other = taken(futures, at=at)

    assert other.pk == dead.pk
    assert other.attempts == 2
    assert not parts.do(dead)
    assert parts.do(other)


def test_a_part_that_is_alive_is_left_to_its_worker(futures: BulkRun) -> None:
    at = timezone.now()
    orders = [taken(futures, at=at).order for _ in range(3)]

    assert orders == [0, 1, 2]
    assert parts.claim_next(futures, at=at + leases.STALE_AFTER / 2) is None
    assert parts.wanted(futures, at=at, width=8) == 0
    assert parts.wanted(futures, at=at + 2 * leases.STALE_AFTER, width=8) == 3


def test_a_part_that_kills_its_workers_fails_and_may_be_tried_again(
    futures: BulkRun, engineer: User
) -> None:
    at = timezone.now()
    for attempt in range(parts.MOST_ATTEMPTS, 0, -1):
        assert taken(futures, at=at - attempt * 2 * leases.STALE_AFTER).order == 0
    assert parts.give_up(futures, at=at) == 1

    ended = worked(futures)
    retried = running.retry(ended, actor=engineer, at=at, reason=WHY)
    done = worked(retried)

    assert ended.state == BulkState.INCOMPLETE
    assert running.progress(done) == running.Progress(done=3)
    assert done.state == BulkState.DONE


def test_what_is_done_stays_when_a_run_is_cancelled(futures: BulkRun, engineer: User) -> None:
    assert running.go_on(futures)
    under_way = taken(futures, at=timezone.now())

    cancelled = running.cancel(futures, actor=engineer, at=timezone.now(), reason=WHY)

    assert cancelled.state == BulkState.CANCELLED
    assert running.progress(cancelled) == running.Progress(done=1, cancelled=2)
    assert not parts.do(under_way)
    assert not running.go_on(cancelled)
    with pytest.raises(running.RunEnded):
        running.cancel(cancelled, actor=engineer, at=timezone.now(), reason=WHY)
    with pytest.raises(running.RunEnded):
        running.retry(cancelled, actor=engineer, at=timezone.now(), reason=WHY)


def test_a_part_that_needs_too_much_memory_fails_with_that(
    futures: BulkRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: object, **__: object) -> bytes:
        return bytes(2**31)

    monkeypatch.setattr(work, "do", greedy)

    while parts.claim_next(futures, at=timezone.now()) is None:
        pass
    part = BulkPart.objects.select_related("run").get(state=PartState.CLAIMED)
    parts.do(part)
    part.refresh_from_db()

    assert part.state == PartState.FAILED
    assert part.problem == "It needed more than 1024 MiB of memory."


def test_an_error_that_nobody_has_words_for_is_logged_and_told_with_a_code(
    futures: BulkRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> bytes:
        raise RuntimeError("segment.hpp:12: assertion failed")

    monkeypatch.setattr(work, "do", fails)

    while parts.claim_next(futures, at=timezone.now()) is None:
        pass
    part = BulkPart.objects.select_related("run").get(state=PartState.CLAIMED)
    parts.do(part)
    part.refresh_from_db()

    assert part.state == PartState.FAILED
    assert part.problem.startswith("bulk-part-broken: it ended with an error")
    assert "segment.hpp" not in part.problem
    assert "segment.hpp:12: assertion failed" in caplog.text


def test_a_block_that_keeps_to_its_memory_is_not_touched() -> None:
    with limits.memory(64):
        kept = bytes(2**20)
    with pytest.raises(MemoryError), limits.memory(64):
        bytes(2**28)

    assert len(kept) == 2**20


def test_a_prediction_that_somebody_else_makes_is_waited_for(batch: Batch, engineer: User) -> None:
    run = asking.predictions([batch], actor=engineer, at=timezone.now(), reason=WHY)
    claims.claim(batch, as_of=moment(6.0), at=timezone.now())

    assert not running.go_on(run)

    part = run.parts.get()
    assert (part.state, part.attempts) == (PartState.WAITING, 0)


def test_only_batches_that_may_be_predicted_are(batch: Batch, engineer: User) -> None:
    other = factories.running_batch()

    with pytest.raises(inputs.BatchNotPredictable):
        asking.predictions([batch, other], actor=engineer, at=timezone.now(), reason=WHY)
    with pytest.raises(asking.NothingAsked):
        asking.predictions([], actor=engineer, at=timezone.now(), reason=WHY)
    with pytest.raises(asking.TooMuchAsked):
        asking.of_futures(
            batch, as_of=moment(30.0), members=10**7, actor=engineer, at=timezone.now(), reason=WHY
        )
    with pytest.raises(NotPermitted):
        asking.predictions(
            [batch], actor=factories.person(Role.OPERATOR), at=timezone.now(), reason=WHY
        )


def test_a_future_outside_of_what_the_twin_speaks_for_is_refused(
    batch: Batch, engineer: User
) -> None:
    with pytest.raises(asking.BulkRequestInvalid):
        asking.of_futures(
            batch, as_of=moment(30.0), members=10, horizon_h=500, actor=engineer,
            at=timezone.now(), reason=WHY,
        )  # fmt: skip


@pytest.mark.parametrize("change", [{"state": "waiting"}, {"result": "{}"}])
def test_a_run_that_is_done_is_never_altered(futures: BulkRun, change: dict[str, str]) -> None:
    done = worked(futures)

    with (
        pytest.raises(DatabaseError, match="never altered"),
        transaction.atomic(),
        recording.recording(Action.RUN_ENDED, actor=TEST, at=timezone.now(), reason="an attack"),
    ):
        BulkRun.objects.filter(pk=done.pk).update(**change)


def test_a_part_that_is_done_is_never_altered(futures: BulkRun) -> None:
    done = worked(futures)

    with (
        pytest.raises(DatabaseError, match="never altered"),
        transaction.atomic(),
        recording.recording(Action.PART_FAILED, actor=TEST, at=timezone.now(), reason="an attack"),
    ):
        done.parts.update(output="{}")


def test_a_claim_is_renewed_while_its_work_goes_on() -> None:
    moments: list[datetime] = []

    with leases.renewed(moments.append, every_s=0.02):
        while len(moments) < 3:
            time.sleep(0.01)
    count = len(moments)
    time.sleep(0.1)

    assert len(moments) == count
    assert all(later - earlier < timedelta(minutes=1) for earlier, later in pairwise(moments))
