"""Access over the API calls the same functions as the pages, and answers their refusals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from compliance.access import identity, people, procedures, reviews, training
from compliance.access.duties import Role
from compliance.access.models import Device, User
from tests import factories
from tests.api_client import ApiClient
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
BASE = "/api/v1/access/"
REASON = "needed for the new shift"


def as_(person: User) -> Callable[..., Any]:
    """Return what sends one request as this person, and its answer as (status, body)."""
    client = ApiClient()
    client.force_login(person)

    def send(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.generic(
            method, BASE + path, "" if body is None else json(body), "application/json"
        )
        return answer.status_code, answer.json() if answer.content else None

    return send


def json(body: Any) -> str:
    import json as plain

    return plain.dumps(body)


@pytest.fixture
def administrator() -> Callable[..., Any]:
    return as_(factories.person(Role.SYSTEM_ADMINISTRATOR))


@pytest.fixture
def quality() -> Callable[..., Any]:
    return as_(factories.person(Role.QUALITY_ASSURANCE))


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["type"].rpartition("/")[2]


def test_a_person_from_the_first_day_to_the_last(
    administrator: Callable[..., Any], quality: Callable[..., Any]
) -> None:
    new = {
        "username": "ann.miller", "full_name": "Ann Miller", "password": "first-of-the-desk",
        "roles": ["operator"], "reason": REASON,
    }  # fmt: skip
    status, made = administrator("POST", "people", new)
    assert (status, made["roles"], made["must_change_password"]) == (201, ["operator"], True)
    assert code(administrator("POST", "people", new)) == (409, "name-taken")
    alike = {**new, "username": "ann.mil1er", "full_name": "Somebody Else"}
    assert code(administrator("POST", "people", alike)) == (409, "name-looks-alike")

    seen = {"method": "in-person", "document": "passport, HR-0042", "proven_at": NOON.isoformat()}
    assert code(administrator("POST", "people/ann.miller/identity-proofs", seen))[0] == 403
    status, proof = quality("POST", "people/ann.miller/identity-proofs", seen)
    assert status == 201
    ann = User.objects.get(username="ann.miller")
    assert identity.is_proven(ann, at=timezone.now())

    more = {"role": "supervisor", "reason": REASON}
    assert administrator("POST", "people/ann.miller/roles", more)[0] == 201
    conflict = {"role": "system-administrator", "reason": REASON}
    assert code(administrator("POST", "people/ann.miller/roles", conflict)) == (
        409, "roles-conflict",
    )  # fmt: skip
    ended = administrator("POST", "people/ann.miller/roles/operator/end", {"reason": REASON})
    assert ended[1]["roles"] == ["supervisor"]

    withdrawn = quality(
        "POST", f"people/ann.miller/identity-proofs/{proof['id']}/withdrawal", {"reason": REASON}
    )
    assert withdrawn[1]["withdrawn_at"]
    leaving = {"last_day": "2026-03-31", "reason": "contract ends"}
    assert (
        administrator("PUT", "people/ann.miller/leaving", leaving)[1]["leaves_on"] == "2026-03-31"
    )
    reset = {"password": "another-of-the-desk", "reason": "forgotten"}
    assert administrator("POST", "people/ann.miller/password", reset)[0] == 200
    assert people.password_was_set_by_other(ann)
    gone = administrator("POST", "people/ann.miller/deactivation", {"reason": "contract ended"})
    assert not gone[1]["is_active"]
    again = administrator("POST", "people/ann.miller/deactivation", {"reason": "contract ended"})
    assert code(again) == (409, "person-inactive")

    status, read = quality("GET", "people/ann.miller")
    assert {one["role"] for one in read["role_history"]} == {"operator", "supervisor"}
    assert len(read["identity_proofs"]) == 1


def test_a_body_that_says_too_much_or_too_little_is_refused(
    administrator: Callable[..., Any],
) -> None:
    assert code(administrator("POST", "people", {"username": "x", "is_superuser": True})) == (
        422, "invalid",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is_active=true&role=operator", ["ann.a", "bob.b"]),
        ("is_active=false", ["cid.c"]),
        ("q=ann", ["ann.a"]),
        ("role=operator&sort=-username", ["bob.b", "ann.a"]),
        ("role=operator&limit=1&offset=1", ["bob.b"]),
    ],
)
def test_people_are_filtered_searched_sorted_and_paged(
    quality: Callable[..., Any], query: str, expected: list[str]
) -> None:
    for name in ("ann.a", "bob.b", "cid.c"):
        factories.person(Role.OPERATOR, username=name)
    people.deactivate(
        User.objects.get(username="cid.c"), actor=TEST, at=NOON, reason="left the company"
    )
    people.end_role(
        User.objects.get(username="cid.c").role_assignments.get(), actor=TEST, at=NOON,
        reason="left the company",
    )  # fmt: skip

    _, answer = quality("GET", f"people?{query}")

    assert [one["username"] for one in answer["results"]] == expected


@pytest.mark.parametrize(
    "path", ["people?role=king", "people?sort=password", "log?kind=x", "alarms?is_waiting=perhaps"]
)
def test_a_filter_that_does_not_exist_is_refused(quality: Callable[..., Any], path: str) -> None:
    assert code(quality("GET", path)) == (422, "invalid")


def test_a_procedure_and_who_lacks_training_in_it(quality: Callable[..., Any]) -> None:
    operator = factories.person(Role.OPERATOR)
    assert quality("POST", "procedures", {"code": "SOP-1", "title": "Filling"})[0] == 201
    version = {"summary": "the first version", "effective_from": NOON.isoformat()}
    assert quality("POST", "procedures/SOP-1/versions", version)[1]["version"] == 1
    assert quality("POST", "procedures/SOP-1/needs", {"role": "operator"})[1]["needed_by"] == [
        "operator"
    ]
    lacking = [
        {"person": operator.username, "procedure": "SOP-1", "version": 1, "roles": ["operator"]}
    ]
    assert quality("GET", "trainings/lacking") == (200, lacking)

    said = {
        "person": operator.username, "procedure": "SOP-1", "version": 1, "method": "read",
        "assessment": "passed", "trained_at": NOON.isoformat(),
    }  # fmt: skip
    status, made = quality("POST", "trainings", said)

    assert status == 201
    assert quality("GET", "trainings/lacking") == (200, [])
    assert code(quality("POST", f"trainings/{made['id']}/acknowledgement")) == (
        403, "training-of-another",
    )  # fmt: skip
    mine = as_(operator)
    assert mine("POST", f"trainings/{made['id']}/acknowledgement")[1]["acknowledged_at"]
    assert code(mine("POST", f"trainings/{made['id']}/withdrawal", {"reason": REASON})) == (
        403, "not-permitted",
    )  # fmt: skip
    assert quality("POST", f"trainings/{made['id']}/withdrawal", {"reason": REASON})[0] == 200
    procedure = procedures.effective(at=timezone.now()).get().procedure
    assert not training.is_current(operator, procedure=procedure, at=timezone.now())
    listed = quality("GET", f"trainings?person={operator.username}&procedure=SOP-1")[1]
    assert [one["withdrawn_at"] is None for one in listed["results"]] == [False]
    assert quality("POST", "procedures/SOP-1/needs/operator/end", {"reason": REASON})[0] == 200
    assert quality("POST", "procedures/SOP-1/retirement", {"reason": REASON})[1]["retired_at"]
    assert quality("GET", "procedures?q=fill")[1]["count"] == 1


@pytest.mark.requirement("A11D-8")
def test_alarms_are_sorted_searched_and_acknowledged(quality: Callable[..., Any]) -> None:
    first = factories.alarm(at=NOON)
    second = factories.alarm(at=NOON + timedelta(hours=1))

    _, listed = quality("GET", "alarms?is_waiting=true&sort=raised_at&q=passwords")
    assert [one["id"] for one in listed["results"]] == [first.pk, second.pk]
    refused = quality("POST", f"alarms/{first.pk}/acknowledgement", {"comment": "ok"})
    assert code(refused) == (422, "reason-not-meaningful")
    comment = {"comment": "called the person, password forgotten"}
    status, seen = quality("POST", f"alarms/{first.pk}/acknowledgement", comment)

    assert (status, seen["acknowledged_role"]) == (200, "Quality assurance")
    assert code(quality("POST", f"alarms/{first.pk}/acknowledgement", comment)) == (
        409, "alarm-acknowledged",
    )  # fmt: skip
    assert quality("GET", "alarms?is_waiting=true")[1]["count"] == 1
    assert quality("GET", f"alarms/{first.pk}")[1]["comment"] == comment["comment"]
    assert quality("DELETE", f"alarms/{first.pk}")[0] == 405


def test_a_review_from_its_opening_to_its_closure(quality: Callable[..., Any]) -> None:
    colleague = factories.person(Role.QUALITY_ASSURANCE)
    status, review = quality("POST", "reviews")
    assert status == 201
    number = review["number"]
    lines = quality("GET", f"reviews/{number}")[1]["lines"]
    keep = {"outcome": "keep", "reason": REASON}
    own = [
        one["username"] for one in lines
        if code_or_ok(quality("POST", f"reviews/{number}/lines/{one['username']}/decision", keep))
    ]  # fmt: skip
    assert len(own) == 1
    conclusion = {"conclusion": "all accounts are needed"}
    assert code(quality("POST", f"reviews/{number}/closure", conclusion)) == (
        422, "access-review-incomplete",
    )  # fmt: skip
    other = as_(colleague)
    assert other("POST", f"reviews/{number}/lines/{own[0]}/decision", keep)[0] == 200

    assert quality("POST", f"reviews/{number}/closure", conclusion)[1]["state"] == "closed"
    assert reviews.overdue(on=timezone.now().date()) is None
    assert quality("GET", "reviews?state=closed")[1]["count"] == 1


def code_or_ok(answer: tuple[int, Any]) -> str:
    return "" if answer[0] == 200 else code(answer)[1]


@pytest.mark.requirement("P11-h1")
def test_a_device_is_enrolled_by_one_and_qualified_by_another(
    administrator: Callable[..., Any], quality: Callable[..., Any]
) -> None:
    status, made = administrator(
        "POST", "devices", {"name": "mes-7", "kind": "mes", "reason": "the new line"}
    )
    assert (status, made["qualification"]) == (201, "unqualified")
    evidence = {"bound_to": "BR-7", "reason": "interface protocol IQ-7"}
    assert code(administrator("POST", "devices/mes-7/qualification", evidence)) == (
        403, "not-permitted",
    )  # fmt: skip
    assert quality("POST", "devices/mes-7/qualification", evidence)[1]["bound_to"] == "BR-7"
    listed = quality("GET", "devices?qualification=qualified&q=br-7")[1]
    assert [one["name"] for one in listed["results"]] == ["mes-7"]
    assert (
        quality("POST", "devices/mes-7/disqualification", {"reason": "firmware changed"})[0] == 200
    )
    renewed = administrator("POST", "devices/mes-7/token", {"reason": "it was in a mail"})
    assert renewed[1]["token"] != made["token"]
    assert administrator("POST", "devices/mes-7/revocation", {"reason": "line was sold"})[0] == 200
    assert not Device.objects.get(name="mes-7").is_active
    assert quality("GET", "devices/mes-7")[1]["is_active"] is False


@pytest.mark.requirement("P11-300c")
def test_an_administrator_lists_and_ends_sessions(administrator: Callable[..., Any]) -> None:
    operator = factories.person(Role.OPERATOR)
    mine = as_(operator)
    assert mine("GET", "segregation")[0] == 200
    _, listed = administrator("GET", f"sessions?is_open=true&username={operator.username}")
    (session,) = listed["results"]

    ended = administrator(
        "POST", f"sessions/{session['id']}/revocation", {"reason": "the tablet was lost"}
    )

    assert ended[1]["ended_why"] == "revoked"
    assert mine("GET", "segregation")[0] == 401


@pytest.mark.requirement("P11-100c")
def test_the_letter_to_the_agency(quality: Callable[..., Any]) -> None:
    letter = {"reference": "ESIG-1", "sent_on": "2026-03-01", "addressed_to": "FDA, Rockville"}

    assert quality("POST", "certification-letters", letter)[0] == 201
    assert code(quality("POST", "certification-letters", letter))[0] == 409
    assert quality("GET", "certification-letters")[1]["count"] == 1


@pytest.mark.requirement("P11-g1", "A11D-11")
def test_the_matrix_of_duties_is_read_as_it_is_asked(quality: Callable[..., Any]) -> None:
    _, shown = quality("GET", "segregation")

    pairs = {frozenset({one["first"], one["second"]}) for one in shown["conflicts"]}
    administrator, auditor = "system-administrator", "auditor"
    others = {role.value for role in Role}
    assert pairs == {
        frozenset({apart, other})
        for apart in (administrator, auditor)
        for other in others - {apart}
    }
    assert "certify-batch" in shown["duties"]["qualified-person"]
    assert any(rule["clause"] == "21 CFR 11.300(d)" for rule in shown["rules"])


@pytest.mark.requirement("P11-d1", "A11-12")
@pytest.mark.parametrize(
    "path", ["people", "log", "alarms", "sessions", "devices", "reviews", "trainings", "procedures"]
)
def test_devices_and_strangers_read_no_accounts(client: Client, path: str) -> None:
    _, token = factories.device_and_token()

    assert client.get(BASE + path).status_code == 401
    answer = client.get(BASE + path, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["people", "log", "alarms", "sessions", "devices", "trainings", "procedures"]
)
def test_a_list_asks_the_database_no_more_often_when_it_is_longer(
    path: str, django_assert_max_num_queries: Any
) -> None:
    send = as_(factories.person(Role.QUALITY_ASSURANCE))
    send("GET", path)
    for _ in range(5):
        operator = factories.person(Role.OPERATOR)
        factories.trained(operator, factories.procedure())
        factories.device()
        factories.alarm()
        as_(operator)("GET", "segregation")

    with django_assert_max_num_queries(13):
        assert send("GET", path)[0] == 200
