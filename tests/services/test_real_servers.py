"""The product on servers of the machine: PostgreSQL, Redis and RabbitMQ, each in a real process.

Runs when SERVICES_DATABASE_URL, SERVICES_REDIS_URL and SERVICES_RABBITMQ_URL name them (.ci/run does).
"""

import os
import signal
import time

import psycopg
import pytest

from tests.services.conftest import Product

pytestmark = pytest.mark.services

OVERDUE = """
from datetime import timedelta
from django.utils import timezone
from compliance.access import people
from compliance.quality import deviations
from compliance.trail.recording import System
now = timezone.now()
person = people.create(username="qa.one", full_name="Quality One", password="a long pass phrase 1",
    roles=frozenset({"quality-assurance"}), actor=System("test"), at=now, reason="for the test")
deviations.open_(title="Glucose below its limit", description="Seen in the trend on day six.",
    severity="major", occurred_at=now - timedelta(days=50), actor=person, at=now - timedelta(days=45))
"""
QUEUE = "from compliance.quality.tasks import remind_of_overdue_work as t; t.delay()"


def test_a_task_of_a_killed_worker_is_done_once_and_the_trail_verifies(product: Product) -> None:
    product.must("shell", "-v0", "-c", OVERDUE)
    first = product.worker()
    time.sleep(3)
    os.killpg(first.pid, signal.SIGKILL)
    product.must("shell", "-v0", "-c", QUEUE)

    product.worker()
    product.wait_until("SELECT count(*) FROM quality_reminder", 1)
    product.start("manage.py", "sequencer")
    product.start("manage.py", "signer")
    product.wait_until(
        "SELECT (SELECT count(*) FROM audit.entry) - (SELECT count(*) FROM audit.leaf)", 0
    )
    product.wait_until(
        "SELECT (SELECT max(size) FROM audit.checkpoint) = (SELECT count(*) FROM audit.leaf)", True
    )

    verified = product.manage("trail", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    in_task = (
        "SELECT count(*) FROM audit.projection WHERE record = 'quality_reminder' "
        "AND source LIKE 'task:compliance.quality.tasks.remind_of_overdue_work:%' AND actor <> ''"
    )
    assert product.ask(in_task) == 1


def test_the_application_role_cannot_touch_the_trail_of_a_server(product: Product) -> None:
    product.must("shell", "-v0", "-c", OVERDUE)
    forbidden = [
        "INSERT INTO audit.entry (entry_id, xid, body, digest) VALUES (1, '1', '', sha256(''))",
        "UPDATE audit.entry SET body = ''",
        "DELETE FROM audit.entry",
        "TRUNCATE audit.entry",
        "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
        "UPDATE quality_deviation SET title = 'no act'",
    ]

    refused = 0
    for statement in forbidden:
        with (
            psycopg.connect(product.database, options="-c role=gmp_app") as connection,
            pytest.raises(psycopg.Error),
        ):
            connection.execute(statement)  # type: ignore[arg-type]
        refused += 1

    assert refused == len(forbidden)
