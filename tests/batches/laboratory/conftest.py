"""Raw statements as the application's own role, in an act, for tests of what the database holds."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.trail import recording
from compliance.trail.actions import Action
from tests.factories import NOON, TEST

Refuses = Callable[..., None]


@pytest.fixture
def database_refuses() -> Refuses:
    """Run a statement in an act with a reason, and expect the database to refuse it."""

    def refuse(statement: str, *values: object, saying: str) -> None:
        with pytest.raises(IntegrityError, match=saying):
            with transaction.atomic():
                with recording.recording(
                    Action.ATTACHED, actor=TEST, at=NOON, reason="a change past the application"
                ):
                    with connection.cursor() as cursor:
                        cursor.execute(statement, values)
                        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    return refuse
