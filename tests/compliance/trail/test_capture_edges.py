"""What comes in by the admin and by Celery is captured like everything else, with its source."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.quality import deviations, tasks
from compliance.quality.models import Deviation, Reminder, Severity
from compliance.trail.models import Entry
from tests import factories

pytestmark = pytest.mark.django_db
Ways = list[tuple[str, int, int, str]]


def test_an_act_in_the_admin_writes_its_entry(client: Client, ways: Ways) -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(quality)

    answer = client.post(
        "/admin/quality/deviation/acts/open/",
        {
            "title": "Glucose below its limit",
            "description": "Seen in the trend on day six of the batch.",
            "severity": "major",
            "occurred_at": "2026-03-01T08:00",
        },
    )

    assert answer.status_code == 302, answer.content[:500]
    entries = list(Entry.objects.filter(record="quality_deviation"))
    ways.append(("admin action", Deviation.objects.count(), len(entries), entries[0].actor))
    assert [one.actor for one in entries] == [quality.username]
    assert entries[0].source.startswith("admin:")


def test_a_celery_task_writes_its_entry(ways: Ways) -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    opened = timezone.now() - timedelta(days=60)
    deviations.open_(
        title="Glucose below its limit", description="Seen in the trend on day six of the batch.",
        severity=Severity.MAJOR, occurred_at=opened, actor=quality, at=opened,
    )  # fmt: skip

    tasks.remind_of_overdue_work.apply()

    entries = list(Entry.objects.filter(record="quality_reminder"))
    ways.append(("Celery task", Reminder.objects.count(), len(entries), entries[0].actor))
    assert [one.actor for one in entries] == ["schedule"]
    assert entries[0].source.startswith("task:compliance.quality.tasks.remind_of_overdue_work:")
