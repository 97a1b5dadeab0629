"""The API makes the same calls: from a delivery to its use, and from a vessel to its log book."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.assets.models import Equipment, MaterialLot
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail.models import Refusal
from tests import factories
from tests.api_client import ApiClient
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


class Caller:
    """A person who is signed in to the API."""

    def __init__(self, person: User) -> None:
        self.person, self.client = person, ApiClient()
        self.client.force_login(person)

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._told(self.client.get(f"{ROOT}{path}"), status)

    def post(self, path: str, *, status: int = 201, **body: Any) -> Any:
        answer = self.client.post(f"{ROOT}{path}", body, content_type="application/json")
        return self._told(answer, status)

    def put(self, path: str, *, status: int = 200, **body: Any) -> Any:
        answer = self.client.put(f"{ROOT}{path}", body, content_type="application/json")
        return self._told(answer, status)

    def _told(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.content
        return answer.json()


def calling(*roles: Role) -> Caller:
    return Caller(factories.person(*roles, at=timezone.now()))


@pytest.fixture
def quality() -> Caller:
    return calling(Role.QUALITY_ASSURANCE)


@pytest.fixture
def warehouse() -> Caller:
    return calling(Role.WAREHOUSE)


def bought(quality: Caller) -> None:
    """Enter glucose and an approved supplier of it."""
    calling(Role.PROCESS_ENGINEER).post(
        "/materials", code="RM-1", name="Glucose", unit="kg", kind="raw"
    )
    quality.post("/suppliers", code="SUP-1", name="Sugar works")
    quality.post(
        "/suppliers/SUP-1/approvals", material="RM-1", valid_from="2020-01-01",
        basis="audited on site last year",
    )  # fmt: skip


def delivered(warehouse: Caller, **said: Any) -> Any:
    body = {
        "material": "RM-1", "supplier": "SUP-1", "supplier_lot": "L-7", "quantity": "25",
        "unit": "kg", "received_at": timezone.now().isoformat(), "location": "Warehouse A", **said,
    }  # fmt: skip
    return warehouse.post("/material-lots", **body)


def test_a_delivery_is_received_released_dispensed_and_counted(
    quality: Caller, warehouse: Caller
) -> None:
    bought(quality)
    lot = f"/material-lots/{delivered(warehouse)['number']}"

    assert quality.get(lot)["objections"] == ["it is in quarantine"]
    released = quality.post(
        f"{lot}/decisions", outcome="released", reason="tested and within limits",
        password=PASSWORD,
    )  # fmt: skip
    dispensed = calling(Role.OPERATOR).post(
        f"{lot}/movements", kind="dispensed", quantity="10.5", unit="kg",
        reason="charged into the batch", reference="B-1",
    )  # fmt: skip
    warehouse.post(f"{lot}/counts", counted="14.5", unit="kg", explanation="counted at month end")

    assert (released["state"], dispensed["balance"]) == ("released", "14.500000")
    assert quality.get(lot)["objections"] == []
    assert quality.get(f"{lot}/account")["used"] == "10.500000"
    assert [one["kind"] for one in quality.get(f"{lot}/movements")["results"]] == [
        "received", "dispensed",
    ]  # fmt: skip
    assert quality.get("/materials/RM-1/first-to-expire")[0]["on_hand"] == "14.500000"


@pytest.mark.requirement("P11-f1")
def test_an_act_that_the_state_forbids_is_409_and_recorded(
    quality: Caller, warehouse: Caller
) -> None:
    bought(quality)
    lot = f"/material-lots/{delivered(warehouse)['number']}"

    told = warehouse.post(
        f"{lot}/movements", kind="dispensed", quantity="1", unit="kg", status=409,
        reason="it is needed at once",
    )  # fmt: skip

    assert "lot-state" in told["type"]
    assert (
        Refusal.objects.using("outside")
        .filter(code="lot-state", actor=warehouse.person.username)
        .exists()
    )


@pytest.mark.requirement("A11D-10")
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"quantity": "0.0000001"}, 400),
        ({"quantity": "NaN"}, 400),
        ({"quantity": "0"}, 422),
        ({"unit": "g"}, 422),
        ({"received_at": "2030-01-01T00:00:00"}, 400),
        ({"received_at": "2099-01-01T00:00:00Z"}, 422),
        ({"expires_on": "2019-01-01"}, 422),
        ({"colour": "white"}, 400),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_whole(
    quality: Caller, warehouse: Caller, said: dict[str, str], status: int
) -> None:
    bought(quality)
    body = {
        "material": "RM-1", "supplier": "SUP-1", "supplier_lot": "L-7", "quantity": "25",
        "unit": "kg", "received_at": timezone.now().isoformat(), "location": "A", **said,
    }  # fmt: skip

    answer = warehouse.client.post(f"{ROOT}/material-lots", body, content_type="application/json")

    assert answer.status_code in {status, 422}, answer.content
    assert not MaterialLot.objects.exists()


def test_a_decision_is_signed_with_the_own_password(quality: Caller, warehouse: Caller) -> None:
    bought(quality)
    lot = f"/material-lots/{delivered(warehouse)['number']}"
    said = {"outcome": "rejected", "reason": "torn sacks, wet contents"}

    assert quality.client.post(
        f"{ROOT}{lot}/decisions", said, content_type="application/json"
    ).status_code in {400, 422}
    wrong = {**said, "password": "another one"}
    answer = quality.client.post(f"{ROOT}{lot}/decisions", wrong, content_type="application/json")
    assert answer.status_code in {401, 403}
    quality.post(f"{lot}/decisions", password=PASSWORD, **said)

    assert MaterialLot.objects.get().state == "rejected"


def test_a_lot_is_blocked_put_into_quarantine_and_its_dates_brought_forward(
    quality: Caller, warehouse: Caller
) -> None:
    bought(quality)
    lot = f"/material-lots/{delivered(warehouse)['number']}"

    quality.post(f"{lot}/decisions", outcome="blocked", reason="the supplier asked us to")
    quality.post(f"{lot}/decisions", outcome="quarantine", reason="the supplier found nothing")
    changed = quality.put(
        f"{lot}/dates", expires_on="2099-01-01", retest_on=None, reason="label read again"
    )

    assert (changed["state"], changed["expires_on"]) == ("quarantine", "2099-01-01")


def test_the_genealogy_reads_both_ways(quality: Caller, warehouse: Caller) -> None:
    bought(quality)
    child, parent = (delivered(warehouse)["number"] for _ in range(2))
    calling(Role.OPERATOR).post(
        f"/material-lots/{parent}/components", component=child, quantity="2", unit="kg"
    )

    down = quality.get(f"/material-lots/{parent}/genealogy")
    up = quality.get(f"/material-lots/{child}/genealogy")

    assert [(one["depth"], one["number"]) for one in down["made_of"]] == [(1, child)]
    assert [(one["depth"], one["number"]) for one in up["used_in"]] == [(1, parent)]


def test_lists_filter_search_sort_and_page(quality: Caller, warehouse: Caller) -> None:
    bought(quality)
    first, second = (delivered(warehouse, supplier_lot=name)["number"] for name in ("AAA", "BBB"))

    def numbers(query: str) -> list[str]:
        found = quality.get(f"/material-lots?{query}")["results"]
        return [one["number"] for one in found]

    assert numbers("ordering=-number") == [second, first]
    assert numbers("search=bbb") == [second]
    assert numbers("state=released") == []
    assert numbers("limit=1&offset=1") == [second]
    quality.get("/material-lots?ordering=colour", status=422)


def test_a_list_costs_the_same_for_many_lots(quality: Caller, warehouse: Caller) -> None:
    bought(quality)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            quality.get("/material-lots")
        return len(queries)

    delivered(warehouse)
    for_one = cost()
    for _ in range(4):
        delivered(warehouse)

    assert cost() == for_one


def registered(**said: Any) -> tuple[Caller, str]:
    engineer = calling(Role.MAINTENANCE)
    body = {
        "code": "BR-1", "name": "Bioreactor 1", "kind": "bioreactor", "location": "Suite 1",
        "manufacturer": "Steelworks", "model": "BR-200", "serial_number": "SN-1",
        "needed_stages": ["iq"], **said,
    }  # fmt: skip
    engineer.post("/equipment", **body)
    return engineer, f"/equipment/{body['code']}"


def qualified(engineer: Caller, quality: Caller, path: str) -> None:
    stage = engineer.post(
        f"{path}/qualifications", stage="iq", protocol="VP-1", report="VR-1",
        summary="All criteria are met.", performed_on="2026-01-05",
    )  # fmt: skip
    quality.post(f"{path}/qualifications/{stage['id']}/approval", password=PASSWORD)
    quality.post(f"{path}/declaration", password=PASSWORD, reason="all stages are approved")


def test_a_vessel_is_qualified_cleaned_used_and_cleaned_again(quality: Caller) -> None:
    procedure = factories.procedure(at=timezone.now())
    engineer, path = registered(is_cleaned=True, clean_hold_hours=72)
    qualified(engineer, quality, path)
    cleaner, checker = calling(Role.OPERATOR), calling(Role.OPERATOR)

    def clean() -> None:
        made = cleaner.post(f"{path}/cleanings", procedure=procedure.code)
        cleaner.post(f"{path}/cleanings/{made['id']}/finish", status=200)
        checker.post(
            f"{path}/cleanings/{made['id']}/verification", is_clean=True,
            reason="no residue seen in good light",
        )  # fmt: skip

    assert quality.get(path)["objections"] == ["it is to be cleaned"]
    clean()
    use = cleaner.post(f"{path}/uses", purpose="batch B-1, Growth", product="PRODUCT-A")
    cleaner.post(f"{path}/uses/{use['id']}/end", status=200)
    cleaner.post(f"{path}/uses", purpose="batch B-2, Growth", status=409)
    clean()

    assert quality.get(path)["objections"] == []
    kinds = [one["kind"] for one in quality.get(f"{path}/log-book")]
    assert kinds == ["Qualification", "Cleaning", "Use", "Cleaning"]
    assert len(quality.get(f"{path}/cleanings")) == 2
    assert quality.get(f"{path}/uses")["count"] == 1


def test_a_balance_is_calibrated_verified_and_its_date_brought_forward(quality: Caller) -> None:
    engineer, path = registered(code="BAL-1", kind="balance", calibration_interval_days=30)
    qualified(engineer, quality, path)
    made = engineer.post(
        f"{path}/calibrations", performed_at=timezone.now().isoformat(), as_found="100.1 g",
        as_found_in_tolerance=True, as_left="100.0 g", as_left_in_tolerance=True,
        reference_standard="W-100", certificate="C-1",
    )  # fmt: skip
    calibration = f"{path}/calibrations/{made['id']}"

    engineer.post(f"{calibration}/verification", reason="I am quite sure", status=409)
    quality.post(f"{calibration}/verification", reason="certificate read and compared")
    engineer.post(f"{path}/uses", purpose="weighing", status=403)
    calling(Role.QC_ANALYST).post(f"{path}/uses", purpose="weighing of S-1")
    shortened = quality.put(
        f"{calibration}/due-date", due_on="2020-01-01", reason="the standard was out of date"
    )

    assert shortened["deviation"].startswith("DEV-")
    assert [one["purpose"] for one in quality.get(f"{path}/impact")] == ["weighing of S-1"]
    overdue = quality.get("/equipment?calibration=overdue")["results"]
    assert [one["code"] for one in overdue] == ["BAL-1"]


def test_a_part_of_another_make_ends_the_qualification(quality: Caller) -> None:
    engineer, path = registered()
    qualified(engineer, quality, path)
    part = {"manufacturer": "Pumpworks", "model": "P-10", "serial_number": "7"}
    said = {
        "component": "feed pump", "old": part, "new": {**part, "model": "P-11"},
        "changed_at": timezone.now().isoformat(), "reason": "the old pump leaked",
    }  # fmt: skip

    engineer.post(f"{path}/part-changes", is_like_for_like=True, status=422, **said)
    engineer.post(f"{path}/part-changes", is_like_for_like=False, change_reference="CC-1", **said)

    assert quality.get(path)["objections"] == ["it is in qualification"]
    assert quality.get(f"{path}/part-changes")[0]["new_model"] == "P-11"


def test_equipment_is_amended_serviced_taken_out_and_retired(quality: Caller) -> None:
    engineer, path = registered()

    engineer.put(f"{path}/needs", location="Suite 2", reason="moved to the second suite")
    engineer.post(f"{path}/services", reason="yearly service as planned")
    engineer.post(f"{path}/state", act="take-out", reason="the jacket leaks", status=200)
    engineer.post(f"{path}/state", act="return", reason="the jacket is welded", status=200)
    quality.post(f"{path}/state", act="retire", reason="replaced by BR-2", status=200)

    found = Equipment.objects.get()
    assert (found.location, found.state) == ("Suite 2", "retired")
    engineer.post(f"{path}/services", reason="one more service", status=409)


def test_an_approval_of_a_supplier_ends(quality: Caller) -> None:
    bought(quality)
    (approval,) = quality.get("/suppliers/SUP-1/approvals")

    ended = quality.post(
        f"/suppliers/SUP-1/approvals/{approval['id']}/end", status=200,
        reason="the audit found no cold chain",
    )  # fmt: skip

    assert ended["ended_on"] == str(timezone.now().date())


@pytest.mark.parametrize("path", ["/equipment", "/materials", "/suppliers", "/material-lots"])
def test_strangers_and_administrators_of_the_system_do_not_write(path: str) -> None:
    assert ApiClient().get(f"{ROOT}{path}").status_code in {401, 403}
    calling(Role.AUDITOR).get(path)
