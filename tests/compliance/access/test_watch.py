"""What nobody reports is looked for: clocks, many refusals, leavers, late reviews."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.access import people, reviews, watch
from compliance.access.duties import Role
from compliance.access.models import AlarmKind
from compliance.access.people import OwnRoles
from compliance.access.watch import DatabaseClock
from compliance.trail import refusals
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def test_clocks_that_agree_raise_nothing() -> None:
    shown = DatabaseClock(now=NOON + SECOND, latest=NOON)

    assert watch.clocks(shown, at=NOON) == []


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (DatabaseClock(now=NOON, latest=NOON + 10 * MINUTE), "it was set back: it shows"),
        (DatabaseClock(now=NOON, latest=NOON, stepped_at_entry=17), "before entry 17"),
        (DatabaseClock(now=NOON - MINUTE, latest=NOON - MINUTE), "and the application's"),
        (DatabaseClock(now=NOON + MINUTE, latest=NOON), "and the application's"),
    ],
)
@pytest.mark.requirement("A11D-8")
def test_a_clock_that_was_turned_raises_an_alarm_once(shown: DatabaseClock, says: str) -> None:
    (alarm,) = watch.clocks(shown, at=NOON)

    assert alarm.kind == AlarmKind.CLOCK
    assert says in alarm.text
    assert [one.pk for one in watch.clocks(shown, at=NOON)] == [alarm.pk]


def test_the_real_clock_has_not_been_turned() -> None:
    factories.person()

    shown = watch.database_clock()

    assert shown.latest is not None
    assert shown.latest <= shown.now
    assert watch.clocks(shown, at=timezone.now()) == []


def refuse(person: object, *, times: int) -> None:
    for number in range(times):
        refusals.record(
            OwnRoles(f"attempt {number}"), action="test", actor=person, at=NOON, repeat=""
        )


@pytest.mark.requirement("P11-300d")
def test_who_is_refused_again_and_again_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "ALIAS", "default")  # to be read within the test
    operator, other = factories.person(Role.OPERATOR), factories.person(Role.OPERATOR)
    refuse(operator, times=watch.REFUSALS)
    refuse(other, times=watch.REFUSALS - 1)

    (alarm,) = watch.refused_often(at=NOON + MINUTE)

    assert alarm.about_id == f"user:{operator.pk}"
    assert watch.refused_often(at=NOON + watch.WITHIN + MINUTE) == []


@pytest.mark.requirement("A11D-11")
def test_a_leaver_who_is_active_and_a_late_review_raise_alarms() -> None:
    operator = factories.person(Role.OPERATOR)
    people.record_leaving(
        operator, last_day=NOON.date(), actor=TEST, at=NOON, reason="contract ends"
    )
    late = NOON + timedelta(days=400)
    assert reviews.overdue(on=late.date())

    found = watch.look(at=late)

    kinds = {alarm.kind for alarm in found}
    assert {AlarmKind.LEAVER_ACTIVE, AlarmKind.REVIEW_OVERDUE} <= kinds
    assert {alarm.pk for alarm in watch.look(at=late)} == {alarm.pk for alarm in found}


def test_the_watch_is_scheduled_and_its_task_looks() -> None:
    from compliance.access import tasks
    from config import jobs

    job = next(one for one in jobs.JOBS if one.task == tasks.watch_access.name)

    assert 0 < job.every_seconds <= 600
    assert tasks.watch_access() == 0
