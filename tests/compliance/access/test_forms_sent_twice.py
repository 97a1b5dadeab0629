"""A form of the admin acts once, and not on what was changed since it was opened."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.access.models import FormUse, User
from compliance.quality.models import Deviation, RootCause
from tests import factories

pytestmark = pytest.mark.django_db
OPEN = "/admin/quality/deviation/acts/open/"


def signed_in(*roles: Role) -> tuple[Client, User]:
    client, person = Client(), factories.person(*roles, at=timezone.now())
    client.force_login(person)
    return client, person


def shown(client: Client, address: str) -> dict[str, Any]:
    """Return what the form of a page begins with, as a browser would send it."""
    answer = client.get(address)
    assert answer.status_code == 200
    form = answer.context["form"]
    values = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    values["form_token"] = token_of(answer)
    return {name: value for name, value in values.items() if value is not None}


def token_of(answer: Any) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def opening(client: Client) -> dict[str, Any]:
    return {
        **shown(client, OPEN), "title": "Glucose below its limit", "severity": "minor",
        "description": "Seen in the trend on day six of the batch.", "category": "process",
        "concerns": "glucose_mmol_l", "occurred_at_0": "2026-03-01", "occurred_at_1": "08:00",
        "occurred_at": "2026-03-01T08:00:00Z",
    }  # fmt: skip


def test_a_form_that_is_sent_twice_acts_once() -> None:
    client, _ = signed_in(Role.PROCESS_ENGINEER)
    form = opening(client)

    first = client.post(OPEN, form)
    second = client.post(OPEN, form, follow=True)

    assert first.status_code == 302, first.content
    assert Deviation.objects.count() == 1
    assert "form was sent twice; once is enough" in second.content.decode()

    client.post(OPEN, opening(client))  # opened anew, it is another one
    assert Deviation.objects.count() == 2


def test_a_form_that_was_refused_is_sent_again_with_what_it_was_shown_with() -> None:
    client, _ = signed_in(Role.PROCESS_ENGINEER)
    form = opening(client)

    refused = client.post(OPEN, {**form, "title": ""})
    assert refused.status_code == 422
    again = client.post(OPEN, {**form, "form_token": token_of(refused)})

    assert again.status_code == 302
    assert Deviation.objects.count() == 1


def test_what_somebody_changed_meanwhile_is_not_replaced_unseen() -> None:
    engineer, _ = signed_in(Role.PROCESS_ENGINEER)
    quality, _ = signed_in(Role.QUALITY_ASSURANCE, Role.PROCESS_ENGINEER)
    deviation = factories.deviation()
    address = f"/admin/quality/deviation/{deviation.pk}/acts/investigate/"
    why = {"reason": "what the evidence of the case says"}
    mine, theirs = shown(engineer, address), shown(quality, address)
    name, words = "root_cause", "the head of the pump was worn, as its log shows"
    filled = {field: value or words for field, value in mine.items()}
    filled["root_cause_category"] = RootCause.values[-1]

    assert engineer.post(address, {**filled, **why}).status_code == 302
    stale = {**filled, **why, name: "nothing of the kind", "form_token": theirs["form_token"]}
    refused = quality.post(address, stale)

    assert refused.status_code == 409
    said = refused.content.decode()
    assert "Somebody changed this since you opened the form" in said
    assert "nothing of the kind" in said  # what was typed is not lost
    deviation.refresh_from_db()
    assert getattr(deviation, name) == words
    again = quality.post(address, {**stale, "form_token": token_of(refused)})
    assert again.status_code == 302
    deviation.refresh_from_db()
    assert getattr(deviation, name) == "nothing of the kind"


def test_a_token_of_somebodys_own_making_is_none() -> None:
    client, _ = signed_in(Role.PROCESS_ENGINEER)
    form = {**opening(client), "form_token": "made-by-hand"}

    assert client.post(OPEN, form).status_code == 302
    assert FormUse.objects.count() == 0


def test_forms_that_were_sent_are_forgotten_after_two_days() -> None:
    client, _ = signed_in(Role.PROCESS_ENGINEER)
    client.post(OPEN, opening(client))
    FormUse.objects.update(used_at=timezone.now() - timedelta(days=3))

    client.post(OPEN, opening(client))

    assert FormUse.objects.count() == 1
