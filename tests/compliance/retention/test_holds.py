"""Two people place a legal hold and two lift it; what it keeps is neither erased nor detached."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.access.models import User
from compliance.retention import holds, kinds
from compliance.retention.holds import HoldInvalid, HoldStateForbids, SecondPersonNeeded
from compliance.retention.models import HoldState, LegalHold
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.trail import recording, redaction
from tests import factories
from tests.factories import NOON, PASSWORD, TEST

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
REASON = "a claim was announced by a customer"


def _quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def _hold(*records: tuple[str, str], by: User | None = None) -> LegalHold:
    return holds.request(
        title="Claim about a delivery", records=records or [(kinds.EVERYTHING, "")],
        actor=by or _quality(), at=NOON, reason=REASON,
    )  # fmt: skip


def _confirmed(hold: LegalHold) -> LegalHold:
    return holds.confirm(hold, confirmed=factories.confirmed(_quality()))


def _in(state: HoldState) -> LegalHold:
    hold = _hold()
    if state == HoldState.REQUESTED:
        return hold
    hold = _confirmed(hold)
    if state == HoldState.PLACED:
        return hold
    hold = holds.request_lift(hold, actor=_quality(), at=NOON, reason="the claim was settled")
    if state == HoldState.LIFT_REQUESTED:
        return hold
    return holds.lift(hold, confirmed=factories.confirmed(_quality()))


def _held() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.held()")
        return [name for (name,) in cursor.fetchall()]


ACTS = {
    "confirm": _confirmed,
    "request-lift": lambda hold: holds.request_lift(
        hold, actor=_quality(), at=NOON, reason="the claim was settled"
    ),
    "lift": lambda hold: holds.lift(hold, confirmed=factories.confirmed(_quality())),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", HoldState)
def test_an_act_on_a_hold_is_possible_in_exactly_the_states_that_allow_it(
    state: HoldState, act: str
) -> None:
    hold = _in(state)

    if act in holds.ALLOWED[state]:
        assert ACTS[act](hold).state != state
    else:
        with pytest.raises(HoldStateForbids, match=hold.number):
            ACTS[act](hold)


@pytest.mark.requirement("P11-c1")
def test_a_hold_is_in_force_from_its_request_to_the_second_signature_of_its_lift() -> None:
    hold = _hold()
    assert _held() == [hold.number]
    hold = _confirmed(hold)
    hold = holds.request_lift(hold, actor=_quality(), at=NOON, reason="the claim was settled")
    assert _held() == [hold.number]
    assert hold.is_in_force

    hold = holds.lift(hold, confirmed=factories.confirmed(_quality()))

    assert _held() == []
    assert not hold.is_in_force
    assert not holds.in_force().exists()


def test_who_asks_does_not_confirm() -> None:
    asker = _quality()
    hold = _hold(by=asker)
    with pytest.raises(SecondPersonNeeded):
        holds.confirm(hold, confirmed=factories.confirmed(asker))
    hold = _confirmed(hold)
    hold = holds.request_lift(hold, actor=asker, at=NOON, reason="the claim was settled")
    with pytest.raises(SecondPersonNeeded):
        holds.lift(hold, confirmed=factories.confirmed(asker))


@pytest.mark.parametrize("role", list(Role))
def test_only_quality_places_a_hold(role: Role) -> None:
    actor = factories.person(role)
    if Duty.PLACE_LEGAL_HOLD in DUTIES[role]:
        assert _hold(by=actor).state == HoldState.REQUESTED
    else:
        with pytest.raises(NotPermitted):
            _hold(by=actor)


def test_a_hold_names_records_that_exist() -> None:
    for records in ([("batch-record", "B-none")], [("record", "no_table 1")], [("nothing", "1")]):
        with pytest.raises((HoldInvalid, kinds.SubjectMissing, kinds.UnknownKind)):
            _hold(*records)


def test_a_hold_over_a_batch_keeps_everything_that_belongs_to_it() -> None:
    batch, other = factories.completed_batch(), factories.completed_batch()
    deviation = factories.deviation(batch)

    hold = _hold(("batch-record", batch.number))

    for record in (batch, batch.phases.first(), batch.samples.get(), deviation, batch.recipe):
        assert record is not None
        assert holds.over(record) == [hold]
    assert holds.over(other) == []
    assert holds.of_subject("batch-record", batch.number) == [hold]
    assert holds.of_subject("batch-record", other.number) == []


@pytest.mark.requirement("P11-c1")
@pytest.mark.parametrize("scope", ["one record", "everything"])
def test_what_a_hold_keeps_is_not_erased(scope: str) -> None:
    person = factories.person(Role.OPERATOR)
    records = [("record", f"access_user {person.pk}")] if scope == "one record" else []
    hold = _hold(*records)
    said: dict[str, Any] = {
        "legal_basis": "GDPR article 17(1)", "requested_by": _quality(), "approved_by": _quality(),
        "at": NOON, "reason": "the person left the site",
    }  # fmt: skip

    with pytest.raises(redaction.ValueHeld, match=hold.number):
        redaction.redact(person, "email", **said)

    _lifted(hold)
    redaction.redact(person, "email", **said)


def _lifted(hold: LegalHold) -> None:
    asked = holds.request_lift(
        _confirmed(hold), actor=_quality(), at=NOON, reason="the claim was settled"
    )
    holds.lift(asked, confirmed=factories.confirmed(_quality()))


# --- The database


def _act() -> Any:
    return recording.recording(
        holds.Action.HOLD_LIFTED, actor=TEST, at=NOON, reason="an attempt by hand"
    )


@pytest.mark.requirement("P11-c1")
@pytest.mark.parametrize("state", HoldState)
def test_the_database_refuses_every_step_of_a_hold_without_its_second_person(
    state: HoldState,
) -> None:
    hold = _in(state)
    for target in set(HoldState) - {state}:
        if (state, target) == (HoldState.PLACED, HoldState.LIFT_REQUESTED):
            continue  # it takes nothing but who asks
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), _act():
            LegalHold.objects.filter(pk=hold.pk).update(state=target)
        assert getattr(caught.value.__cause__, "sqlstate", "") in {"GM011", "23514"}


def test_the_database_refuses_the_signature_of_who_asked_or_of_another_hold() -> None:
    asker = _quality()
    hold, other = _hold(by=asker), _hold()
    with _act():
        own = signing.sign(hold, meaning=Meaning.APPROVED, confirmed=factories.confirmed(asker))
        strange = signing.sign(
            other, meaning=Meaning.APPROVED, confirmed=factories.confirmed(_quality())
        )
    for signature in (own, strange):
        with pytest.raises(DatabaseError, match="second person"), transaction.atomic(), _act():
            LegalHold.objects.filter(pk=hold.pk).update(
                state=HoldState.PLACED, placed_signature=signature
            )


@pytest.mark.parametrize("column", ["title", "reason", "number", "lift_reason"])
def test_the_database_refuses_to_alter_what_a_hold_says(column: str) -> None:
    hold = _in(HoldState.PLACED)

    with pytest.raises(DatabaseError) as caught, transaction.atomic(), _act():
        LegalHold.objects.filter(pk=hold.pk).update(**{column: "something else"})
    assert getattr(caught.value.__cause__, "sqlstate", "") == "GM011"


def test_the_database_refuses_to_name_records_later() -> None:
    hold = _in(HoldState.PLACED)

    with pytest.raises(DatabaseError, match="when a hold is requested"):
        with transaction.atomic(), _act():
            hold.held.create(kind="everything", subject="")


# --- Pages and API


def test_a_hold_is_placed_and_lifted_over_the_api(client: Client) -> None:
    batch = factories.completed_batch()
    people = [_quality(), _quality()]

    def post(who: int, path: str, expected: int, **body: Any) -> Any:
        client.force_login(people[who])
        answer = client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    records = [{"kind": "batch-record", "number": batch.number}]
    made = post(0, "legal-holds", 201, title="Claim about it", reason=REASON, records=records)
    of = f"legal-holds/{made['number']}"
    refused = post(0, f"{of}/confirmation", 403, password=PASSWORD)
    assert "second-person-needed" in refused["type"]
    assert post(1, f"{of}/confirmation", 201, password=PASSWORD)["state"] == "placed"
    kept = client.get(f"/api/v1/retention/batch-record/{batch.number}").json()
    assert [one["number"] for one in kept["holds"]] == [made["number"]]
    assert kept["until"] is None
    post(1, f"{of}/lift-request", 201, reason="the claim was settled")
    assert post(0, f"{of}/lift", 201, password=PASSWORD)["state"] == "lifted"
    assert client.get("/api/v1/legal-holds?state=lifted").json()["count"] == 1


def test_a_hold_is_placed_on_its_pages(client: Client) -> None:
    batch = factories.completed_batch()
    client.force_login(_quality())
    values = {
        "title": "Claim about it", "kind": "batch-record", "numbers": batch.number,
        "reason": REASON,
    }  # fmt: skip
    asked = client.post("/admin/retention/legalhold/acts/request/", values)
    assert asked.status_code == 302, asked.content
    hold = LegalHold.objects.get()
    client.force_login(_quality())
    page = client.get(asked["Location"]).content.decode()
    assert "Place the hold" in page
    assert batch.number in page

    placed = client.post(
        f"/admin/retention/legalhold/{hold.pk}/acts/confirm/", {"password": PASSWORD}
    )

    assert placed.status_code == 302, placed.content
    batch_page = client.get(f"/admin/execution/batch/{batch.pk}/change/").content.decode()
    assert hold.number in batch_page
