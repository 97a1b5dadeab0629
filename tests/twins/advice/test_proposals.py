"""A proposal is answered once, by whoever may, in time; what it said stays as it was."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from batches.recipes.models import MasterRecipe
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.trail import recording
from compliance.trail.models import Entry
from compliance.trail.recording import ReasonNotMeaningful
from tests import factories
from tests.factories import TEST
from tests.twins.advice.conftest import AS_OF_H, AT, predicted
from tests.twins.predictions.conftest import foretold, moment
from twins.advice import outputs, proposals, requests, runs, terms
from twins.advice.actions import Action
from twins.advice.models import Proposal, ProposalState
from twins.hub import life, versions
from twins.predictions import alerts, leases
from twins.predictions.models import Alert

pytestmark = pytest.mark.django_db
REASON = "the pump cannot be changed before noon"


def test_an_alert_gets_one_proposal_with_all_that_repeats_it(proposal: Proposal) -> None:
    assert proposal.state == ProposalState.OPEN
    assert proposal.outcome == "move"
    assert float(proposal.before[0]) > 0.8
    assert float(proposal.after[0]) <= 0.1
    assert proposal.range_source.startswith("proven acceptable range of feed_rate_l_per_h")
    assert (proposal.range_low, proposal.range_high) == ("0.0", "0.9")
    assert proposal.input_digest == outputs.document(proposal)["input_digest"]
    assert proposal.starts_at == moment(AS_OF_H + 2.0)
    assert proposal.last_safe_at is not None
    assert proposal.last_safe_at >= proposal.starts_at
    assert proposal.is_trial

    assert requests.for_alert(proposal.alert, at=AT) == proposal
    assert runs.advise(proposal, at=AT) is None


@pytest.mark.requirement("A22-3")
def test_it_is_repeated_to_the_byte_from_its_record_alone(alert: Alert) -> None:
    made = runs.advise(requests.for_alert(alert, at=AT), at=AT)
    assert made is not None

    found = runs.replay(Proposal.objects.get(pk=made.pk))

    assert found.identical
    assert (found.computed_digest, found.differences) == (made.output_digest, ())


def test_bytes_that_were_damaged_are_named(proposal: Proposal) -> None:
    proposal.output = proposal.output.replace("move", "none", 1)

    found = runs.replay(proposal)

    assert not found.identical
    assert found.differences[0].startswith("output: stored bytes have digest")


@pytest.mark.parametrize(
    ("accept", "state"), [(True, ProposalState.ACCEPTED), (False, ProposalState.REJECTED)]
)
def test_whoever_answers_alerts_answers_it_with_a_reason(
    proposal: Proposal, accept: bool, state: ProposalState
) -> None:
    who = factories.person(Role.PROCESS_ENGINEER)

    done = proposals.answer(proposal, accept=accept, reason=REASON, actor=who, at=AT)

    assert (done.state, done.answered_by, done.answer_reason, done.ended_at) == (
        state, who.trail_identity().name, REASON, AT,
    )  # fmt: skip
    newest = Entry.objects.order_by("-pk").first()
    assert newest is not None
    # The decision and nothing else: no event, no reading, no deviation.
    assert done.alert.batch.deviations.count() == 0
    assert done.alert.state == "open"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.QC_ANALYST, Role.AUDITOR])
def test_nobody_else_answers_it(proposal: Proposal, role: Role) -> None:
    with pytest.raises(NotPermitted):
        proposals.answer(proposal, accept=True, reason=REASON, actor=factories.person(role), at=AT)

    proposal.refresh_from_db()
    assert proposal.state == ProposalState.OPEN


def test_a_reason_that_says_nothing_is_refused(proposal: Proposal) -> None:
    who = factories.person(Role.SUPERVISOR)

    with pytest.raises(ReasonNotMeaningful):
        proposals.answer(proposal, accept=True, reason="ok", actor=who, at=AT)


def test_of_two_people_the_second_is_told_who_was_first(proposal: Proposal) -> None:
    first, second = factories.person(Role.SUPERVISOR), factories.person(Role.PROCESS_ENGINEER)
    seen_by_second = Proposal.objects.get(pk=proposal.pk)
    proposals.answer(proposal, accept=True, reason=REASON, actor=first, at=AT)

    with pytest.raises(proposals.ProposalAnswered, match=first.trail_identity().name):
        proposals.answer(seen_by_second, accept=False, reason=REASON, actor=second, at=AT)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.answered_by) == (
        ProposalState.ACCEPTED, first.trail_identity().name,
    )  # fmt: skip


def test_after_the_last_safe_moment_it_has_expired(proposal: Proposal) -> None:
    assert proposal.last_safe_at is not None
    who, late = factories.person(Role.SUPERVISOR), proposal.last_safe_at + timedelta(minutes=1)

    with pytest.raises(proposals.ProposalExpired):
        proposals.answer(proposal, accept=True, reason=REASON, actor=who, at=late)
    assert proposals.expire(at=proposal.last_safe_at) == 0
    assert proposals.expire(at=late) == 1
    assert proposals.expire(at=late) == 0

    proposal.refresh_from_db()
    assert (proposal.state, proposal.ended_at) == (ProposalState.EXPIRED, late)
    with pytest.raises(proposals.ProposalExpired):
        proposals.answer(proposal, accept=True, reason=REASON, actor=who, at=AT)


def test_newer_advice_supersedes_it_in_sight_of_all(proposal: Proposal, once: None) -> None:
    who = factories.person(Role.SUPERVISOR)
    with pytest.raises(requests.AdviceCurrent):
        requests.by_person(proposal.alert, actor=who, at=AT)
    predicted(proposal.alert.batch, as_of_h=AS_OF_H + 6.0)

    asked = requests.by_person(proposal.alert, actor=who, at=AT)
    proposal.refresh_from_db()
    assert (asked.state, proposal.state) == (ProposalState.REQUESTED, ProposalState.OPEN)
    newer = runs.advise(asked, at=AT)

    proposal.refresh_from_db()
    assert newer is not None
    assert newer.state == ProposalState.OPEN
    assert newer.requested_by == who.trail_identity().name
    assert (proposal.state, proposal.superseded_by) == (ProposalState.SUPERSEDED, newer)
    with pytest.raises(proposals.ProposalSuperseded, match=str(newer)):
        proposals.answer(proposal, accept=True, reason=REASON, actor=who, at=AT)


def test_a_run_that_ends_after_a_newer_one_is_superseded_at_once(alert: Alert, once: None) -> None:
    older = requests.for_alert(alert, at=AT)
    assert requests.ROOM.claim(older, at=AT)
    predicted(alert.batch, as_of_h=AS_OF_H + 6.0)
    asked = requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=AT)
    newer = runs.advise(asked, at=AT)

    runs.execute(older, at=AT)

    assert (older.state, older.superseded_by) == (ProposalState.SUPERSEDED, newer)


def test_a_claim_of_a_dead_worker_is_taken_over_and_its_late_result_refused(
    alert: Alert, once: None
) -> None:
    dead = requests.for_alert(alert, at=AT)
    assert requests.ROOM.claim(dead, at=AT)
    again = Proposal.objects.get(pk=dead.pk)
    later = AT + leases.STALE_AFTER + timedelta(seconds=1)

    assert not requests.ROOM.claim(again, at=AT + leases.STALE_AFTER / 2)
    assert requests.ROOM.left_behind(at=later) == [again]
    done = runs.advise(again, at=later)

    assert done is not None
    assert done.state == ProposalState.OPEN
    with pytest.raises(requests.AdviceClaimLost):
        runs.execute(dead, at=AT)


def test_an_alert_that_the_feed_is_no_lever_on_is_told_so(alert: Alert) -> None:
    (other,) = alerts.raise_for(
        alert.prediction, said=foretold(probability=0.9, tag="temperature_c"), actor=TEST, at=AT
    )

    made = runs.advise(requests.for_alert(other, at=AT), at=AT)

    assert made is not None
    assert (made.state, made.outcome) == (ProposalState.STATED, "no-lever")
    assert "no effect of the feed on temperature_c" in outputs.headline(made)
    with pytest.raises(proposals.NoMoveProposed):
        proposals.answer(
            made, accept=True, reason=REASON, actor=factories.person(Role.SUPERVISOR), at=AT
        )


def test_without_terms_in_the_recipe_there_is_no_advice(alert: Alert) -> None:
    recipe: MasterRecipe = alert.batch.recipe
    recipe.twin_settings = {k: v for k, v in recipe.twin_settings.items() if k != "advice"}

    with pytest.raises(terms.AdviceNotOffered):
        requests.for_alert(alert, at=AT)


def test_a_retired_version_advises_no_more(qualified: None, alert: Alert) -> None:
    asked = requests.for_alert(alert, at=AT)
    version = asked.prediction.model_version
    quality = factories.person(Role.QUALITY_ASSURANCE)
    life.retire(
        version, confirmed=factories.confirmed(quality, at=AT), reason="a successor is in use"
    )

    with pytest.raises(versions.VersionRetired):
        requests.by_person(alert, actor=factories.person(Role.SUPERVISOR), at=AT)
    made = runs.advise(Proposal.objects.get(pk=asked.pk), at=AT)

    assert made is not None
    assert (made.state, made.refusal) == (ProposalState.FAILED, "model-version-retired")


def test_terms_that_cannot_be_read_are_named(recipe: MasterRecipe) -> None:
    recipe.twin_settings = {**recipe.twin_settings, "advice": {"target": "0.1"}}

    with pytest.raises(terms.TwinSettingsInvalid, match="block_h"):
        terms.of(recipe)


@pytest.mark.parametrize(
    "change",
    [
        "answer_reason = 'another one that is long enough'", "after = '[\"0.5\"]'", "output = '{}'",
        "state = 'open'", "state = 'rejected'", "last_safe_at = now()", "is_trial = NOT is_trial",
    ],
)  # fmt: skip
def test_the_database_keeps_an_answered_proposal(proposal: Proposal, change: str) -> None:
    who = factories.person(Role.SUPERVISOR)
    proposals.answer(proposal, accept=True, reason=REASON, actor=who, at=AT)

    with (
        pytest.raises(DatabaseError, match=r"never altered|stays one"),
        transaction.atomic(),
        recording.recording(Action.PROPOSAL_REJECTED, actor=TEST, at=AT, reason="by hand, in SQL"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE advice_proposal SET {change}")


@pytest.mark.parametrize(
    "change", ["after = '[\"0.5\"]'", "output = '{}'", "last_safe_at = now()", "state = 'failed'"]
)
def test_the_database_keeps_what_an_open_proposal_says(proposal: Proposal, change: str) -> None:
    with (
        pytest.raises(DatabaseError, match="never altered"),
        transaction.atomic(),
        recording.recording(Action.PROPOSAL_REJECTED, actor=TEST, at=AT, reason="by hand, in SQL"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE advice_proposal SET {change}")


def test_a_batch_without_a_new_forecast_has_nothing_to_advise_on(alert: Alert) -> None:
    with recording.recording(Action.ADVICE_FAILED, actor=TEST, at=AT, reason="an older version"):
        alert.prediction.model_version.__class__.objects.filter(
            pk=alert.prediction.model_version_id
        ).update(code_digest="0" * 64)

    with pytest.raises(requests.NothingToAdviseOn):
        requests.for_alert(alert, at=AT)
