"""What changes how the product works is an act: with its duty, its reason, and on the trail."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from batches.laboratory import specifications
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.retention import policies
from compliance.retention.models import RetentionPolicy
from compliance.retention.periods import Rule
from compliance.signatures import signing
from compliance.trail.models import Entry
from config import schedule
from config.schedule import Times
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("A11-10")]
TASK = "compliance.quality.tasks.remind_of_overdue_work"
WHY = "the morning meeting is earlier now"
RULE = Rule(kind="batch-record", anchor="expiry", years=30, clause="contract 12")


def _job(*, by: User | None = None) -> PeriodicTask:
    return schedule.create(
        name="Reminders for a test", task=TASK, times=Times(hour=6), at=NOON, reason=WHY,
        actor=by or factories.person(Role.SYSTEM_ADMINISTRATOR),
    )  # fmt: skip


def _entries(job: PeriodicTask) -> list[Entry]:
    return list(Entry.objects.of_record("django_celery_beat_periodictask", job.pk))


@contextmanager
def _refused() -> Iterator[None]:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    assert str(getattr(caught.value.__cause__, "sqlstate", "")).startswith("GM")


def test_a_change_of_the_schedule_in_the_admin_is_on_the_trail_with_who_and_why(
    client: Client,
) -> None:
    job = _job()
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR, at=timezone.now())
    client.force_login(administrator)
    path = f"/admin/django_celery_beat/periodictask/{job.pk}/acts/change/"
    before = len(_entries(job))

    unexplained = client.post(path, {"hour": "5", "minute": "30"})
    explained = client.post(path, {"hour": "5", "minute": "30", "reason": WHY})

    assert (unexplained.status_code, explained.status_code) == (422, 302)
    job.refresh_from_db()
    assert (job.crontab.hour, job.crontab.minute) == ("5", "30")
    (entry,) = _entries(job)[before:]
    assert (entry.actor, entry.action, entry.op, entry.reason) == (
        administrator.username, "schedule.changed", "update", WHY,
    )  # fmt: skip
    assert entry.source.startswith("admin:")


@pytest.mark.parametrize("role", [Role.QUALITY_ASSURANCE, Role.PROCESS_ENGINEER, Role.AUDITOR])
def test_only_an_administrator_changes_the_schedule(role: Role) -> None:
    job, somebody = _job(), factories.person(role)

    with pytest.raises(NotPermitted):
        schedule.switch(job, is_on=False, actor=somebody, at=NOON, reason=WHY)


def test_the_database_refuses_a_change_of_the_schedule_that_is_no_act() -> None:
    job = _job()

    with _refused():
        PeriodicTask.objects.filter(pk=job.pk).update(enabled=False)
    with _refused(), factories.acting(reason=""):
        PeriodicTask.objects.filter(pk=job.pk).update(enabled=False)


def test_limits_hold_when_a_second_person_has_signed_them() -> None:
    author = factories.person(Role.QC_SUPERVISOR)
    made = specifications.create(
        code="SPEC-C", title="Drug substance", use="release", product=factories.product(),
        actor=author, at=NOON,
    )  # fmt: skip
    draft = specifications.draft(
        made, tests=factories.SPECIFIED, actor=author, at=NOON, reason="narrower limits"
    )
    assert draft.state == "draft"

    version = specifications.approve(
        draft, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    )

    assert version.state == "effective"
    (signature,) = signing.of(version)
    assert signature.signer != author
    entries = Entry.objects.of_record("laboratory_specificationversion", version.pk)
    assert [one.op for one in entries] == ["insert", "update"]


def test_terms_of_retention_hold_when_a_second_person_has_signed_them() -> None:
    author = factories.person(Role.QUALITY_ASSURANCE)
    policy = policies.draft(rules=[RULE], summary="a contract of the site", actor=author, at=NOON)
    assert policies.effective() is None
    with pytest.raises(policies.AuthorIsApprover):
        policies.approve(policy, confirmed=factories.confirmed(author), reason="my own work")

    policies.approve(
        policy, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        reason="checked with the contract",
    )  # fmt: skip

    held = policies.effective()
    assert held == policy
    (signature,) = signing.of(RetentionPolicy.objects.get(pk=policy.pk))
    assert signature.signer != author
    newest = Entry.objects.of_record("retention_retentionpolicy", policy.pk).last()
    assert newest is not None
    assert newest.reason == "checked with the contract"
