"""Every page of the admin answers every role, empty and with records, under the strict policy."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from compliance.access.duties import Role
from compliance.inspection import inspections
from compliance.inspection.models import Profile
from compliance.reports import requests
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
