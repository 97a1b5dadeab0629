"""The pages of access do what their functions do, and show who did what."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance.access import (
    alarms,
    certification,
    credentials,
    gaps,
    identity,
    people,
    procedures,
    reviews,
    sessions,
)
from compliance.access.duties import Role
from compliance.access.models import (
    AccessEvent,
    AccessEventKind,
    Device,
    Procedure,
    SessionEnd,
    SignIn,
    Training,
    User,
)
from compliance.trail import refusals
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
REASON = "needed for the new shift"


def signed_in(*roles: Role) -> Client:
    client = Client()
    client.force_login(factories.person(*roles))
    return client


@pytest.fixture
def administrator() -> Client:
    return signed_in(Role.SYSTEM_ADMINISTRATOR)


@pytest.fixture
def quality() -> Client:
    return signed_in(Role.QUALITY_ASSURANCE)


def act(client: Client, model: str, name: str, record: Any = None, /, **said: Any) -> str:
    """Do an act on a page; return the page that follows, or its refusal."""
    base = reverse(f"admin:access_{model}_changelist")
    where = f"{base}acts/{name}/" if record is None else f"{base}{record.pk}/acts/{name}/"
    assert client.get(where).status_code == 200
    return str(client.post(where, said, follow=True).content.decode())


def page(client: Client, record: Any) -> str:
    answer = client.get(reverse(f"admin:access_{record._meta.model_name}_change", args=[record.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.requirement("P11-100b")
def test_quality_proves_an_identity_on_the_persons_page(quality: Client) -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    assert "Identity not proven" in page(quality, operator)

    act(
        quality, "user", "prove-identity", operator, method="in-person",
        document="passport, HR-0042", proven_at="2026-03-02T10:00",
    )  # fmt: skip

    shown = page(quality, operator)
    assert identity.is_proven(operator, at=timezone.now())
    assert "passport, HR-0042" in shown
    assert "Identity not proven" not in shown
    proof = operator.identity_proofs.get()
    act(quality, "user", "withdraw-proof", operator, proof=proof.pk, reason="the wrong passport")
    assert not identity.is_proven(operator, at=timezone.now())


def test_an_administrator_manages_an_account(administrator: Client) -> None:
    act(
        administrator, "user", "create", username="ann.miller", full_name="Ann Miller",
        roles=["operator"], password="first-of-the-desk", reason=REASON,
    )  # fmt: skip
    ann = User.objects.get(username="ann.miller")
    act(administrator, "user", "grant-role", ann, role="supervisor", reason=REASON)
    act(administrator, "user", "leaving", ann, last_day="2026-03-31", reason="contract ends")
    assert "Has left" in page(administrator, User.objects.get(pk=ann.pk))
    listed = administrator.get(reverse("admin:access_user_changelist"), {"standing": "left"})
    assert "ann.miller" in listed.content.decode()
    held = ann.role_assignments.get(role="operator")
    act(administrator, "user", "end-role", ann, assignment=held.pk, reason="leads the shift now")
    act(administrator, "user", "reset-password", ann, password="of-the-help-desk", reason="forgot")
    act(administrator, "user", "deactivate", ann, reason="contract ended")

    ann = User.objects.get(pk=ann.pk)
    assert (ann.roles, ann.is_active) == ({"supervisor"}, False)
    shown = page(administrator, ann)
    assert "Password set by another" in shown
    assert "Role given" in shown


@pytest.mark.requirement("P11-g1", "A11D-11")
def test_the_rules_of_segregation_are_printed(quality: Client) -> None:
    shown = quality.get(reverse("admin:access_segregation")).content.decode()

    assert "a system administrator holds no other role" in shown
    assert "identity_proven_by_another" in shown
    assert "Certify batch" in shown


@pytest.mark.requirement("P11-i1", "211-25")
def test_training_on_the_pages(quality: Client) -> None:
    operator = factories.person(Role.OPERATOR)
    act(quality, "procedure", "create", code="SOP-1", title="Filling of vials")
    procedure = Procedure.objects.get()
    said = {"summary": "the first version", "effective_from": "2026-03-02T10:00"}
    act(quality, "procedure", "add-version", procedure, **said)
    act(quality, "procedure", "need", procedure, role="operator")
    lacking = quality.get(reverse("admin:access_training_lacking")).content.decode()
    assert operator.username in lacking
    assert "lacking" in page(quality, operator)
    version = procedures.effective_version(procedure, at=timezone.now())
    assert version

    act(
        quality, "training", "record", person=operator.pk, version=version.pk, method="read",
        assessment="passed", trained_at="2026-03-02T10:00", remark="", trained_by="",
        valid_until="",
    )  # fmt: skip

    made = Training.objects.get()
    assert gaps.overdue(at=timezone.now()) == []
    assert "SOP-1 version 1" in page(quality, operator)
    assert operator.username in page(quality, procedure)
    assert "only" in act(quality, "training", "acknowledge", made)
    mine = Client()
    mine.force_login(operator)
    act(mine, "training", "acknowledge", made)
    act(quality, "training", "withdraw", made, reason="the trainer was not qualified")
    needed = procedure.curricula.get()
    act(quality, "procedure", "end-need", procedure, curriculum=needed.pk, reason="other machine")
    act(quality, "procedure", "retire", procedure, reason="not done any more")
    assert "Nothing is effective" in page(quality, procedure)


@pytest.mark.requirement("P11-300d", "A11D-8")
def test_an_alarm_waits_on_its_list_until_it_is_acknowledged(quality: Client) -> None:
    alarm = factories.alarm()
    waiting = reverse("admin:access_securityalarm_changelist"), {"standing": "waiting"}
    assert "badge-bad" in quality.get(*waiting).content.decode()

    assert "no reason" in act(quality, "securityalarm", "acknowledge", alarm, comment="ok")
    act(quality, "securityalarm", "acknowledge", alarm, comment="called the person, all is well")

    assert "Nothing matches" in quality.get(*waiting).content.decode()
    assert "called the person" in page(quality, alarm)


def test_the_front_page_counts_the_alarms_that_wait(quality: Client) -> None:
    factories.alarm()

    shown = quality.get("/admin/").content.decode()

    assert "Security alarms" in shown
    assert "wait for an acknowledgement" in shown


@pytest.mark.requirement("P11-300b", "A11D-11")
def test_a_review_on_its_page(quality: Client) -> None:
    gone = factories.person(Role.OPERATOR, is_proven=False)
    people.record_leaving(gone, last_day=NOON.date(), actor=TEST, at=NOON, reason="contract ends")
    act(quality, "accessreview", "open")
    review = reviews.AccessReview.objects.get()
    shown = page(quality, review)
    assert "identity not proven, left on 2026-03-02" in shown
    line = review.lines.get(person=gone)

    act(
        quality, "accessreview", "decide", review, line=line.pk, outcome="remove", reason="has left"
    )

    assert "has left" in page(quality, review)
    refused = act(quality, "accessreview", "close", review, conclusion="all accounts are needed")
    assert "that nobody decided on" in refused


def test_an_administrator_ends_a_session_on_its_page(administrator: Client) -> None:
    session = sessions.open_(factories.person(), address="", agent="", at=timezone.now())
    open_ones = reverse("admin:access_personsession_changelist"), {"standing": "open"}
    assert str(session.person) in administrator.get(*open_ones).content.decode()

    act(administrator, "personsession", "revoke", session, reason="the tablet was lost")

    session.refresh_from_db()
    assert session.ended_why == SessionEnd.REVOKED
    assert "Revoked by an administrator" in page(administrator, session)


@pytest.mark.requirement("P11-h1")
def test_a_device_on_its_page(administrator: Client, quality: Client) -> None:
    said = {"name": "mes-7", "kind": "mes", "bound_to": "BR-7", "reason": "the new line"}
    shown = act(administrator, "device", "enrol", **said)
    device = Device.objects.get()
    assert f"{device.pk}." in shown  # its token, this once
    assert "May not post" in page(quality, device)
    act(quality, "device", "qualify", device, bound_to="BR-7", until="", reason="protocol IQ-7")
    assert 'badge-good">May post' in page(quality, device)
    act(quality, "device", "disqualify", device, reason="the firmware was changed")
    act(administrator, "device", "renew-token", device, reason="it was in a mail")
    act(administrator, "device", "revoke", device, reason="the line was sold")
    assert "is revoked" in page(quality, device)


@pytest.mark.requirement("P11-100c")
def test_the_letter_to_the_agency_on_its_page(quality: Client) -> None:
    empty = quality.get(reverse("admin:access_certificationletter_changelist")).content.decode()
    assert "11.100(c)" in empty

    act(
        quality, "certificationletter", "record", reference="ESIG-1", sent_on="2026-03-01",
        addressed_to="FDA, Rockville",
    )  # fmt: skip

    assert certification.letter()


# --- The access log


@pytest.mark.requirement("A11D-11", "A11-12", "MHRA")
def test_the_access_log_has_everything_of_an_account_in_one_list(
    quality: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "ALIAS", "default")  # to be read within the test
    at = NOON
    ann = factories.person(Role.OPERATOR, username="ann.miller", at=at)
    with pytest.raises(credentials.CredentialsWrong):
        credentials.check(
            username="ann.miller", password="wrong", purpose="session", address="10.0.0.7", at=at
        )
    credentials.check(
        username="ann.miller", password=factories.PASSWORD, purpose="signature", address="", at=at
    )
    session = sessions.open_(ann, address="", agent="", at=at)
    sessions.end(session, why=SessionEnd.IDLE, actor=TEST, at=at)
    credentials.signed_out(ann, address="", at=at)
    people.change_password(ann, new="of-the-help-desk", actor=TEST, at=at, reason="forgot it")
    people.end_role(ann.role_assignments.get(), actor=TEST, at=at, reason="another department")
    identity.withdraw(
        ann.identity_proofs.get(), actor=TEST, at=at, reason="it was the wrong passport"
    )
    for minute in range(1, 7):
        with pytest.raises((credentials.CredentialsWrong, credentials.Locked)):
            credentials.check(
                username="ann.miller", password="wrong", purpose="signature", address="",
                at=at + timedelta(minutes=minute),
            )  # fmt: skip
    alarm = alarms.waiting().get()
    alarms.acknowledge(
        alarm, comment="called her", actor=factories.person(Role.QUALITY_ASSURANCE), at=at
    )

    found = AccessEvent.objects.filter(username="ann.miller")

    kinds = set(found.values_list("kind", flat=True))
    assert kinds == set(AccessEventKind.values)
    assert found.count() == len(set(found.values_list("id", flat=True)))
    assert SignIn.objects.filter(outcome="locked").exists()
    listed = quality.get(
        reverse("admin:access_accessevent_changelist"), {"kind__exact": "wrong", "q": "ann.miller"}
    )
    assert "10.0.0.7" in listed.content.decode()
    assert "is locked" in page(quality, ann)


@pytest.mark.requirement("A11-12")
def test_nobody_writes_the_access_log() -> None:
    from django.db import DatabaseError

    with pytest.raises(DatabaseError):
        AccessEvent.objects.create(
            id="x", at=NOON, kind="accepted", username="x", detail="", address=""
        )
