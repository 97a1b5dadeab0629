"""An alert is explained once, from recorded bytes, by a worker; people ask again; nothing is altered."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from batches.execution.models import Batch
from batches.laboratory import results
from batches.recipes.models import MasterRecipe
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.trail import recording
from compliance.trail.models import Entry
from tests import factories
from tests.factories import TEST
from tests.twins.explanations.conftest import (
    ALARMED_H,
    AT,
    LATER,
    LATER_H,
    course,
    goes_on,
    predicted,
)
from tests.twins.predictions.watched_batches import at, unit
from twins.explanations import offers, outputs, questions, requests, runs
from twins.explanations.actions import Action
from twins.explanations.models import Explanation, ExplanationState
from twins.models.batch_monitoring.signals import LABORATORY, LABORATORY_NAMES, ONLINE_NAMES
from twins.predictions import alerts, explainable, leases
from twins.predictions import runs as predictions
from twins.predictions.asked import rooms
from twins.predictions.models import Alert, Prediction

pytestmark = pytest.mark.django_db


def explained(explanation: Explanation, *, when: Any = AT) -> Explanation:
    made = runs.explain(explanation, at=when)
    assert made is not None
    return made


def test_an_alert_is_explained_of_the_rows_that_raised_it(explanation: Explanation) -> None:
    alert = explanation.alert
    asked = questions.read(explanation.input.encode())

    assert explanation.state == ExplanationState.EXPLAINED
    assert (explanation.verdict, explanation.likeliest) == ("process", "sugar feed delivers less")
    assert float(explanation.weight) > 0.9
    assert explanation.prediction == alert.prediction
    assert asked.rows_sha256 == alert.prediction.input_digest
    assert explanation.requested_by == requests.ROOM.worker.trail_identity().name
    assert explanation.is_trial
    assert alert.state == "open"  # nothing is done by it

    assert requests.for_alert(alert, at=AT) == explanation
    assert runs.explain(explanation, at=AT) is None


def test_it_says_beside_a_batch_what_a_file_of_the_same_rows_says(
    explanation: Explanation, tmp_path: Path
) -> None:
    time_h, found = course()
    with (tmp_path / "in.csv").open("w", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(["batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES])
        for row in range(int(np.searchsorted(time_h, ALARMED_H + 1e-9))):
            cells = [found[name][row] for name in (*ONLINE_NAMES, *LABORATORY_NAMES)]
            told = ["" if np.isnan(cell) else repr(float(cell)) for cell in cells]
            out.writerow(["B-7", time_h[row], *told])

    call_command(
        "twins", "explain", data=tmp_path / "in.csv", out=tmp_path / "out.json", batch="B-7",
        until_h=ALARMED_H,
    )  # fmt: skip

    of_file = json.loads((tmp_path / "out.json").read_text())
    live = outputs.document(explanation)
    weights = {one["name"]: float(one["weight"]) for one in live["hypotheses"]}
    assert weights == {one["name"]: one["weight"] for one in of_file["hypotheses"]}
    assert [
        [float(one) for one in course["lost_kg"]] for course in live["impacts"][0]["courses"]
    ] == [course["lost_kg"] for course in of_file["impacts"][0]["courses"]]


def test_the_way_of_the_product_ends_at_what_is_told_of_it(explanation: Explanation) -> None:
    for told in outputs.document(explanation)["impacts"][0]["courses"]:
        last = told["path"][-1]

        assert (last["with_kg"], last["without_kg"]) == (told["with_kg"], told["without_kg"])
        assert last["at_h"] == told["horizon_h"]
        assert len(told["path"]) <= 60
        hours = [float(one["at_h"]) for one in told["path"]]
        assert hours == sorted(hours)


@pytest.mark.requirement("A22-1")
def test_it_is_repeated_to_the_byte_from_its_record_alone(alert: Alert) -> None:
    made = explained(requests.for_alert(alert, at=AT))

    found = runs.replay(Explanation.objects.get(pk=made.pk))

    assert found.identical
    assert (found.computed_digest, found.differences) == (made.output_digest, ())


def test_the_command_repeats_explanations_beside_predictions(
    explanation: Explanation, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("replay", all=True)
    whole = capsys.readouterr().out
    call_command("replay", explanation.pk, of="explanation")

    assert f"explanation {explanation.pk}\t{explanation}\tidentical" in whole
    assert "2 replayed, all identical to the byte" in whole
    assert "1 replayed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="there is no explanation 999"):
        call_command("replay", 999, of="explanation")


def test_damaged_bytes_and_rows_are_named(explanation: Explanation) -> None:
    explanation.output = explanation.output.replace("sugar-less", "sugar-more", 1)
    assert runs.replay(explanation).differences[0].startswith("output: stored bytes have digest")

    intact = Explanation.objects.get(pk=explanation.pk)
    intact.prediction.input = intact.prediction.input.replace('"0.2"', '"0.3"', 1)
    found = runs.replay(intact)

    assert not found.identical
    assert "no answer: RowsAltered" in found.differences[0]


def test_a_request_without_an_answer_cannot_be_repeated(alert: Alert) -> None:
    with pytest.raises(requests.ExplanationNotReplayable):
        runs.replay(requests.for_alert(alert, at=AT))


def test_every_step_is_an_entry_of_the_trail(explanation: Explanation) -> None:
    entries = Entry.objects.filter(
        record="explanations_explanation", record_id=str(explanation.pk)
    ).order_by("entry_id")

    assert [one.action for one in entries] == [
        Action.EXPLANATION_REQUESTED, Action.EXPLANATION_CLAIMED, Action.EXPLANATION_GIVEN,
    ]  # fmt: skip
    assert all(one.actor == requests.ROOM.worker.trail_identity().name for one in entries)
    given = entries.last()
    assert given is not None
    assert explanation.output_digest in given.body
    assert "hypotheses" not in given.body  # by its digest, not by its bytes


# --- With newer rows


def test_a_person_asks_again_with_the_newest_rows(newer: Explanation) -> None:
    first = newer.alert.explanations.order_by("pk").first()
    assert first is not None

    assert newer.state == ExplanationState.EXPLAINED
    assert newer.requested_by.startswith("supervisor")
    assert newer.prediction.as_of == at(LATER_H)
    assert newer.input_digest != first.input_digest
    assert first.state == ExplanationState.EXPLAINED  # it stays as it was


def test_without_newer_rows_there_is_nothing_to_ask_again(explanation: Explanation) -> None:
    with pytest.raises(requests.ExplanationCurrent, match="explanation worker"):
        requests.by_person(explanation.alert, actor=factories.person(Role.SUPERVISOR), at=AT)


def test_of_two_people_who_ask_at_once_the_second_is_told_who_was_first(
    explanation: Explanation, once: None
) -> None:
    alert = explanation.alert
    goes_on(alert.batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(alert.batch, LATER_H)
    first, second = factories.person(Role.SUPERVISOR), factories.person(Role.PROCESS_ENGINEER)
    asked = requests.by_person(alert, actor=first, at=LATER)

    with pytest.raises(requests.ExplanationCurrent, match=first.trail_identity().name):
        requests.by_person(alert, actor=second, at=LATER)

    # And where both have looked before either has written.
    with (
        pytest.raises(IntegrityError, match="explanation_once_a_prediction"),
        transaction.atomic(),
        recording.recording(Action.EXPLANATION_REQUESTED, actor=TEST, at=LATER, reason="at once"),
    ):
        Explanation.objects.create(
            alert=alert, prediction=asked.prediction, state="requested", requested_by="x",
            requested_at=LATER, seed=0,
        )  # fmt: skip


def test_rows_after_the_end_of_a_batch_are_none_of_it(explanation: Explanation) -> None:
    alert, batch = explanation.alert, explanation.alert.batch
    goes_on(batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(batch, LATER_H)
    batch.ended_at = at(LATER_H) - timedelta(minutes=1)  # as the object that the alert knows

    with pytest.raises(requests.ExplanationCurrent):
        requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=LATER)


def test_a_laboratory_result_that_comes_late_is_in_the_newer_rows_only(
    alert: Alert, once: None
) -> None:
    explanation = explained(requests.for_alert(alert, at=AT))
    batch = alert.batch
    _, found = course()
    # Taken long before the alarm, reported after it: beside the sample that was reported in time.
    sample = factories.sample(batch, at=at(50.0))
    for one in LABORATORY:
        results.report(
            sample, tag=one.name, value_text=repr(float(found[one.name][260])), unit=unit(one),
            reported_at=at(62.4), message_id=f"late/{one.name}", actor=factories.device(), at=LATER,
        )  # fmt: skip
    goes_on(batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(batch, LATER_H)

    newer = explained(
        requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=LATER), when=LATER
    )

    seen = json.loads(newer.prediction.input)
    slot = [round(float(hour), 1) for hour in seen["time_h"]].index(62.4)
    assert seen["laboratory"]["lab_P"][slot] == repr(found["lab_P"][260].item())
    assert seen["time_h"][slot] not in json.loads(explanation.prediction.input)["time_h"]
    assert newer.input_digest != explanation.input_digest
    assert runs.replay(explanation).identical  # what came late changes nothing of it


def test_a_corrected_result_makes_other_rows_and_another_explanation(
    explanation: Explanation, once: None
) -> None:
    alert, batch = explanation.alert, explanation.alert.batch
    sample = batch.samples.order_by("-taken_at").first()
    assert sample is not None
    results.report(
        sample, tag="lab_P", value_text="9.5", unit="g/l", reported_at=at(62.4),
        message_id="corrected", version=2, reason="the dilution was entered wrongly",
        actor=factories.device(), at=LATER,
    )  # fmt: skip
    goes_on(batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(batch, LATER_H)

    newer = explained(
        requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=LATER), when=LATER
    )

    assert newer.state == ExplanationState.EXPLAINED
    assert "9.5" in json.loads(newer.prediction.input)["laboratory"]["lab_P"]
    assert "9.5" not in json.loads(explanation.prediction.input)["laboratory"]["lab_P"]
    assert newer.output_digest != explanation.output_digest


# --- Workers that die or are slow


def test_a_claim_of_a_dead_worker_is_taken_over_and_its_late_result_refused(
    alert: Alert, once: None
) -> None:
    dead = requests.for_alert(alert, at=AT)
    assert requests.ROOM.claim(dead, at=AT)
    again = Explanation.objects.get(pk=dead.pk)
    later = AT + leases.STALE_AFTER + timedelta(seconds=1)

    assert not requests.ROOM.claim(again, at=AT + leases.STALE_AFTER / 2)
    assert requests.ROOM.left_behind(at=AT + leases.STALE_AFTER / 2) == []
    assert requests.ROOM.left_behind(at=later) == [again]
    done = explained(again, when=later)

    assert (done.state, done.attempts) == (ExplanationState.EXPLAINED, 2)
    with pytest.raises(requests.ExplanationClaimLost):
        runs.execute(dead, at=AT)
    assert alert.explanations.count() == 1


def test_what_kills_its_workers_again_and_again_is_ended(alert: Alert) -> None:
    explanation, when = requests.for_alert(alert, at=AT), AT
    for _ in range(rooms.MOST_ATTEMPTS):
        assert requests.ROOM.claim(explanation, at=when)
        assert requests.ROOM.give_up(at=when) == 0
        when += leases.STALE_AFTER + timedelta(seconds=1)

    assert requests.ROOM.left_behind(at=when) == []
    assert requests.ROOM.give_up(at=when) == 1

    explanation.refresh_from_db()
    assert (explanation.state, explanation.refusal) == ("not-explained", "explanation-workers-died")
    # A person may ask again: it may have been the machine.
    asked = requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=when)
    assert asked.pk != explanation.pk


def test_one_that_takes_too_long_says_so_and_may_be_asked_for_again(
    alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(runs, "answer", too_long)

    made = explained(requests.for_alert(alert, at=AT))

    assert (made.state, made.refusal) == ("not-explained", "explanation-too-slow")
    assert made.input_digest
    assert not made.output
    assert requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=AT).pk != made.pk


# --- Nothing to explain, and what cannot be explained


def _raised_on(prediction: Prediction, *, like: Prediction) -> Alert:
    """Raise on one prediction what another warned of: as if newer rows had lost the alarm."""
    said = predictions.answer(like.model_version.name, given=like.input.encode())
    (raised,) = alerts.raise_for(prediction, said=said, actor=TEST, at=AT)
    return raised


def test_rows_without_an_alarm_have_nothing_to_explain(starved: Batch) -> None:
    quiet = predicted(starved, 40.0)
    with transaction.atomic():
        alarmed = predicted(starved, ALARMED_H)
        alarmed.alerts.get()
        transaction.set_rollback(True)
    raised = _raised_on(quiet, like=alarmed)

    made = explained(requests.for_alert(raised, at=AT))

    assert made.state == ExplanationState.NOTHING
    assert outputs.document(made)["alarm"] is None
    assert runs.replay(made).identical


def test_a_batch_without_its_start_is_refused_in_words_that_can_be_repeated(
    recipe: MasterRecipe,
) -> None:
    batch = factories.running_batch(recipe)
    goes_on(batch, after_h=3.0, until_h=ALARMED_H)
    alert = predicted(batch, ALARMED_H).alerts.get()

    made = explained(requests.for_alert(alert, at=AT))

    assert (made.state, made.refusal) == ("not-explained", "explain-moment-invalid")
    assert "the estimate needs the batch from its inoculation" in made.problem
    assert outputs.document(made)["refused"] == {"code": made.refusal, "reason": made.problem}
    assert runs.replay(made).identical


def test_alerts_of_other_twins_have_no_explanation(
    alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explainable, "TWINS", frozenset({"another-batch@1"}))

    assert not offers.offered().exists()
    assert "not beside penicillin-batch@2" in offers.why_not(alert)
    assert requests.without(at_most=8) == []
    with pytest.raises(offers.ExplanationNotOffered):
        requests.for_alert(alert, at=AT)
    with pytest.raises(offers.ExplanationNotOffered):
        requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=AT)
    assert not Explanation.objects.exists()


def test_what_cannot_be_told_apart_is_said_in_words(explanation: Explanation) -> None:
    said = outputs.document(explanation)
    said |= {
        "verdict": "undecided",
        "likeliest": "transfer",
        "undecided": ["transfer", "oxygen-probe"],
        "impacts": [
            {"name": "transfer", "courses": [{"proposed": "minor"}], "proposed": "minor"},
            {
                "name": "oxygen-probe",
                "refused": {"code": "counterfactual-none", "reason": "no loop"},
            },
        ],
    }

    assert outputs.undecided(said) == "oxygen transfer changed; dissolved-oxygen probe is off"
    assert outputs.inseparable(said) == ["oxygen transfer changed; dissolved-oxygen probe is off"]
    assert outputs.proposed(said["impacts"][0]) == "minor"
    explanation.verdict = "undecided"
    assert "undecided between process and probe" in outputs.headline(explanation)


# --- Who may, and what nobody may


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.QC_ANALYST, Role.AUDITOR])
def test_nobody_else_asks(alert: Alert, role: Role) -> None:
    with pytest.raises(NotPermitted):
        requests.by_person(alert, actor=factories.person(role), at=AT)

    assert not Explanation.objects.exists()


def _altered(statement: str, *values: object) -> None:
    with (
        transaction.atomic(),
        recording.recording(Action.EXPLANATION_GIVEN, actor=TEST, at=AT, reason="by hand, in SQL"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


def test_the_database_keeps_what_was_explained(explanation: Explanation) -> None:
    for change in (
        "output = '{}'", "state = 'requested'", "state = 'not-explained'", "weight = '1.0'",
        "likeliest = 'oxygen transfer changed'", "is_trial = NOT is_trial", "requested_by = 'me'",
        "finished_at = now()", "proposed = 'minor'",
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match=r"never altered|stays one"):
            _altered(f"UPDATE explanations_explanation SET {change}")


def test_the_database_keeps_what_was_asked(alert: Alert) -> None:
    requests.for_alert(alert, at=AT)

    for change in ("requested_by = 'me'", "seed = 7", "state = 'explained'"):
        with pytest.raises(DatabaseError, match="never altered"):
            _altered(f"UPDATE explanations_explanation SET {change}")


def test_the_database_takes_no_explanation_that_nobody_asked_for(explanation: Explanation) -> None:
    copied = (
        "INSERT INTO explanations_explanation SELECT (jsonb_populate_record(e, %s::jsonb)).* "
        "FROM explanations_explanation e"
    )
    with pytest.raises(DatabaseError, match="begins as a request"):
        _altered(copied, json.dumps({"id": 900}))
    with pytest.raises(DatabaseError, match=r"never deleted|append|DELETE|delete"):
        _altered("DELETE FROM explanations_explanation")


def test_the_database_takes_no_prediction_of_another_batch(
    alert: Alert, recipe: MasterRecipe
) -> None:
    other = factories.running_batch(recipe)
    goes_on(other, after_h=0.0, until_h=2.0)
    with (
        pytest.raises(DatabaseError, match="is not of the batch"),
        transaction.atomic(),
        recording.recording(Action.EXPLANATION_REQUESTED, actor=TEST, at=AT, reason="mixed up"),
    ):
        Explanation.objects.create(
            alert=alert, prediction=predicted(other, 2.0), state="requested", requested_by="x",
            requested_at=AT, seed=0,
        )  # fmt: skip
