"""The quality system over its API: the same acts, by people, with the refusals of the domain."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.quality.models import Deviation, ImpactKind
from tests import factories
from tests.api_client import ApiClient
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"
SIGNED = {"password": PASSWORD, "reason": WHY}


class Caller:
    """A person at the API; every answer is checked against the status that is expected."""

    def __init__(self, user: User) -> None:
        self.user, self.client = user, ApiClient()
        self.client.force_login(user)

    def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        answer = self.client.post(f"/api/v1/{path}", body or {}, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()

    def put(self, path: str, body: Any) -> Any:
        answer = self.client.put(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def get(self, path: str, *, status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1/{path}")
        assert answer.status_code == status, answer.content
        return answer.json()


def caller(*roles: Role) -> Caller:
    return Caller(factories.person(*roles, at=timezone.now()))


def _day(days: int) -> str:
    return (timezone.now().date() + timedelta(days=days)).isoformat()


def _open(by: Caller, *, title: str = "Glucose below its limit") -> str:
    return str(
        by.post(
            "deviations",
            {
                "title": title, "description": "Seen in the trend on day six of the batch.",
                "severity": "minor", "occurred_at": "2026-03-01T08:00:00Z",
                "category": "process", "concerns": "glucose_mmol_l",
            },
        )["number"]
    )  # fmt: skip


def _classify(by: Caller, number: str) -> Any:
    return by.post(
        f"deviations/{number}/classifications",
        {
            "harms_patient": False, "is_integrity_in_doubt": False, "touches_cqa": False,
            "touches_cpp": True, "is_released": False, "breaks_procedure": False,
            "rationale": "a critical parameter left its range",
        },
    )  # fmt: skip


def test_a_deviation_goes_from_opening_to_closure() -> None:
    operator, engineer, quality = (
        caller(Role.OPERATOR), caller(Role.PROCESS_ENGINEER), caller(Role.QUALITY_ASSURANCE),
    )  # fmt: skip
    earlier, number = _open(operator), _open(operator)
    one = f"deviations/{number}"
    operator.post(f"{one}/immediate-actions", {"text": "the feed was raised by hand"})
    engineer.put(
        f"{one}/investigation",
        {
            "root_cause_category": "equipment", "root_cause": "The pump head was worn.",
            "impact": "One batch.", "conclusion": "It is rejected.", "reason": WHY,
        },
    )  # fmt: skip
    engineer.post(
        f"{one}/causes",
        {"category": "method", "cause": "an unclear step", "finding": "ruled-out", "how": WHY},
    )
    neighbour = engineer.post(
        f"{one}/neighbours", {"kind": "batch", "name": "B-9", "because": "of the same pump head"}
    )
    assert engineer.post(f"{one}/scope")[0]["name"] == "B-9"
    read = engineer.get(one)
    assert read["earlier"] == [earlier]
    assert len(read["missing"]) == 3
    refused = quality.post(f"{one}/closure", SIGNED, status=422)
    assert {error["detail"] for error in refused["errors"]} == set(read["missing"])

    engineer.post(
        f"{one}/neighbours/{neighbour['id']}/decision",
        {"effect": "not-affected", "reason": "its pump head was changed before"},
    )
    engineer.post(f"{one}/recurrences", {"is_recurrence": True, "text": WHY})
    extension = engineer.post(f"{one}/extensions", {"until": _day(60), "reason": WHY})
    quality.post(f"{one}/extensions/{extension['id']}/answer", {"is_granted": True, "reason": WHY})
    assert _classify(quality, number)["severity"] == "major"
    engineer.post(f"{one}/signatures", {"meaning": "investigated", "password": PASSWORD})
    closed = quality.post(f"{one}/closure", SIGNED)

    assert closed["state"] == "closed"
    read = quality.get(one)
    assert read["due_on"] == _day(60)
    assert [(one["meaning"], one["is_current"]) for one in read["signatures"]] == [
        ("investigated", True), ("closed", True),
    ]  # fmt: skip
    assert operator.post(f"{one}/notes", {"text": WHY}, status=409)["type"].endswith("-closed")


def test_a_duplicate_is_cancelled_and_the_lists_filter_search_and_sort() -> None:
    operator, quality = caller(Role.OPERATOR), caller(Role.QUALITY_ASSURANCE)
    first, second = _open(operator), _open(operator, title="Another reading of glucose")
    quality.post(f"deviations/{second}/cancellation", {**SIGNED, "original": first})
    quality.post(f"deviations/{first}/cancellation", {**SIGNED, "original": "none"}, status=422)

    def numbers(query: str) -> list[str]:
        return [one["number"] for one in quality.get(f"deviations?{query}")["results"]]

    assert numbers("") == [second, first]
    assert numbers("state=cancelled") == [second]
    assert numbers("search=another") == [second]
    assert numbers("sort=number") == [first, second]
    assert numbers("category=process&state=open&limit=1") == [first]
    quality.get("deviations?state=lost", status=422)
    quality.get("deviations?sort=password", status=422)
    trends = quality.get("deviations/trends")
    assert len(trends["trends"]["months"]) == 12


def test_a_capa_goes_from_its_plan_to_its_closure() -> None:
    engineer, quality = caller(Role.PROCESS_ENGINEER), caller(Role.QUALITY_ASSURANCE)
    doer, checker = caller(Role.SUPERVISOR), caller(Role.QC_SUPERVISOR)
    deviation = _open(doer)
    plan = {
        "title": "Change the pump head", "problem": "The head wears out within a year.",
        "kind": "corrective", "source": "deviation", "owner": doer.user.username,
        "due_on": _day(30), "criterion": "No deviation of the feed in three months.",
        "check_due_on": _day(120), "deviations": [deviation],
    }  # fmt: skip
    engineer.post("capas", {**plan, "owner": "nobody-here"}, status=422)
    number = engineer.post("capas", plan)["number"]
    one = f"capas/{number}"
    action = engineer.post(
        f"{one}/actions",
        {"text": "order and fit the head", "owner": doer.user.username, "due_on": _day(20)},
    )
    quality.post(f"{one}/approval", {"password": "wrong password"}, status=403)
    quality.post(f"{one}/approval", {"password": PASSWORD})
    doer.post(f"{one}/actions/{action['id'] + 1}/completion", {"evidence": WHY}, status=422)
    doer.post(f"{one}/actions/{action['id']}/completion", {"evidence": "work order 4711"})
    doer.post(f"{one}/implementation", {"reason": "the head is fitted"})
    doer.post(f"{one}/checks", {"is_effective": True, "observed": WHY}, status=403)
    quality.post(f"{one}/closure", SIGNED, status=409)
    checker.post(f"{one}/checks", {"is_effective": True, "observed": WHY})
    assert quality.post(f"{one}/closure", SIGNED)["state"] == "closed"

    read = quality.get(one)
    assert (read["deviations"], len(read["actions"]), len(read["checks"])) == ([deviation], 1, 1)
    assert quality.get("capas?state=closed&search=pump")["count"] == 1
    assert quality.get("capas?kind=preventive")["count"] == 0


def test_a_change_goes_from_its_request_to_its_closure() -> None:
    engineer, quality = caller(Role.PROCESS_ENGINEER), caller(Role.QUALITY_ASSURANCE)
    number = engineer.post(
        "changes",
        {
            "title": "Another make of valve", "description": "A valve of another make is fitted.",
            "justification": "The present make is no longer delivered.",
            "classification": "minor",
        },
    )["number"]  # fmt: skip
    one = f"changes/{number}"
    for kind in ImpactKind:
        engineer.post(
            f"{one}/impacts", {"kind": kind.value, "is_affected": False, "assessment": WHY}
        )
    task = engineer.post(
        f"{one}/tasks",
        {"text": "fit the valve", "owner": engineer.user.username, "due_on": _day(3)},
    )
    engineer.post(f"{one}/assessment", {"reason": "every kind was looked at"})
    assert quality.get(one)["lacking"] == ["quality"]
    approval = {"function": "quality", "password": PASSWORD}
    engineer.post(f"{one}/approvals", approval, status=403)
    assert quality.post(f"{one}/approvals", approval)["state"] == "approved"
    engineer.post(f"{one}/tasks/{task['id']}/completion", {"outcome": "fitted and tested"})
    engineer.post(f"{one}/implementation", {"effective_on": _day(0), "reason": WHY})
    caller(Role.SUPERVISOR).post(f"{one}/review", {"text": "the valve holds since"})
    assert quality.post(f"{one}/closure", SIGNED)["state"] == "closed"
    read = quality.get(one)
    assert (len(read["impacts"]), len(read["approvals"])) == (len(ImpactKind), 1)


def test_a_risk_goes_from_its_scale_to_its_review() -> None:
    engineer, quality = caller(Role.PROCESS_ENGINEER), caller(Role.QUALITY_ASSURANCE)
    supervisor = caller(Role.SUPERVISOR)
    words = [f"a meaning of the number {number}" for number in range(1, 6)]
    quality.post(
        "risk-scales",
        {
            "title": "Scales of the plant", "severity": words, "occurrence": words,
            "detection": words, "severe_from": 4, "password": PASSWORD,
        },
    )  # fmt: skip
    number = engineer.post(
        "risks", {"title": "Feeding of glucose", "scope": "The feed pump and its control."}
    )["number"]
    one = f"risks/{number}"
    mode = engineer.post(
        f"{one}/modes", {"text": "It stops", "effect": "The cells starve", "cause": "A worn head"}
    )
    rating = {"severity": 3, "occurrence": 1, "detection": 2, "rationale": WHY}
    engineer.post(f"{one}/modes/{mode['id']}/ratings", rating)
    read = supervisor.get(one)
    assert (read["ratings"], read["modes"][0]["spread"]) == ([], None)
    supervisor.post(f"{one}/modes/{mode['id']}/ratings", {**rating, "occurrence": 2})
    quality.post(
        f"{one}/decision",
        {
            "is_accepted": True, "rationale": "it is seen at once, and the feed is raised by hand",
            "review_due_on": _day(365), "password": PASSWORD,
        },
    )  # fmt: skip
    read = supervisor.get(one)
    assert (read["state"], len(read["ratings"])) == ("accepted", 2)
    assert read["modes"][0]["spread"]["disagreement"] == "0.08"
    quality.post(
        f"{one}/reviews",
        {"text": WHY, "is_rated_again": False, "next_due_on": _day(400)},
    )
    assert quality.post(f"{one}/retirement", {"reason": WHY})["state"] == "retired"
    assert quality.get("risk-scales")["results"][0]["levels"]


def test_a_trail_review_goes_from_its_scope_to_its_conclusion() -> None:
    quality = caller(Role.QUALITY_ASSURANCE)
    number = _open(caller(Role.OPERATOR))
    key = str(Deviation.objects.get(number=number).pk)
    body = {"kind": "record", "records": [["quality_deviation", key]], "seed": "dice 4711"}
    caller(Role.SUPERVISOR).post("trail-reviews", body, status=403)
    one = f"trail-reviews/{quality.post('trail-reviews', body)['number']}"
    conclusion = {"conclusion": "nothing was found", "password": PASSWORD}
    quality.post(f"{one}/conclusion", conclusion, status=422)
    for sampled in quality.get(one)["sample"]:
        quality.post(f"{one}/sample/{sampled['id']}/assessment", {"outcome": "no-concern"})
    assert quality.post(f"{one}/conclusion", conclusion)["state"] == "concluded"
    assert quality.get(f"{one}/standing")["is_current"] is True
    read = quality.get(one)
    assert read["signatures"][0]["meaning"] == "reviewed"
    quality.post(f"{one}/abandonment", {"reason": WHY}, status=409)


def test_several_drawn_entries_are_assessed_at_once_all_or_none() -> None:
    quality = caller(Role.QUALITY_ASSURANCE)
    operator = caller(Role.OPERATOR)
    keys = [str(Deviation.objects.get(number=_open(operator)).pk) for _ in range(3)]
    records = [["quality_deviation", key] for key in keys]
    body = {"kind": "record", "records": records, "seed": "dice 4711"}
    one = f"trail-reviews/{quality.post('trail-reviews', body)['number']}"
    drawn = [sampled["id"] for sampled in quality.get(one)["sample"]]
    assert len(drawn) >= 3
    fine = [{"sampled": key, "outcome": "no-concern", "text": "as reported"} for key in drawn]

    def refused(assessments: Any, status: int = 422) -> Any:
        said = quality.post(f"{one}/assessments", {"assessments": assessments}, status=status)
        assert {sampled["outcome"] for sampled in quality.get(one)["sample"]} == {""}
        return said

    refused([])
    refused(fine * 400)
    twice = refused([*fine, fine[0]])
    assert f"{drawn[0]} is there more than once" in str(twice["errors"])
    empty = refused([*fine[:-1], fine[-1] | {"outcome": "finding", "text": "none"}])
    assert empty["errors"][0]["pointer"] == f"/assessments/{len(fine) - 1}"
    refused([*fine, {"sampled": max(drawn) + 1, "outcome": "no-concern"}], status=422)
    operator.post(f"{one}/assessments", {"assessments": fine}, status=403)

    finding = {"outcome": "finding", "text": "opened a day after it was seen"}
    assessed = quality.post(f"{one}/assessments", {"assessments": [*fine[:-1], fine[-1] | finding]})

    assert [sampled["id"] for sampled in assessed] == drawn
    assert [sampled["outcome"] for sampled in assessed][-2:] == ["no-concern", "finding"]
    assert quality.get(f"{one}/standing")["findings"] == 1


def test_periodic_reviews() -> None:
    quality = caller(Role.QUALITY_ASSURANCE)
    number = quality.post(
        "periodic-reviews", {"system": "The plant", "starts_on": _day(-90), "ends_on": _day(0)}
    )["number"]
    done = quality.post(
        f"periodic-reviews/{number}/conclusion",
        {"conclusion": "fit for its use", "next_due_on": _day(365), "password": PASSWORD},
    )
    assert done["figures"]["incidents"]["opened"] == 0
    assert quality.get(f"periodic-reviews/{number}")["signatures"][0]["is_current"] is True


@pytest.mark.requirement("P11-d1")
def test_nobody_reads_or_acts_without_signing_in() -> None:
    for path in (
        "deviations", "deviations/trends", "capas", "changes", "risks", "risk-scales",
        "trail-reviews", "periodic-reviews",
    ):  # fmt: skip
        assert ApiClient().get(f"/api/v1/{path}").status_code in (401, 403)
        assert ApiClient().post(f"/api/v1/{path}", {}).status_code in (401, 403, 405)


def test_a_record_that_is_not_there_is_not_found() -> None:
    quality = caller(Role.QUALITY_ASSURANCE)

    for path in ("deviations", "capas", "changes", "risks", "trail-reviews"):
        quality.get(f"{path}/none", status=404)
    quality.post("capas/none/approval", {"password": PASSWORD}, status=404)


@pytest.mark.parametrize(
    "asked",
    ["risk-scales?version=newest", "changes?due_on=soon", "capas?limit=all", "capas?offset=-1"],
)
def test_a_filter_or_a_page_that_is_no_value_is_refused(client: ApiClient, asked: str) -> None:
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    answer = client.get(f"/api/v1/{asked}")

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"]
