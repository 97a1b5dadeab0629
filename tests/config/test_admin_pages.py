"""Every page of the admin answers every role, empty and with records, under the strict policy."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from compliance.access import acts, record_admin
from compliance.access.duties import Role
from compliance.access.models import AccessEvent
from compliance.inspection import inspections
from compliance.inspection.models import Profile
from compliance.reports import requests
from config import schedule
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
POLICY = "script-src 'self'"


def _pages() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]


@pytest.mark.parametrize("role", list(Role))
def test_every_list_and_the_front_page_answer_every_role(client: Client, role: Role) -> None:
    client.force_login(factories.person(role))

    answers = {page: client.get(page) for page in ["/admin/", *_pages()]}

    assert {page: one.status_code for page, one in answers.items() if one.status_code != 200} == {}
    for one in answers.values():
        policy = one["Content-Security-Policy"]
        assert POLICY in policy
        assert "unsafe" not in policy


def test_every_record_has_a_page_for_an_auditor(client: Client) -> None:
    batch = factories.completed_batch()
    factories.closed_deviation(batch)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    inspections.request(profile=Profile.FDA, scope=[batch.number], actor=quality, at=NOON)
    requests.request(kind="batch-record", subject=batch.number, actor=quality, at=NOON)
    client.force_login(factories.person(Role.AUDITOR))

    answers = {}
    for model in admin.site._registry:
        record = model._default_manager.order_by("pk").first()
        if record is not None:
            meta = model._meta
            name = f"admin:{meta.app_label}_{meta.model_name}_change"
            answers[meta.label] = client.get(reverse(name, args=[record.pk])).status_code

    assert {label: status for label, status in answers.items() if status != 200} == {}
    expected = {"execution.Batch", "quality.Deviation", "inspection.Inspection", "trail.Entry"}
    assert expected <= set(answers)


def test_the_rooms_are_shown_to_those_who_have_a_role_whoever_asked_before(client: Client) -> None:
    batches = reverse("admin:execution_batch_changelist")
    shown = {}
    for turn in (1, 2):
        for name, roles in (("auditor", [Role.AUDITOR]), ("nobody", []), ("stranger", None)):
            client.logout()
            if roles is not None:
                client.force_login(factories.person(*roles))
            answer = client.get("/admin/", follow=True)
            shown[name, turn] = f'href="{batches}"' in answer.content.decode()

    assert {key for key, is_shown in shown.items() if is_shown} == {("auditor", 1), ("auditor", 2)}


def test_every_form_that_a_list_offers_opens_for_whoever_has_the_duty(client: Client) -> None:
    answers = {}
    for role in Role:
        person = factories.person(role)
        client.force_login(person)
        for model in admin.site._registry:
            meta = model._meta
            listed = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            for act in acts.of(model, is_for_list=True):
                if act.duty in person.duties:
                    address = f"{listed}acts/{act.name}/"
                    answers[address, role] = client.get(address).status_code

    assert {asked: status for asked, status in answers.items() if status != 200} == {}
    assert len({address for address, _ in answers}) > 20


def test_a_job_is_scheduled_on_the_page(client: Client) -> None:
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))

    answer = client.post(
        "/admin/django_celery_beat/periodictask/acts/create/",
        {
            "name": "A drill of the reminders", "task": schedule.known_tasks()[0],
            "every_seconds": "3600", "reason": "to see that it runs",
        },
    )  # fmt: skip

    assert answer.status_code == 302, answer.content.decode()
    assert PeriodicTask.objects.get(name="A drill of the reminders").interval.every == 3600


@pytest.mark.parametrize(
    "query",
    [
        "p=abc",
        "p=99999",
        "p=0",
        "nonsense=1",
        "pk__year=1",
        "p=99999999999999999999999",
        "o=abc",
        "o=1.99",
        "o=--1",
    ],
)
def test_a_list_asked_for_what_it_has_not_says_so(client: Client, query: str) -> None:
    client.force_login(factories.person(Role.AUDITOR))
    timelines = reverse("admin:trail_entry_changelist")  # it has a form of its own

    answers = {page: client.get(f"{page}?{query}") for page in _pages() if page != timelines}

    assert {page: one.status_code for page, one in answers.items() if one.status_code != 400} == {}
    for page, one in answers.items():
        assert query in one.content.decode()
        assert f'href="{page}"' in one.content.decode()


@pytest.mark.parametrize("year", ["2026-13-45", "99999999999999999999999", "0"])
def test_a_day_that_there_is_not_is_said_to_be_none(client: Client, year: str) -> None:
    client.force_login(factories.person(Role.AUDITOR))

    answer = client.get(f"/admin/access/signin/?attempted_at__year={year}")

    assert answer.status_code == 400
    assert f"attempted_at__year={year}" in answer.content.decode()


@pytest.mark.parametrize("query", ["q=%00", "%00=1", "state__exact=%00", "start=%00", "p=%00"])
def test_a_nul_in_the_query_of_any_page_is_refused_in_words(
    client: Client, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    client.force_login(factories.person(Role.AUDITOR))
    pages = ["/admin/", "/admin/queues/", "/admin/trail/entry/evidence/", *_pages()]

    answers = {page: client.get(f"{page}?{query}") for page in pages}

    assert {page: one.status_code for page, one in answers.items() if one.status_code != 400} == {}
    assert all("has a NUL" in one.content.decode() for one in answers.values())
    assert [one for one in caplog.records if one.exc_info] == []


@pytest.mark.parametrize(
    "path", ["execution/batch/%00/change/", "trail/entry/people/%00/", "quality/deviation/%00/"]
)
def test_a_nul_in_the_address_of_a_page_is_refused_in_words(client: Client, path: str) -> None:
    client.force_login(factories.person(Role.AUDITOR))

    answer = client.get(f"/admin/{path}")

    assert answer.status_code == 400
    assert "has a NUL" in answer.content.decode()
    assert answer["Content-Security-Policy"]


def test_a_line_of_the_access_log_has_no_link_to_a_history_that_it_has_not(client: Client) -> None:
    client.force_login(factories.person(Role.AUDITOR))
    line = AccessEvent.objects.filter(kind="person-created").latest("at")

    page = client.get(record_admin.url(line))

    assert page.status_code == 200
    assert "/trail/entry/records/access_5Flog/" not in page.content.decode()


def test_a_list_shows_the_state_of_a_record_with_its_tone(client: Client) -> None:
    factories.batch()
    client.force_login(factories.person(Role.AUDITOR))

    listed = client.get("/admin/execution/batch/").content.decode()

    cell = listed.split('<td class="field-state">')[1].split("</td>")[0]
    assert cell == '<span class="badge badge-quiet">Issued</span>'


@pytest.mark.requirement("P11-d1")
def test_a_stranger_gets_nothing_but_the_sign_in_page(client: Client) -> None:
    answers = [client.get(page) for page in ["/admin/", *_pages()]]

    assert all(one.status_code == 302 for one in answers)
    assert all(one["Location"].startswith("/admin/login/") for one in answers)
    assert client.get("/api/schema/").status_code in {401, 403}
    assert client.get("/api/v1/batches").status_code in {401, 403}


@pytest.mark.requirement("P11-e3", "P11-g1")
def test_an_auditor_cannot_act(client: Client) -> None:
    client.force_login(factories.person(Role.AUDITOR))

    answer = client.post("/admin/quality/deviation/acts/open/", {"title": "x"})

    assert answer.status_code == 403
