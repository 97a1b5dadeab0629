"""A qualification goes over the API from dossier to signature, and has its pages."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import PASSWORD
from tests.twins.hub.conftest import labelled, rows_of
from twins.hub import versions
from twins.hub.models import CustodyLook, ModelDossier, ModelVersion, Qualification, SealedTestSet
from twins.models.qualification import contents

pytestmark = pytest.mark.django_db
BATCHES = [labelled(number) for number in range(100, 140)]


def _post(client: Client, who: User, path: str, said: dict[str, Any], *, status: int = 201) -> Any:
    client.force_login(who)
    answer = client.post(f"/api/v1/{path}", said, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def _truth(number: int) -> dict[str, Any]:
    label = labelled(number).label
    onset, harm = ("10.0", "30.0") if label.onset_h is not None else (None, None)
    return {"subgroup": label.subgroup, "onset_h": onset, "harm_h": harm}


def test_a_version_is_qualified_over_the_api(client: Client) -> None:
    version = versions.current("cho-fed-batch", at=timezone.now())
    engineer, trainer = factories.person(Role.PROCESS_ENGINEER), factories.person(Role.QC_ANALYST)
    keeper, quality = factories.person(Role.QC_SUPERVISOR), factories.person(Role.QUALITY_ASSURANCE)
    signed = {"reason": "as it is planned", "password": PASSWORD}

    shown = _post(client, engineer, f"model-versions/{version.pk}/dossier", {
        "subgroups": ["all"], "limits": "It sees temperature only.", "password": PASSWORD,
        "training": "One batch of the campaign of spring.", "trainers": [trainer.username],
        "batches": [{"name": "T-1", "rows": rows_of(1)}],
    })  # fmt: skip
    assert shown["dossier"]["batches"][0]["content_digest"] == contents.digest(rows_of(1))
    test_set = _post(client, keeper, "test-sets", {
        "name": "autumn", "provenance": "All batches of the campaign of autumn.",
        "label_provenance": "Two investigators on their own.", "is_generated": False,
        "exclusions": [], "password": PASSWORD,
        "batches": [
            {"name": f"B-{number}", "rows": rows_of(number), "truth": _truth(number)}
            for number in range(100, 140)
        ],
    })  # fmt: skip
    drafted = _post(client, engineer, "model-qualifications", {
        "version": version.pk, "test_set": test_set["number"],
        "criteria": [{"metric": "skill", "comparison": "above", "threshold": "0"}],
        "replaces": "A limit on the temperature, which finds half.",
    })  # fmt: skip
    path = f"model-qualifications/{drafted['number']}"
    digests = [(number, contents.digest(rows_of(number))) for number in range(100, 140)]
    test = {
        "why": "the test of the protocol", "password": PASSWORD,
        "labels": [{"batch": digest, **_truth(number)} for number, digest in digests],
        "answers": [
            {"batch": digest, "first_alarm_h": "12.0" if _truth(number)["onset_h"] else None}
            for number, digest in digests
        ],
    }  # fmt: skip
    early = _post(client, keeper, f"{path}/run", test, status=409)
    assert early["type"].endswith("/criteria-not-signed")
    _post(client, quality, f"{path}/approval", signed)
    run = _post(client, keeper, f"{path}/run", test)
    assert (run["outcome"], run["look"], run["is_second_look"]) == ("passed", 1, False)
    qualified = _post(client, quality, f"model-versions/{version.pk}/qualification", signed)

    assert qualified["state"] == "qualified"
    (listed,) = client.get("/api/v1/test-sets").json()["results"]
    assert [one["looked_by"] for one in listed["looks"]] == [keeper.username]
    (protocol,) = client.get("/api/v1/model-qualifications").json()["results"]
    assert protocol["run"]["outcome"] == "passed"
    assert client.get("/api/v1/drift-checks").json()["results"] == []
    (one,) = client.get("/api/v1/model-versions").json()["results"]
    assert one["dossier"]["trainers"] == [trainer.username]
    for model, text in (
        (ModelVersion, "temperature only"), (Qualification, "Skill (Peirce)"),
        (SealedTestSet, "the test of the protocol"),
    ):  # fmt: skip
        record = model.objects.get()
        name = model._meta.model_name
        page = client.get(f"/admin/hub/{name}/{record.pk}/change/", follow=True)
        assert page.status_code == 200
        assert text in page.content.decode()
    _post(client, quality, f"model-versions/{version.pk}/retirement", signed)
    assert CustodyLook.objects.count() == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "ten", True])
def test_what_is_no_number_is_refused(client: Client, number: object) -> None:
    test_set = {
        "name": "x", "provenance": "x", "label_provenance": "x", "is_generated": False,
        "exclusions": [], "password": PASSWORD,
        "batches": [{"name": "B", "rows": rows_of(1), "truth": {"subgroup": "a", "onset_h": number}}],
    }  # fmt: skip

    _post(client, factories.person(Role.QC_SUPERVISOR), "test-sets", test_set, status=422)


def test_a_trainer_who_is_nobody_is_refused(client: Client) -> None:
    version = versions.current("cho-fed-batch", at=timezone.now())
    said = {
        "subgroups": ["all"], "limits": "It sees temperature only.", "password": PASSWORD,
        "training": "One batch of the campaign of spring.", "trainers": ["nobody-at-all"],
        "batches": [{"name": "T-1", "rows": rows_of(1)}],
    }  # fmt: skip
    engineer = factories.person(Role.PROCESS_ENGINEER)

    refused = _post(client, engineer, f"model-versions/{version.pk}/dossier", said, status=422)

    assert refused["type"].endswith("/model-dossier-incomplete")


def _lined(*lines: Any) -> SimpleUploadedFile:
    said = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return SimpleUploadedFile("training.ndjson", said.encode())


def test_an_author_prepares_the_dossier_on_the_page_of_the_version(client: Client) -> None:
    version = versions.current("cho-fed-batch", at=timezone.now())
    engineer, trainer = factories.person(Role.PROCESS_ENGINEER), factories.person(Role.QC_ANALYST)
    client.force_login(engineer)
    page = f"/admin/hub/modelversion/{version.pk}/change/"
    form = page.replace("change/", "acts/prepare-dossier/")
    said = {
        "subgroups": "site A\nsite B", "limits": "It sees temperature only.", "password": PASSWORD,
        "training": "One batch of the campaign of spring.", "trainers": trainer.username,
    }  # fmt: skip
    rows = [{"batch": "T-1", "row": row} for row in rows_of(1)]
    assert form in client.get(page).content.decode()

    for given, problem in (
        ({}, "Give the rows of its training batches"),
        ({"batches": _lined(*rows), "is_untrained": "on"}, "Give the rows of its training batches"),
        ({"batches": _lined(*rows, "{")}, f"training.ndjson: line {len(rows) + 1}: not JSON"),
        ({"batches": _lined({"batch": 7, "row": {}})}, "line 1 is not a batch and its row"),
        ({"batches": _lined({"batch": "T-1", "row": {}})}, "a row has nothing but the name"),
        ({"batches": _lined(*rows), "trainers": "nobody.known"}, "nobody is called nobody.known"),
    ):
        refused = client.post(form, {**said, **given})
        assert refused.status_code == 422, given
        assert problem in refused.content.decode()
    prepared = client.post(form, {**said, "batches": _lined(*rows)}, follow=True)

    text = prepared.content.decode()
    assert "is signed; it names 1 batches." in text
    assert form not in text
    dossier = ModelDossier.objects.get(version=version)
    assert dossier.subgroups == ["site A", "site B"]
    assert [one.person for one in dossier.trainers.all()] == [trainer]
    batch = dossier.batches.get()
    assert (batch.label, batch.content_digest) == ("T-1", contents.digest(rows_of(1)))
