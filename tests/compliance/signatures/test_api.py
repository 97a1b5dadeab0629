"""Signatures and the accountability statement over the API, and as pages and printouts show them."""

from typing import Any

import pytest
from django.test import Client

from batches.disposition import report_sections
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.quality import deviations
from compliance.quality.models import Deviation
from compliance.reports import signed_blocks
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature, Statement
from tests import factories
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db


def as_person(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def posted(client: Client, path: str, body: Any) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


@pytest.fixture
def signature(settings: Any) -> Signature:
    settings.SITE_ZONE = "Europe/Zurich"
    signer = factories.person(Role.QUALITY_ASSURANCE)
    return signing.sign(
        factories.deviation(), meaning=Meaning.REVIEWED, confirmed=factories.confirmed(signer)
    )


def changed(signature: Signature) -> None:
    deviations.investigate(
        Deviation.objects.get(pk=signature.record_id), findings=factories.FINDINGS,
        actor=factories.person(Role.PROCESS_ENGINEER), at=NOON, reason="investigated at last",
    )  # fmt: skip


SHOWN_TIME = "2026-03-02 13:00:00 Europe/Zurich (UTC+01:00); 2026-03-02 12:00:00 UTC"


@pytest.mark.requirement("P11-50a", "A11D-13")
def test_the_api_shows_name_role_meaning_and_time_with_its_zone(
    client: Client, signature: Signature
) -> None:
    as_person(client, factories.person(Role.AUDITOR))
    query = {"record": signature.record, "record_id": signature.record_id}

    (shown,) = client.get("/api/v1/signatures", query).json()["results"]

    assert shown["printed_name"] == signature.printed_name
    assert (shown["username"], shown["role"]) == (signature.username, "Quality assurance")
    assert (shown["meaning"], shown["meaning_label"]) == ("reviewed", "Review")
    assert shown["signed_at_local"] == "2026-03-02T13:00:00+01:00"
    assert shown["shown_time"] == SHOWN_TIME
    assert (shown["standing"], shown["is_current"]) == ("intact", True)


@pytest.mark.requirement("P11-70", "A11D-13")
def test_the_api_names_what_changed_since(client: Client, signature: Signature) -> None:
    changed(signature)
    as_person(client, factories.person(Role.AUDITOR))

    shown = client.get(f"/api/v1/signatures/{signature.pk}").json()

    assert (shown["standing"], shown["is_current"]) == ("superseded", False)
    assert "root_cause" in shown["changed"]


def test_the_list_filters_sorts_and_pages(client: Client, signature: Signature) -> None:
    as_person(client, factories.person(Role.AUDITOR))

    by_person = client.get("/api/v1/signatures", {"username": signature.username.upper()}).json()
    one = client.get("/api/v1/signatures", {"limit": 1, "order": "signed_at"}).json()
    wrong = client.get("/api/v1/signatures", {"order": "name"})

    assert {shown["meaning"] for shown in by_person["results"]} == {"acknowledged", "reviewed"}
    assert len(one["results"]) == 1
    assert one["next"]
    assert wrong.status_code == 422


def test_a_list_reads_each_record_once(client: Client, django_assert_max_num_queries: Any) -> None:
    record = factories.deviation()
    for _ in range(5):
        signer = factories.person(Role.QUALITY_ASSURANCE)
        signing.sign(record, meaning=Meaning.REVIEWED, confirmed=factories.confirmed(signer))
    as_person(client, factories.person(Role.AUDITOR))
    client.get("/api/v1/signatures", {"record": "quality_deviation"})  # opens the session

    with django_assert_max_num_queries(20):
        answer = client.get("/api/v1/signatures", {"record": "quality_deviation"})

    assert len(answer.json()["results"]) == 5


@pytest.mark.requirement("P11-50a", "A11D-13")
def test_the_page_shows_name_role_meaning_and_time_with_its_zone(
    client: Client, signature: Signature
) -> None:
    as_person(client, factories.person(Role.AUDITOR))

    for address in (
        f"/admin/quality/deviation/{signature.record_id}/change/",
        f"/admin/signatures/signature/{signature.pk}/change/",
    ):
        page = client.get(address).content.decode()
        for shown in (signature.printed_name, signature.username, "Quality assurance", "Review"):
            assert shown in page
        assert SHOWN_TIME in page
        assert "Valid for the present version" in page


@pytest.mark.requirement("P11-70", "A11D-13")
def test_the_page_of_a_changed_record_says_unsigned_and_keeps_the_signature(
    client: Client, signature: Signature
) -> None:
    changed(signature)
    as_person(client, factories.person(Role.AUDITOR))

    page = client.get(f"/admin/quality/deviation/{signature.record_id}/change/").content.decode()

    assert "Unsigned in its present version" in page
    assert "changed since: conclusion, impact, root cause, root cause category" in page
    assert signature.printed_name in page


@pytest.mark.requirement("P11-50a", "P11-50b")
def test_a_printout_has_the_same_four_things_and_says_when_it_is_superseded(
    signature: Signature,
) -> None:
    record = Deviation.objects.get(pk=signature.record_id)
    (block,) = report_sections.manifested(record)
    changed(signature)
    record.refresh_from_db()
    (stale,) = signed_blocks.of(record)

    assert block.printed_name == signature.printed_name  # type: ignore[union-attr]
    assert block.signed_at.isoformat() == "2026-03-02T13:00:00+01:00"  # type: ignore[union-attr]
    assert block.is_current  # type: ignore[union-attr]
    assert not stale.is_current
    assert "changed since: conclusion" in stale.standing


@pytest.mark.requirement("P11-50b")
def test_a_printout_that_no_valid_signature_covers_is_marked_unsigned(
    signature: Signature,
) -> None:
    record = Deviation.objects.get(pk=signature.record_id)
    assert signed_blocks.watermark(signed_blocks.of(record)) is None

    changed(signature)
    record.refresh_from_db()

    assert signed_blocks.watermark(signed_blocks.of(record)) == "UNSIGNED"
    assert signed_blocks.watermark([]) == "UNSIGNED"


# --- The accountability statement


@pytest.mark.requirement("P11-j1")
def test_the_statement_is_read_and_acknowledged_over_the_api(client: Client) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE, has_acknowledged=False)
    as_person(client, person)

    before = client.get("/api/v1/accountability").json()
    answer = posted(client, "accountability", {"version": 1, "password": PASSWORD})

    assert before["acknowledged_at"] is None
    assert "legally binding" in before["statement"]["text"]
    assert answer.status_code == 201
    assert answer.json()["acknowledged_at"] is not None


@pytest.mark.requirement("P11-j1", "P11-200a")
def test_signing_over_the_api_is_refused_before_with_the_code(client: Client) -> None:
    engineer = factories.person(Role.PROCESS_ENGINEER, has_acknowledged=False)
    deviation = factories.deviation()
    deviations.investigate(
        deviation, findings=factories.FINDINGS, actor=engineer, at=NOON, reason="first findings"
    )
    as_person(client, engineer)

    answer = posted(
        client, f"deviations/{deviation.number}/signatures",
        {"meaning": "investigated", "password": PASSWORD},
    )  # fmt: skip

    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/accountability-not-acknowledged")


def test_a_new_version_is_drafted_and_published_over_the_api(client: Client) -> None:
    author, approver = (factories.person(Role.QUALITY_ASSURANCE) for _ in range(2))
    draft = {"text": "My signature binds me as my handwriting does.", "reason": "made shorter"}
    as_person(client, author)
    drafted = posted(client, "accountability/versions", draft)
    publication = {"reason": "reviewed by quality", "password": PASSWORD}
    own = posted(client, "accountability/versions/2/publication", publication)
    as_person(client, approver)

    published = posted(client, "accountability/versions/2/publication", publication)

    assert (drafted.status_code, own.status_code, published.status_code) == (201, 409, 201)
    assert [one["version"] for one in client.get("/api/v1/accountability/versions").json()] == [
        2,
        1,
    ]
    assert client.get("/api/v1/accountability").json()["acknowledged_at"] is None


@pytest.mark.requirement("P11-j1")
def test_whoever_signs_in_first_is_led_to_the_statement(client: Client) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE, has_acknowledged=False)
    statement = Statement.objects.get()
    given = {"username": person.username, "password": PASSWORD, "next": "/admin/"}
    address = f"/admin/signatures/statement/{statement.pk}/acts/acknowledge/"

    answer = client.post("/admin/login/", given)

    assert answer["Location"] == address
    assert "it binds me" in client.get(address).content.decode()
    signed = client.post(address, {"has_read": "on", "password": PASSWORD})
    assert signed.status_code == 302
    client.post("/admin/logout/")
    assert client.post("/admin/login/", given)["Location"] == "/admin/"
