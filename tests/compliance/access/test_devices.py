"""Only a known device, in its qualified state, posts (21 CFR 11.10(h))."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError
from django.test import Client
from django.utils import timezone

from compliance.access import devices
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.access.models import AlarmKind, Device, DeviceKind, Qualification, SecurityAlarm
from compliance.trail import recording, refusals
from tests import factories
from tests.api_client import ApiClient
from tests.factories import NOON, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-h1")]
DAY = timedelta(days=1)
EVIDENCE = "interface qualification IQ-0042"


def post(client: Client, token: str) -> Any:
    return client.post(
        "/api/v1/batches/B-1/events", {}, content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip


def raised() -> list[SecurityAlarm]:
    return list(SecurityAlarm.objects.using(refusals.ALIAS).order_by("pk"))


def test_an_enrolled_device_posts_nothing_before_it_is_qualified(client: Client) -> None:
    device, token = factories.device_and_token(is_qualified=False)

    answer = post(client, token)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (
        403, "device-not-qualified",
    )  # fmt: skip
    assert [(one.kind, one.about_id) for one in raised()] == [
        (AlarmKind.DEVICE_NOT_QUALIFIED, f"device:{device.pk}")
    ]
    assert device.duties == frozenset()


def test_a_qualified_device_gets_through_to_what_it_posts(client: Client) -> None:
    _, token = factories.device_and_token()

    answer = post(client, token)

    assert answer.status_code in {404, 422}  # there is no such batch
    assert raised() == []


def test_a_device_whose_qualification_has_run_out_is_refused(client: Client) -> None:
    device, token = factories.device_and_token(is_qualified=False)
    today = timezone.now()
    devices.qualify(
        device, actor=TEST, at=today - 10 * DAY, reason=EVIDENCE, until=(today - DAY).date()
    )

    answer = post(client, token)

    assert answer.json()["type"].endswith("/device-not-qualified")
    assert "qualified until" in answer.json()["detail"]


def test_the_last_day_of_a_qualification_counts() -> None:
    device, _ = factories.device_and_token(is_qualified=False)
    qualified = devices.qualify(
        device, actor=TEST, at=NOON, reason=EVIDENCE, until=NOON.date() + DAY
    )

    devices.demand_qualified(qualified, at=NOON + DAY)
    with pytest.raises(devices.DeviceNotQualified):
        devices.demand_qualified(qualified, at=NOON + 2 * DAY)


@pytest.mark.parametrize("for_good", [False, True])
def test_a_qualification_taken_back_bites_at_the_next_request(
    client: Client, for_good: bool
) -> None:
    device, token = factories.device_and_token()

    devices.disqualify(
        device, actor=TEST, at=NOON, reason="firmware was changed", for_good=for_good
    )

    assert post(client, token).status_code == (401 if for_good else 403)
    read = client.get("/api/v1/batches", headers={"authorization": f"Bearer {token}"})
    assert read.status_code == (401 if for_good else 200)  # a retired one does not read either


@pytest.mark.requirement("P11-300c")
def test_the_token_of_a_revoked_device_is_refused_and_alarmed_once_an_hour(client: Client) -> None:
    device, token = factories.device_and_token()
    devices.revoke(device, actor=TEST, at=NOON, reason="the line was sold")

    answers = [post(client, token).status_code for _ in range(3)]

    assert answers == [401, 401, 401]
    kinds = [(one.kind, one.about_id, one.address) for one in raised()]
    assert set(kinds) == {(AlarmKind.REVOKED_TOKEN, f"device:{device.pk}", "127.0.0.1")}
    assert len(kinds) <= 2  # two when the hour ends between


@pytest.mark.requirement("P11-300c", "P11-300d")
def test_a_renewed_token_shuts_the_old_one_out_and_alarms(client: Client) -> None:
    device, token = factories.device_and_token()
    renewed = devices.renew_token(device, actor=TEST, at=NOON, reason="it was in a mail")

    assert post(client, token).status_code == 401
    assert post(client, renewed).status_code in {404, 422}
    assert [(one.kind, one.about) for one in raised()] == [(AlarmKind.UNKNOWN_TOKEN, device.name)]


@pytest.mark.requirement("P11-300d")
@pytest.mark.parametrize("token", ["", "x", "1", "9999999.abc", "99999999999999999999.abc", "ü.x"])
def test_a_token_of_nobody_is_refused_and_alarmed(client: Client, token: str) -> None:
    assert post(client, token).status_code == 401
    assert [one.kind for one in raised()] == [AlarmKind.UNKNOWN_TOKEN]


# --- Who qualifies, and what


@pytest.mark.parametrize("role", list(Role))
def test_who_enrols_does_not_qualify(role: Role) -> None:
    device, _ = factories.device_and_token(is_qualified=False)
    actor = factories.person(role)
    held = DUTIES[role]
    assert not {Duty.ADMINISTER_ACCESS, Duty.QUALIFY_EQUIPMENT} <= held

    if Duty.QUALIFY_EQUIPMENT in held:
        qualified = devices.qualify(device, actor=actor, at=NOON, reason=EVIDENCE)
        assert (qualified.qualification, qualified.qualified_by) == ("qualified", actor)
    else:
        with pytest.raises(NotPermitted):
            devices.qualify(device, actor=actor, at=NOON, reason=EVIDENCE)


def test_a_device_is_qualified_for_one_piece_of_equipment() -> None:
    device, _ = devices.enrol(
        name="mes-9", kind=DeviceKind.MES, actor=TEST, at=NOON, reason="a new line"
    )
    with pytest.raises(devices.DeviceNotBound):
        devices.qualify(device, actor=TEST, at=NOON, reason=EVIDENCE)

    qualified = devices.qualify(device, actor=TEST, at=NOON, reason=EVIDENCE, bound_to="BR-1")

    assert qualified.bound_to == "BR-1"


def test_a_qualification_that_would_end_in_the_past_is_refused_as_that() -> None:
    device, _ = factories.device_and_token(is_qualified=False)
    client, yesterday = ApiClient(), timezone.now().date() - DAY
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    answer = client.post(
        f"/api/v1/access/devices/{device.name}/qualification",
        {"reason": EVIDENCE, "bound_to": "BR-1", "until": yesterday.isoformat()},
        content_type="application/json",
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/qualification-ends-in-the-past"
    assert "cannot end before today" in answer.json()["detail"]
    device.refresh_from_db()
    assert device.qualification != "qualified"


def test_a_retired_or_revoked_device_stays_out() -> None:
    retired, revoked = factories.device(), factories.device()
    devices.disqualify(retired, actor=TEST, at=NOON, reason="scrapped", for_good=True)
    devices.revoke(revoked, actor=TEST, at=NOON, reason="the line was sold")

    for device, refusal in (
        (retired, devices.DeviceRetired), (revoked, devices.DeviceRevoked),
    ):  # fmt: skip
        with pytest.raises(refusal):
            devices.qualify(device, actor=TEST, at=NOON, reason=EVIDENCE)
        with pytest.raises(refusal):
            devices.renew_token(device, actor=TEST, at=NOON, reason="it was in a mail")
    with pytest.raises(devices.DeviceRevoked):
        devices.revoke(revoked, actor=TEST, at=NOON, reason="the line was sold")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "another"}, "stays as it was enrolled"),
        ({"kind": "lims"}, "stays as it was enrolled"),
        ({"is_active": True}, "shut out for good"),
        ({"qualification": "qualified"}, "shut out for good"),
    ],
)
def test_the_database_keeps_a_device_that_was_shut_out(change: dict[str, Any], says: str) -> None:
    device = factories.device()
    devices.disqualify(device, actor=TEST, at=NOON, reason="scrapped", for_good=True)
    devices.revoke(device, actor=TEST, at=NOON, reason="the line was sold")

    with pytest.raises(DatabaseError, match=says):
        with recording.recording("test", actor=TEST, at=NOON, reason="to let it in again"):
            Device.objects.filter(pk=device.pk).update(**change)


@pytest.mark.parametrize("change", [{"bound_to": ""}, {"qualified_at": None}])
def test_the_database_binds_a_qualified_device(change: dict[str, Any]) -> None:
    device = factories.device()
    assert device.qualification == Qualification.QUALIFIED

    with pytest.raises(IntegrityError, match="device_qualified_for_equipment"):
        with recording.recording("test", actor=TEST, at=NOON, reason="to unbind it"):
            Device.objects.filter(pk=device.pk).update(**change)
