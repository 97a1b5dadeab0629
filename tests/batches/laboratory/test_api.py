"""The laboratory's API: people act with their session, lists filter, search, sort and page."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from batches.laboratory.models import OosInvestigation, Run, SpecificationUse, SpecificationVersion
from batches.laboratory.oos_phases import CHECKLIST
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db
API = "/api/v1"


def _as(client: Client, *roles: Role, of: User | None = None) -> User:
    person = of or factories.person(*roles)
    client.force_login(person)
    return person


def _post(client: Client, path: str, **body: Any) -> Any:
    answer = client.post(f"{API}/{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def _must(client: Client, path: str, **body: Any) -> Any:
    status, answer = _post(client, path, **body)
    assert status == 201, answer
    return answer


def test_a_specification_is_written_and_approved(client: Client) -> None:
    product = factories.product()
    _as(client, Role.QC_SUPERVISOR)
    _must(client, "specifications", code="SP-1", title="Drug", use="release", product=product.code)
    test = {
        "tag": "mab_g_l", "name": "Antibody", "method_code": "HPLC-12", "method_version": "3",
        "unit": "g/L", "low": "2.5", "high": "3.5", "decimals": 2,
    }  # fmt: skip
    plan = {"point": "Harvest", "samples": 2, "amount": "3 x 10 mL"}
    drafted = _must(client, "specifications/SP-1/versions", tests=[test], plan=[plan],
                    reason="first limits of it")  # fmt: skip
    assert drafted["tests"][0]["limits"] == "2.50 to 3.50 g/L"
    status, refused = _post(client, "specifications/SP-1/versions/1/approval", password=PASSWORD)
    assert (status, refused["type"].rsplit("/", 1)[1]) == (403, "not-permitted")

    _as(client, Role.QUALITY_ASSURANCE)
    approved = _must(client, "specifications/SP-1/versions/1/approval", password=PASSWORD)

    assert approved["state"] == "effective"
    read = client.get(f"{API}/specifications/SP-1/versions/1").json()
    assert read["signatures"][0]["meaning"] == "approved"
    assert read["plan"][0]["samples"] == 2


def test_a_run_is_made_reported_and_reviewed(client: Client) -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    analyst = _as(client, Role.QC_ANALYST)
    now = timezone.now().isoformat()
    _must(client, "reagents", code="ACN", lot="1", name="Acetonitrile", kind="reagent",
          expires_on="2099-01-01")  # fmt: skip
    run = _must(client, "runs", instrument="HPLC-01", method_code="HPLC-12", method_version="3",
                planned_injections=4, started_at=now,
                reagents=[{"code": "ACN", "lot": "1"}])["number"]  # fmt: skip
    here = f"runs/{run}"
    now = timezone.now().isoformat()
    _must(client, f"{here}/injections", number=1, kind="suitability", injected_at=now)
    _must(client, f"{here}/injections", number=2, kind="sample", injected_at=now,
          batch=batch.number, sample=sample.number)  # fmt: skip
    _must(client, f"{here}/injections", number=4, kind="blank", injected_at=now,
          outcome="aborted", reason="the needle bent in it")  # fmt: skip
    said = {
        "batch": batch.number, "sample": sample.number, "tag": "mab_g_l", "unit": "g/L",
        "reported_at": timezone.now().isoformat(),
        "replicates": [{"value": "3.004", "injection": 2}],
    }  # fmt: skip
    status, refused = _post(client, f"{here}/results", **said)
    assert (status, refused["type"].rsplit("/", 1)[1]) == (409, "suitability-not-passed")
    _must(client, f"{here}/suitability", has_passed=True, text="RSD 0.4 % of at most 1 %")
    found = _must(client, f"{here}/results", **said)
    assert (found["value"], found["judgement"], found["state"]) == ("3.00", "conforms", "entered")
    _must(client, f"{here}/end", ended_at=timezone.now().isoformat())
    _must(client, f"{here}/explanations", orphan="injection 3", text="the sampler skipped a vial")

    _as(client, Role.QC_SUPERVISOR)
    read = client.get(f"{API}/{here}").json()
    assert read["orphans"] == [{"name": "injection 3", "explanation": "the sampler skipped a vial"}]
    assert read["reagents"] == ["ACN 1"]
    _must(client, f"{here}/review", entries_seen=read["trail_entries"], password=PASSWORD)
    _must(client, f"results/{found['id']}/review", password=PASSWORD)

    assert Run.objects.get().reviewer_id is not None
    listed = client.get(f"{API}/results?state=reviewed&batch={batch.number}&sort=-reported_at")
    assert [one["analyst"] for one in listed.json()["results"]] == [analyst.username]


@pytest.mark.requirement("FDA-OOS")
def test_an_investigation_goes_through_both_phases(client: Client) -> None:
    oos = factories.oos_investigation()
    assert oos.result is not None
    supervisor, analyst = factories.person(Role.QC_SUPERVISOR), factories.person(Role.QC_ANALYST)
    here = f"oos/{oos.number}"
    _as(client, of=supervisor)
    _must(client, f"{here}/phase-one", is_preparation_retained=True, interview="Nothing unusual.",
          checklist=[{"item": one, "answer": "yes"} for one in CHECKLIST],
          reason="first look at it")  # fmt: skip
    _must(client, f"{here}/phase-one/closure", password=PASSWORD)
    _must(client, f"{here}/production-review", text="The batch record shows nothing unusual.",
          reason="review of production")  # fmt: skip
    _must(client, f"{here}/retest-plan", kind="retest", count=1, analyst=analyst.username,
          rationale="One retest by another analyst.", reason="plan of the retest")  # fmt: skip
    retest = {"value": "3.00", "sample": oos.result.sample.number}
    _as(client, of=analyst)
    status, refused = _post(client, f"{here}/retests", tested_at=timezone.now().isoformat(),
                            **retest)  # fmt: skip
    assert (status, refused["type"].rsplit("/", 1)[1]) == (409, "retest-not-open")
    _as(client, Role.QUALITY_ASSURANCE)
    _must(client, f"{here}/retest-plan/approval", password=PASSWORD)
    _as(client, of=analyst)
    _must(client, f"{here}/retests", tested_at=timezone.now().isoformat(), **retest)
    _as(client, of=supervisor)
    status, refused = _post(client, f"{here}/conclusion", conclusion="invalidated",
                            text="The retest passed, so it was nothing.", password=PASSWORD)  # fmt: skip
    assert (status, refused["type"].rsplit("/", 1)[1]) == (409, "no-assignable-cause")
    _must(client, f"{here}/conclusion", conclusion="confirmed", password=PASSWORD,
          text="Nothing in the laboratory explains it.")  # fmt: skip
    _as(client, Role.QUALITY_ASSURANCE)
    deviation = factories.deviation(oos.batch)
    _must(client, f"{here}/deviations", deviation=deviation.number, reason="its cause is sought")
    closed = _must(client, f"{here}/closure", reason="agreed with it", password=PASSWORD)

    assert closed["state"] == "closed"
    read = client.get(f"{API}/{here}").json()
    assert [one["value"] for one in read["retests"]] == ["3.00"]
    assert read["deviations"] == [deviation.number]
    assert len(read["signatures"]) == 4


def test_lists_filter_search_and_page(client: Client) -> None:
    factories.oos_investigation()
    second = factories.oos_investigation()
    _as(client, Role.AUDITOR)

    def numbers(query: str) -> list[str]:
        return [one["number"] for one in client.get(f"{API}/oos?{query}").json()["results"]]

    assert numbers(f"batch={second.batch.number}") == [second.number]
    assert numbers("state=closed") == []
    assert numbers(f"search={second.number.lower()}") == [second.number]
    assert len(numbers("sort=due_on&limit=1")) == 1
    assert client.get(f"{API}/oos?sort=secret").status_code == 422
    for path in ("specifications", "specification-versions", "samples", "reagents", "runs",
                 "results", "stability-studies", "stability-pulls", "complaints"):  # fmt: skip
        assert client.get(f"{API}/{path}").status_code == 200, path


def test_a_stability_study_and_a_complaint_over_the_api(client: Client) -> None:
    batch = factories.completed_batch()
    version: SpecificationVersion = factories.specification(
        batch.recipe.product, use=SpecificationUse.STABILITY
    )
    _as(client, Role.QC_SUPERVISOR)
    study = _must(client, "stability-studies", batch=batch.number, version=1,
                  specification=version.specification.code, kind="long-term", condition="5 °C",
                  started_on=NOON.date().isoformat(), months=[0, 3],
                  reason="first batch of the year")["number"]  # fmt: skip
    _as(client, Role.QUALITY_ASSURANCE)
    _must(client, f"stability-studies/{study}/approval", password=PASSWORD)
    analyst = _as(client, Role.QC_ANALYST)
    _must(client, f"stability-studies/{study}/pulls/0", pulled_at="2026-03-03T10:00:00Z")
    found = _must(client, f"stability-studies/{study}/pulls/0/results", tag="mab_g_l",
                  value="3.00", tested_at="2026-03-04T10:00:00Z")  # fmt: skip
    assert (found["judgement"], found["entered_by"]) == ("conforms", analyst.username)
    _as(client, Role.QC_SUPERVISOR)
    _must(client, f"stability-results/{found['id']}/review", password=PASSWORD)
    read = client.get(f"{API}/stability-studies/{study}").json()
    assert [one["state"] for one in read["pulls"]] == ["pulled", "planned"]
    assert [[one[0] for one in trend["points"]] for trend in read["trends"]] == [["0"]]

    _as(client, Role.QUALITY_ASSURANCE)
    complaint = _must(client, "complaints", complainant="A nurse", product_text="Demomab 10 mg",
                      nature="The solution has white threads.", is_serious=False,
                      lot_text=batch.number, received_at="2026-03-05T10:00:00Z")["number"]  # fmt: skip
    _as(client, Role.SUPERVISOR)
    _must(client, f"complaints/{complaint}/batches", batch=batch.number, is_affected=False,
          finding="the retained sample is clear")  # fmt: skip
    _must(client, f"complaints/{complaint}/investigation", needs_investigation=True,
          findings="The retained samples are clear.", follow_up="None is needed.",
          reason="findings of the first week")  # fmt: skip
    _as(client, Role.QUALITY_ASSURANCE)
    closed = _must(client, f"complaints/{complaint}/closure", reason="answered and agreed",
                   password=PASSWORD)  # fmt: skip
    assert closed["state"] == "closed"


def test_the_lims_goes_on_posting(client: Client) -> None:
    batch = factories.specified_batch()
    lims, token = factories.device_and_token()
    sent = {"HTTP_AUTHORIZATION": f"Bearer {token}", "content_type": "application/json"}
    now = timezone.now().isoformat()

    def post(path: str, key: str, **body: Any) -> int:
        return client.post(
            f"{API}/batches/{batch.number}/{path}", body, HTTP_IDEMPOTENCY_KEY=key, **sent
        ).status_code

    assert post("samples", "1", number="S-1", taken_at=now) == 201
    now = timezone.now().isoformat()
    said = {"sample": "S-1", "tag": "mab_g_l", "unit": "g/L", "reported_at": now}
    assert post("results", "2", value="2.10", **said) == 201
    assert OosInvestigation.objects.get().batch == batch
    assert post("results", "3", value="3.00", version=2, reason="a second look", **said) == 409
    assert lims.name


def test_a_sample_that_nobody_has_received_has_no_place_yet() -> None:
    of = factories.running_batch()
    factories.sample(of)
    client = Client()
    client.force_login(factories.person(Role.QC_ANALYST))

    (found,) = client.get(f"{API}/samples").json()["results"]

    assert (found["state"], found["location"]) == ("taken", "")
