"""People make a whole batch over the API; what is not possible is refused and on record."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail.models import Refusal
from tests import factories
from tests.api_client import ApiClient
from tests.batches.execution.test_completeness import CHECKED
from tests.factories import PASSWORD


class People:
    """A client of each person, and the batch they work at."""

    def __init__(self) -> None:
        self.now = timezone.now() - timedelta(minutes=2)
        self.operator = factories.person(Role.OPERATOR, at=self.now)
        self.supervisor = factories.person(Role.SUPERVISOR, at=self.now)
        self.batch = factories.running_batch(factories.recipe(CHECKED, at=self.now), at=self.now)
        self.clients = {person.pk: ApiClient() for person in (self.operator, self.supervisor)}
        for person in (self.operator, self.supervisor):
            self.clients[person.pk].force_login(person)

    def post(self, by: User, what: str, body: Any = None, *, expected: int = 201) -> Any:
        answer = self.clients[by.pk].post(
            f"/api/v1/batches/{self.batch.number}/{what}", body or {},
            content_type="application/json",
        )  # fmt: skip
        assert answer.status_code == expected, answer.content
        return answer.json()

    def upload(self, by: User, what: str, body: dict[str, Any]) -> Any:
        answer = self.clients[by.pk].post(f"/api/v1/batches/{self.batch.number}/{what}", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def get(self, what: str) -> Any:
        answer = self.clients[self.operator.pk].get(f"/api/v1/batches/{self.batch.number}/{what}")
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.mark.django_db
@pytest.mark.requirement("211-188", "CH4-20")
def test_people_make_a_whole_batch_over_the_api() -> None:
    plant = People()
    operator, supervisor, batch = plant.operator, plant.supervisor, plant.batch
    sign = {"password": PASSWORD}
    assert plant.get("completeness") != []

    plant.post(operator, "phases/1/moves", {"step": "start"})
    reactor = factories.equipment(at=plant.now)
    used = plant.post(
        operator, "equipment", {"phase": 1, "equipment": reactor.code, "need": "Bioreactor"}
    )
    entered = plant.post(
        operator, "in-process-results", {"phase": 1, "tag": "ph", "value": "7.00", "unit": "[pH]"}
    )
    plant.post(supervisor, f"in-process-results/{entered['id']}/verification", sign)
    for line in batch.materials.order_by("line"):
        lot = factories.lot_for(line, at=plant.now)
        made = plant.post(
            operator, "charges",
            {"line": line.line, "lot": lot.number, "net": f"{line.quantity:f}", "unit": line.unit,
             "verifier": supervisor.username, "password": PASSWORD},
        )  # fmt: skip
        assert made["verified_by"] == supervisor.username
        found = plant.clients[operator.pk].get(f"/api/v1/lots/{lot.number}/batches").json()
        assert [one["batch"] for one in found] == [batch.number]
        account = plant.post(
            operator, "material-accounts",
            {"line": line.line, "lot": lot.number, "issued": f"{line.quantity:f}",
             "unit": line.unit},
        )  # fmt: skip
        plant.post(supervisor, f"material-accounts/{account['id']}/verification", sign)
    for kind in ("area-before", "area-after", "packages"):
        plant.post(
            operator, "examinations",
            {"phase": 1, "kind": kind, "is_conforming": True, "finding": "all of it, nothing found"},
        )  # fmt: skip
    plant.upload(
        operator, "label-uses",
        {"phase": 1, "code": "LABEL-1", "issued": 2, "used": 2,
         "specimen": SimpleUploadedFile("label.txt", b"label", "text/plain")},
    )  # fmt: skip
    plant.post(operator, "yields", {"phase": 1, "value": "96", "unit": "g"})
    plant.post(operator, "remarks", {"phase": 1, "text": "a quiet culture"})
    kept = plant.upload(
        operator, "files",
        {"title": "printout of the balance",
         "file": SimpleUploadedFile("print.txt", b"12.5 g", "text/plain")},
    )  # fmt: skip
    plant.post(operator, f"equipment/{used['id']}/return")
    factories.happened(
        batch, EventKind.SAMPLING, details={"point": "End of culture"}, at=timezone.now()
    )
    plant.post(operator, "phases/1/moves", {"step": "end"})
    plant.post(supervisor, "phases/1/verification", sign)
    factories.happened(batch, EventKind.BATCH_ENDED, at=timezone.now())

    assert plant.get("completeness") == []
    assert plant.get("exceptions")["results"] == []
    assert {one["lot"] for one in plant.get("genealogy")}
    content = plant.clients[operator.pk].get(
        f"/api/v1/batches/{batch.number}/files/{kept['id']}/content"
    )
    assert content.content == b"12.5 g"
    assert content["Content-Disposition"] == "attachment"
    for what in (
        "phases",
        "charges",
        "equipment",
        "calculations",
        "examinations",
        "label-uses",
        "material-accounts",
    ):
        assert plant.get(what)["count"] > 0


@pytest.mark.django_db
def test_an_exception_is_linked_and_assessed_over_the_api() -> None:
    plant = People()
    plant.post(plant.operator, "phases/1/moves", {"step": "start"})
    plant.post(plant.operator, "in-process-results", {"tag": "ph", "value": "7.30", "unit": "[pH]"})
    (found,) = plant.get("exceptions")["results"]
    words = {"assessment": "no effect on the product", "password": PASSWORD}

    plant.post(plant.supervisor, f"exceptions/{found['id']}/assessment", words, expected=409)
    deviation = factories.deviation(plant.batch, at=plant.now)
    plant.post(
        plant.supervisor, f"exceptions/{found['id']}/deviation", {"deviation": deviation.number}
    )
    assessed = plant.post(plant.supervisor, f"exceptions/{found['id']}/assessment", words)

    assert (assessed["state"], assessed["deviation"]) == ("assessed", deviation.number)


@pytest.mark.django_db
@pytest.mark.requirement("211-100a/b")
def test_a_late_entry_over_the_api_has_its_witness() -> None:
    plant = People()
    early = (plant.now - timedelta(hours=2)).isoformat()
    said = {"step": "start", "performed_at": early}

    plant.post(plant.operator, "phases/1/moves", said, expected=422)
    late = {"reason": "the terminal was down", "witness": plant.supervisor.username,
            "password": PASSWORD}  # fmt: skip
    plant.post(plant.operator, "phases/1/moves", {**said, "late": late})

    assert plant.get("phases")["results"][0]["state"] == "running"


@pytest.mark.requirement("P11-f1")
def test_what_the_state_forbids_is_answered_with_409_and_on_record(fresh_log: Any) -> None:
    plant = People()

    for step in ("end", "hold", "resume", "abort"):
        answer = plant.post(
            plant.operator, "phases/1/moves", {"step": step, "text": "why it is so"}, expected=409
        )
        assert answer["type"].endswith("/phase-state")

    kept = Refusal.objects.filter(code="phase-state")
    assert [one.actor for one in kept] == [plant.operator.username] * 4
    assert Batch.objects.get(pk=plant.batch.pk).phases.get(order=1).state == "waiting"


@pytest.mark.django_db
def test_a_list_that_is_filtered_by_a_text_where_a_number_is_wanted_is_refused() -> None:
    plant = People()
    client = plant.clients[plant.operator.pk]

    answer = client.get(f"/api/v1/batches/{plant.batch.number}/charges?material__line=two")

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"] == "/material__line"
