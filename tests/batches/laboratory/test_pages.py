"""The laboratory's pages show its records, and their acts make the same domain calls."""

import pytest
from django.test import Client
from django.urls import reverse

from batches.execution.models import EventKind
from batches.laboratory import orphans, results, runs
from batches.laboratory.models import (
    Complaint,
    InjectionKind,
    OosInvestigation,
    OosState,
    Result,
    ResultState,
    RunState,
    SpecificationVersion,
    StabilityStudy,
)
from batches.laboratory.oos_phases import CHECKLIST
from batches.laboratory.results import Measured
from compliance.access import record_admin
from compliance.access.duties import Role
from tests import factories
from tests.batches.laboratory import attempts
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db


def _act(client: Client, record: object, act: str, **said: object) -> None:
    page = record_admin.url(record).removesuffix("change/")  # type: ignore[arg-type]
    form = client.get(f"{page}acts/{act}/")
    assert form.status_code == 200
    answer = client.post(f"{page}acts/{act}/", said)
    assert answer.status_code == 302, answer.content.decode()


def test_every_kind_of_record_has_its_page_and_charts(client: Client) -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    run = factories.suitable_run(factories.run())
    injection = factories.injection(run, 2, InjectionKind.SAMPLE, sample=sample)
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=run.analyst,
        at=NOON, run=run, replicates=[Measured("3.00", injection)],
    )  # fmt: skip
    oos = factories.oos_investigation(about=factories.specified_batch())
    study: StabilityStudy = attempts.STUDY.make("running", attempts.StudyStep.COMPLETE)
    pull = study.pulls.get()
    attempts.PULL.attempts[attempts.PullStep.REPORT](pull, factories.person(Role.QC_ANALYST))
    complaint: Complaint = attempts.COMPLAINT.make("investigated", None)
    version = SpecificationVersion.objects.get(tests=found.test)
    client.force_login(factories.person(Role.AUDITOR))

    records = [batch, sample, run, injection, found, oos, study, pull, complaint, version,
               version.specification, pull.results.get()]  # fmt: skip
    for record in records:
        assert client.get(record_admin.url(record)).status_code == 200, record
    chart = record_admin.picture_url(version, "results", str(found.test_id))
    assert b"<svg" in client.get(chart).content
    trend = record_admin.picture_url(study, "trend", str(pull.results.get().test_id))
    assert b"<svg" in client.get(trend).content
    said = client.get(record_admin.url(oos)).content.decode()
    assert "out of limits" not in said
    assert "the result stands and blocks the release" in said


@pytest.mark.parametrize("query", ["stands=entered", "trend=out", "judgement__exact=oos", "q=S-"])
def test_results_are_filtered_and_searched(client: Client, query: str) -> None:
    factories.result(factories.sample(factories.specified_batch()), value="2.55")
    client.force_login(factories.person(Role.QC_ANALYST))

    answer = client.get(f"{reverse('admin:laboratory_result_changelist')}?{query}")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("is_specified", "value", "is_marked"),
    [(True, "2.40", True), (True, "3.00", False), (False, "2.40", True), (False, "3.00", False)],
)
def test_a_list_marks_the_results_outside_their_limits(
    client: Client, is_specified: bool, value: str, is_marked: bool
) -> None:
    batch = factories.specified_batch() if is_specified else factories.running_batch()
    factories.result(factories.sample(batch), value=value)
    client.force_login(factories.person(Role.QC_ANALYST))

    listed = client.get(reverse("admin:laboratory_result_changelist")).content.decode()

    assert f"{value} g/L" in listed
    assert ("out of limits" in listed) is is_marked


@pytest.mark.parametrize(("value", "is_marked"), [("39.0", True), ("36.8", False)])
def test_a_list_marks_the_measurements_outside_their_limits(
    client: Client, value: str, is_marked: bool
) -> None:
    said = {"tag": "temperature_c", "value": value, "unit": "Cel"}
    factories.happened(factories.running_batch(), EventKind.MEASUREMENT, **said)
    client.force_login(factories.person(Role.AUDITOR))

    listed = client.get(reverse("admin:execution_batchevent_changelist")).content.decode()

    assert f"temperature_c {value} Cel" in listed
    assert ("out of limits" in listed) is is_marked


@pytest.mark.parametrize("due", ["open", "overdue"])
def test_investigations_are_filtered_by_when_they_are_due(client: Client, due: str) -> None:
    factories.oos_investigation()
    client.force_login(factories.person(Role.QC_ANALYST))

    answer = client.get(f"{reverse('admin:laboratory_oosinvestigation_changelist')}?due={due}")

    assert b"OOS-2026-0001" in answer.content


def test_an_investigation_goes_through_its_pages(client: Client) -> None:
    oos = factories.oos_investigation()
    client.force_login(factories.person(Role.QC_SUPERVISOR))
    checklist: dict[str, object] = dict.fromkeys(CHECKLIST, "yes")
    _act(client, oos, "phase-one", is_preparation_retained="yes", interview="Nothing unusual.",
         reason="first look at it", **checklist)  # fmt: skip
    _act(client, oos, "close-phase-one", category="preparation", password=PASSWORD,
         text="The sample was diluted 1:20 in the place of 1:10.",
         evidence="The log of the pipette and the retained preparation.")  # fmt: skip
    _act(client, oos, "conclude", conclusion="invalidated", password=PASSWORD,
         text="The dilution explains the value exactly.")  # fmt: skip
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    _act(client, oos, "close", reason="agreed with the cause", password=PASSWORD)

    closed = OosInvestigation.objects.get()

    assert closed.state == OosState.CLOSED
    assert closed.result is not None
    assert results.state_of(closed.result) == ResultState.INVALIDATED
    assert b"Result invalidated" in client.get(record_admin.url(closed)).content


def test_a_refused_act_says_why_on_its_form(client: Client) -> None:
    oos = factories.oos_investigation()
    client.force_login(factories.person(Role.QC_SUPERVISOR))
    page = record_admin.url(oos).removesuffix("change/")

    answer = client.post(f"{page}acts/close-phase-one/", {"password": PASSWORD})

    assert answer.status_code == 422
    assert b"Phase I of OOS-2026-0001 lacks" in answer.content


def test_a_run_and_its_results_are_reviewed_on_their_pages(client: Client) -> None:
    run = factories.run(planned=1)
    factories.injection(run, 1)
    run = runs.complete(run, ended_at=NOON, actor=run.analyst, at=NOON)
    found = factories.result(factories.sample(factories.specified_batch()))
    client.force_login(factories.person(Role.QC_SUPERVISOR))

    _act(client, run, "review", entries_seen=orphans.trail_entries(run), password=PASSWORD)
    _act(client, found, "review", password=PASSWORD)

    run.refresh_from_db()
    assert run.state == RunState.REVIEWED
    assert Result.objects.in_state(ResultState.REVIEWED).get() == found
