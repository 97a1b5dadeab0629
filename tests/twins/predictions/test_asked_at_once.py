"""People and the sweep ask about one alert at the same moment: there is one request, and all know it.

`GMP_ROUNDS=1000 python -m pytest tests/twins/predictions/test_asked_at_once.py` for more.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from compliance.access.duties import Role
from compliance.trail import recording
from compliance.trail.models import Entry
from tests import factories
from tests.api_client import ApiClient
from tests.conftest import FreshLog
from tests.factories import TEST
from tests.twins.advice import conftest as advised
from tests.twins.explanations import conftest as explained
from twins.advice import requests as advice
from twins.advice import tasks as advice_tasks
from twins.advice.actions import Action as AdviceAction
from twins.advice.models import Proposal
from twins.explanations import requests as explanations
from twins.explanations import tasks as explanation_tasks
from twins.explanations.actions import Action as ExplanationAction
from twins.explanations.models import Explanation
from twins.predictions import leases
from twins.predictions.actions import Action
from twins.predictions.asked import rooms
from twins.predictions.models import Alert, Prediction

ROUNDS = int(os.environ.get("GMP_ROUNDS", "51"))
RUN_OUT = leases.STALE_AFTER + timedelta(seconds=1)


@dataclass(frozen=True)
class Room:
    """What is asked for, and how the second to ask is told so."""

    rows: Any
    requests: Any
    task: Any
    path: str
    current: str
    requested: str
    at: datetime
    alert: Callable[[], Alert]


ADVICE = Room(
    Proposal, advice, advice_tasks.advise, "proposals", "advice-current",
    AdviceAction.ADVICE_REQUESTED, advised.AT,
    lambda: advised.made_alert(advised.made_recipe()),
)  # fmt: skip
EXPLANATIONS = Room(
    Explanation, explanations, explanation_tasks.explain, "explanations", "explanation-current",
    ExplanationAction.EXPLANATION_REQUESTED, explained.AT,
    lambda: explained.made_alert(explained.made_starved(explained.made_recipe())),
)  # fmt: skip


def _copied(row: Any, **changed: Any) -> Any:
    """Return a new row that says what another does, but for what is changed."""
    fields = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}
    del fields["id"]
    return type(row).objects.create(**{**fields, **changed})


def _alert_of_another_batch(like: Alert, *, at: datetime) -> Alert:
    batch = factories.running_batch(like.batch.recipe)
    with recording.recording(Action.ALERT_RAISED, actor=TEST, at=at, reason="one for a round"):
        prediction: Prediction = _copied(like.prediction, batch_id=batch.pk)
        alert: Alert = _copied(like, batch_id=batch.pk, prediction_id=prediction.pk)
    return alert


def _failed(room: Room, alert: Alert) -> None:
    """Let the workers of a first request die until it has failed."""
    asked, at = room.requests.for_alert(alert, at=room.at), room.at
    for _ in range(rooms.MOST_ATTEMPTS):
        assert room.requests.ROOM.claim(asked, at=at)
        at += RUN_OUT
    assert room.requests.ROOM.give_up(at=at) == 1


def _at_once(acts: list[Callable[[], str]]) -> Counter[str]:
    """Run the acts in connections of their own; return what each came to."""
    ends: Counter[str] = Counter()
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> None:
        try:
            start.wait(timeout=240)
            ends[act()] += 1
        except BaseException as error:
            ends[f"{type(error).__name__}: {error}"] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.parametrize("room", [ADVICE, EXPLANATIONS], ids=["advice", "explanations"])
def test_of_all_who_ask_at_once_one_is_first_and_the_others_are_told(
    room: Room, fresh_log: FreshLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    like = room.alert()
    people = []
    for role in (Role.SUPERVISOR, Role.PROCESS_ENGINEER):
        client = ApiClient()
        client.force_login(factories.person(role))
        people.append(client)
    queued: list[int] = []
    monkeypatch.setattr(room.task, "delay", lambda **said: queued.extend(said.values()))
    seen: Counter[str] = Counter()

    for number in range(ROUNDS):
        alert = _alert_of_another_batch(like, at=room.at)
        before = 0
        if number % 3 == 2:
            _failed(room, alert)
            before = 1
        queued.clear()

        def asks(client: ApiClient, alert: Alert = alert) -> str:
            answer = client.post(f"/api/v1/alerts/{alert.pk}/{room.path}", "", "application/json")
            return (
                f"{answer.status_code} {answer.json().get('type', '').rpartition('/')[2]}".strip()
            )

        def sweeps(alert: Alert = alert) -> str:
            return f"the sweep has {room.requests.for_alert(alert, at=room.at).alert_id}"

        acts: list[Callable[[], str]] = [lambda one=one: asks(one) for one in people]  # type: ignore[misc]
        ends = _at_once([*acts, sweeps] if number % 3 == 1 else acts)

        made = room.rows.objects.filter(alert=alert).exclude(attempts__gt=0).get()
        assert made.state == "requested"
        assert room.rows.objects.filter(alert=alert).count() == 1 + before
        if number % 3 == 1:
            assert ends.pop(f"the sweep has {alert.pk}") == 1
        is_asked_by_person = made.requested_by != room.requests.ROOM.worker.trail_identity().name
        assert ends["202"] == is_asked_by_person == len(queued), ends
        assert ends[f"409 {room.current}"] == 2 - is_asked_by_person, ends
        assert ends.total() == 2, ends
        if is_asked_by_person:
            assert queued == [made.pk]
        requested = Entry.objects.filter(record=room.rows._meta.db_table, action=room.requested)
        assert requested.filter(record_id=str(made.pk)).count() == 1
        seen["a person" if is_asked_by_person else "the sweep"] += 1
    print(dict(seen))
    assert seen["a person"] >= ROUNDS * 2 // 3
