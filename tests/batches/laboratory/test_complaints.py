"""Complaints are investigated over the batches they may concern, and closed by quality."""

from datetime import timedelta

import pytest

from batches.laboratory import complaints, states
from batches.laboratory.complaints import Answer, Told
from batches.laboratory.models import Complaint, ComplaintState
from compliance.access.duties import Role
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-160/165/166/198")]
ANSWER = Answer(
    needs_investigation=True, findings="Two retained vials show the same haze as the complaint.",
    follow_up="The filter is changed; see the change.",
)  # fmt: skip


def _complaint(lot: str = "", *, is_serious: bool = False) -> Complaint:
    told = Told(
        complainant="A pharmacist", product_text="Demomab 10 mg", is_serious=is_serious,
        nature="The solution is hazy and has white threads.", lot_text=lot,
    )  # fmt: skip
    return complaints.open_(
        told=told, received_at=NOON, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON
    )


def test_a_complaint_is_closed_when_each_neighbour_batch_was_looked_at() -> None:
    recipe = factories.recipe()
    batch = factories.batch(recipe)
    neighbour = factories.batch(recipe, at=NOON + timedelta(days=30))
    factories.batch(recipe, at=NOON + timedelta(days=200))
    complaint = _complaint(batch.number)
    investigator = factories.person(Role.SUPERVISOR)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    assert list(complaints.neighbours(complaint)) == [batch]
    said = {"actor": investigator, "at": NOON}
    complaints.consider(
        complaint, batch=batch, is_affected=True, finding="the retained sample is hazy", **said
    )  # type: ignore[arg-type]
    complaints.investigate(complaint, answer=ANSWER, reason="findings of the first week", **said)  # type: ignore[arg-type]
    assert list(complaints.neighbours(complaint)) == [neighbour]

    with pytest.raises(complaints.ComplaintIncomplete, match=neighbour.number):
        complaints.close(
            complaint, confirmed=factories.confirmed(quality), reason="answered and agreed"
        )
    complaints.consider(
        complaint, batch=neighbour, is_affected=False, finding="the retained sample is clear",
        **said,
    )  # type: ignore[arg-type]  # fmt: skip
    closed = complaints.close(
        complaint, confirmed=factories.confirmed(quality), reason="answered and agreed"
    )

    assert closed.state == ComplaintState.CLOSED


def test_without_an_investigation_a_complaint_says_why(database_refuses: Refuses) -> None:
    complaint = _complaint()
    investigator = factories.person(Role.SUPERVISOR)

    with pytest.raises(complaints.ComplaintIncomplete):
        complaints.investigate(
            complaint, answer=Answer(False), actor=investigator, at=NOON, reason="no need of it"
        )
    database_refuses(
        "UPDATE laboratory_complaint SET state = 'investigated', needs_investigation = false "
        "WHERE id = %s",
        complaint.pk,
        saying="complaint_investigated_or_said_why_not",
    )


def test_a_serious_complaint_is_always_investigated() -> None:
    with pytest.raises(complaints.ComplaintIncomplete, match="serious"):
        complaints.investigate(
            _complaint(is_serious=True),
            answer=Answer(False, no_investigation_reason="It is not of our manufacture at all."),
            actor=factories.person(Role.SUPERVISOR), at=NOON, reason="not of our manufacture",
        )  # fmt: skip


def test_whoever_investigated_does_not_close(database_refuses: Refuses) -> None:
    both = factories.person(Role.QUALITY_ASSURANCE)
    complaint = complaints.investigate(
        _complaint(), answer=ANSWER, actor=both, at=NOON, reason="findings of the first week"
    )

    with pytest.raises(complaints.InvestigatorCloses):
        complaints.close(complaint, confirmed=factories.confirmed(both), reason="answered, agreed")
    database_refuses(
        "UPDATE laboratory_complaint SET state = 'closed', approver_id = investigator_id, "
        "closed_at = now() WHERE id = %s",
        complaint.pk,
        saying="complaint_closed_by_another",
    )


def test_a_complaint_is_not_closed_before_it_is_investigated(database_refuses: Refuses) -> None:
    complaint = _complaint()

    with pytest.raises(states.ComplaintStateForbids):
        complaints.close(
            complaint, reason="answered and agreed",
            confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        )  # fmt: skip
    database_refuses(
        "UPDATE laboratory_complaint SET state = 'closed', approver_id = opened_by_id, "
        "closed_at = now(), needs_investigation = false, no_investigation_reason = 'none' "
        "WHERE id = %s",
        complaint.pk,
        saying="does not become closed",
    )
