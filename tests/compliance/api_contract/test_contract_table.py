"""The attacks that an integrator would try, one row each: what a stock REST framework lets through."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from batches.exchange.models import Receipt
from batches.execution.models import Batch, BatchEvent
from batches.recipes.models import Product
from compliance.access.duties import Role
from compliance.trail.models import Refusal
from tests import factories

pytestmark = pytest.mark.django_db
API = "/api/v1"
Post = Callable[..., Any]
REVISION = {
    "name": "The same antibody", "strength": "", "dosage_form": "", "shelf_life_months": 24,
    "markets": [], "reason": "shelf life extended by stability data",
}  # fmt: skip
EVENT = {"kind": "observation", "occurred_at": "2026-03-02T12:00:00+01:00", "text": "foam"}


@pytest.fixture
def post() -> Post:
    """Post as a qualified device, exactly the bytes and headers that are given."""
    _, token = factories.device_and_token()

    def send(path: str, body: Any, *, key: str = "k-1", **more: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})
        media_type = more.pop("media_type", "application/json")
        return Client().generic(
            "POST", f"{API}/{path}", content, media_type, headers=headers | more
        )

    return send


@pytest.fixture
def engineer() -> Client:
    client = Client()
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    return client


def revise(client: Client, product: Product, *, key: str = "r-1", **headers: str) -> Any:
    return client.put(
        f"{API}/products/{product.code}", json.dumps(REVISION), content_type="application/json",
        headers={"idempotency-key": key, **headers},
    )  # fmt: skip


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_the_same_post_twice_gets_the_same_answer_and_acts_once(post: Post) -> None:
    recipe = factories.recipe()
    body = {"number": "B-100", "product": recipe.product.code}

    first, second = post("batches", body), post("batches", body)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second["Idempotency-Replayed"] == "true"
    assert second["Receipt-Act"] == first["Receipt-Act"]
    assert Batch.objects.filter(number="B-100").count() == 1


def test_the_same_key_with_another_body_is_refused(post: Post) -> None:
    recipe = factories.recipe()
    post("batches", {"number": "B-100", "product": recipe.product.code})

    answer = post("batches", {"number": "B-101", "product": recipe.product.code})

    assert code(answer) == (422, "idempotency-key-reused")
    assert Batch.objects.filter(number="B-101").count() == 0


def test_the_same_key_of_another_client_or_for_another_path_is_another_write(post: Post) -> None:
    recipe = factories.recipe()
    batch = factories.running_batch()
    post("batches", {"number": "B-100", "product": recipe.product.code})
    _, token = factories.device_and_token()

    elsewhere = post(f"batches/{batch.number}/events", EVENT)
    other = Client().post(
        f"{API}/batches", {"number": "B-102", "product": recipe.product.code},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip

    assert (elsewhere.status_code, other.status_code) == (201, 201)
    assert Receipt.objects.filter(idempotency_key="k-1").count() == 3


@pytest.mark.parametrize("key", ["", "with space", "é", "x" * 121])
def test_a_write_without_a_good_key_is_refused(post: Post, key: str) -> None:
    recipe = factories.recipe()

    answer = post("batches", {"number": "B-100", "product": recipe.product.code}, key=key)

    assert code(answer) == (400, "idempotency-key-missing")
    assert Batch.objects.count() == 0


def test_what_was_refused_is_not_kept_and_may_be_sent_again(post: Post) -> None:
    recipe = factories.recipe()

    refused = post("batches", {"number": "B-100", "product": "NONE"})
    accepted = post("batches", {"number": "B-100", "product": recipe.product.code})

    assert (refused.status_code, accepted.status_code) == (409, 201)


def test_a_read_has_a_strong_etag_which_is_the_digest_of_the_version(engineer: Client) -> None:
    product = factories.product()
    path = f"{API}/products/{product.code}"

    first, same = engineer.get(path), engineer.get(path)
    known = engineer.get(path, headers={"if-none-match": first["ETag"]})
    revise(engineer, product, **{"if-match": first["ETag"]})
    after = engineer.get(path, headers={"if-none-match": first["ETag"]})

    assert first["ETag"] == f'"{hashlib.sha256(first.content).hexdigest()}"' == same["ETag"]
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", first["ETag"])
    assert after.status_code == 200
    assert after["ETag"] != first["ETag"]


def test_a_change_on_a_stale_version_is_refused(engineer: Client) -> None:
    product = factories.product()
    seen = engineer.get(f"{API}/products/{product.code}")["ETag"]
    assert revise(engineer, product, **{"if-match": seen}).status_code == 200

    answer = revise(engineer, product, key="r-2", **{"if-match": seen})

    assert code(answer) == (412, "version-not-current")
    assert answer.json()["record"] == f"{API}/products/{product.code}"


@pytest.mark.parametrize("given", [None, "*", 'W/"abc"', '"abc"', "abc"])
def test_a_change_that_names_no_version_is_refused(engineer: Client, given: str | None) -> None:
    product = factories.product()

    answer = revise(engineer, product, **({"if-match": given} if given else {}))

    assert code(answer) == (428, "precondition-required")
    product.refresh_from_db()
    assert product.name != REVISION["name"]
    assert not Refusal.objects.using("outside").filter(code="precondition-required").exists()


def test_a_repeat_of_a_change_gets_its_answer_though_the_version_has_moved(
    engineer: Client,
) -> None:
    product = factories.product()
    seen = engineer.get(f"{API}/products/{product.code}")["ETag"]
    first = revise(engineer, product, **{"if-match": seen})

    second = revise(engineer, product, **{"if-match": seen})

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second["Idempotency-Replayed"] == "true"


def test_a_signature_is_bound_to_the_version_that_was_seen() -> None:
    deviation = factories.deviation()
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    path = f"{API}/deviations/{deviation.number}"
    seen = client.get(path)["ETag"]
    headers = {"idempotency-key": "n-1"}
    note = {"text": "the probe was checked as well"}
    added = client.post(f"{path}/notes", note, content_type="application/json", headers=headers)
    assert added.status_code == 201, added.content

    answer = client.post(
        f"{path}/signatures", {"password": factories.PASSWORD}, content_type="application/json",
        headers={"idempotency-key": "s-1", "if-match": seen},
    )  # fmt: skip

    assert code(answer) == (412, "version-not-current")
    assert client.get(path).json()["signatures"] == []


@pytest.mark.parametrize(
    "occurred",
    [
        {"occurred_at": "2026-03-02T12:00:00"},
        {"occurred_at": "2026-03-29T02:30:00", "zone": "Europe/Paris"},
        {"occurred_at": "2026-10-25T02:30:00", "zone": "Europe/Paris"},
        {"occurred_at": "2026-03-02T12:00:00+01:00", "sent_at": "2026-03-02T12:00:00"},
        {"occurred_at": "2026-02-30T12:00:00Z"},
        {"occurred_at": 1772452800},
    ],
)
def test_a_time_that_names_no_single_moment_is_refused(post: Post, occurred: Any) -> None:
    batch = factories.running_batch()
    before = BatchEvent.objects.count()

    answer = post(f"batches/{batch.number}/events", {**EVENT, **occurred})

    assert code(answer) == (422, "invalid")
    assert BatchEvent.objects.count() == before


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b'{"number":"B-9","product":"%s","colour":"red"}', 422, "/colour"),
        (b'{"number":"B-9","number":"B-8","product":"%s"}', 422, "/number"),
        (b'{"number":"B\\u0000","product":"%s"}', 422, ""),
        (b'{"number":"\\ud800","product":"%s"}', 422, ""),
        (b'{"number":9007199254740993,"product":"%s"}', 422, ""),
        (b'{"number":NaN,"product":"%s"}', 422, ""),
        (b'{"number":-Infinity,"product":"%s"}', 422, ""),
        (b'{"number":1e400,"product":"%s"}', 422, ""),
        (b'{"number":9,"product":"%s"}', 422, "/number"),
        (b'{"number":' + b"[" * 40 + b"]" * 40 + b',"product":"%s"}', 422, ""),
        (b'{"number":' + b"[" * 100_000 + b"]" * 100_000 + b',"product":"%s"}', 422, ""),
        (b'\xef\xbb\xbf{"number":"B-9","product":"%s"}', 400, None),
        (b'{"number":"B-9","product":"%s"', 400, None),
        (b'{"number":"B-9\xff","product":"%s"}', 400, None),
        (b"[]", 422, ""),
        (b"", 422, "/number"),
    ],
)
def test_a_body_that_could_be_read_in_two_ways_is_refused_and_nothing_is_stored(
    post: Post, body: bytes, status: int, pointer: str | None
) -> None:
    product = factories.recipe().product.code.encode()

    answer = post("batches", body.replace(b"%s", product))

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (Batch.objects.count(), Receipt.objects.count()) == (0, 0)


def test_a_body_that_is_too_large_or_in_another_charset_is_refused(post: Post) -> None:
    large = post("batches", b'{"number":"' + b"x" * 1024 * 1024 + b'"}')
    other = post("batches", b"{}", media_type="application/json; charset=latin-1")
    form = post("batches", b"number=B-9", media_type="application/x-www-form-urlencoded")

    assert code(large) == (413, "too-large")
    assert code(other) == code(form) == (415, "unsupported-media-type")


def test_nothing_is_deleted(engineer: Client) -> None:
    product = factories.product()

    answer = engineer.delete(f"{API}/products/{product.code}")

    assert code(answer) == (405, "method-not-allowed")
    assert answer["Allow"] == "GET, PUT, HEAD, OPTIONS"
    assert Product.objects.filter(pk=product.pk).exists()


def test_a_client_that_asks_too_often_is_told_how_long_to_wait(post: Post, settings: Any) -> None:
    settings.API_RATES = {**settings.API_RATES, "device": 3}
    bodies = [
        post("batches", {"number": f"B-{n}", "product": "NONE"}, key=f"k-{n}") for n in range(4)
    ]

    assert [one.status_code for one in bodies] == [409, 409, 409, 429]
    assert bodies[0]["RateLimit-Policy"] == '"device";q=3;w=60'
    assert [one["RateLimit"].split(";")[1] for one in bodies] == ["r=2", "r=1", "r=0", "r=0"]
    assert code(bodies[3]) == (429, "throttled")
    assert 1 <= int(bodies[3]["Retry-After"]) <= 60


def test_wrong_tokens_are_counted_by_where_they_come_from(settings: Any) -> None:
    settings.API_RATES = {**settings.API_RATES, "nobody": 2}
    asked = [
        Client().get(f"{API}/batches", headers={"authorization": f"Bearer {n}"}) for n in range(3)
    ]

    assert [one.status_code for one in asked] == [401, 401, 429]


def test_a_refusal_is_a_problem_that_leads_to_its_meaning(post: Post) -> None:
    answer = post("batches", {"number": "B-9", "product": 7}, **{"x-correlation-id": "mes-7.1"})
    body = answer.json()

    page = Client().get(body["type"])

    assert body == {
        "type": "/problems/invalid",
        "title": "The request does not say what it must",
        "status": 422,
        "detail": body["detail"],
        "instance": "/api/v1/batches",
        "errors": [{"pointer": "/product", "code": "text", "detail": body["detail"]}],
        "correlation_id": "mes-7.1",
    }
    assert answer["X-Correlation-Id"] == "mes-7.1"
    assert page.status_code == 200
    assert "invalid" in page.content.decode()


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "é"])
def test_a_correlation_id_that_is_not_plain_is_replaced(given: str) -> None:
    answer = Client().get(f"{API}/batches", headers={"x-correlation-id": given})

    assert len(answer["X-Correlation-Id"]) == 36
    assert answer.json()["correlation_id"] == answer["X-Correlation-Id"]


def test_what_django_itself_refuses_below_the_api_is_a_problem_too() -> None:
    client = Client(raise_request_exception=False)

    nowhere = client.get("/api/v1/nowhere")
    host = client.get("/api/v1/batches", headers={"host": "elsewhere.example"})

    assert code(nowhere) == (404, "not-found")
    assert code(host) == (400, "malformed")


def test_a_secret_is_answered_once_and_a_repeat_does_not_act_again() -> None:
    client = Client()
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))
    device = {"name": "mes-1", "kind": "mes", "reason": "the manufacturing execution system"}
    sent = {"content_type": "application/json", "headers": {"idempotency-key": "d-1"}}

    first = client.post(f"{API}/access/devices", device, **sent)
    second = client.post(f"{API}/access/devices", device, **sent)

    assert first.status_code == 201, first.content
    assert code(second) == (409, "answer-not-kept")
    assert Receipt.objects.get(idempotency_key="d-1").answer == ""


def test_a_password_cannot_be_guessed_from_a_receipt() -> None:
    deviation = factories.deviation()
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    body = json.dumps({"text": "the probe was checked as well"})

    answer = client.post(
        f"{API}/deviations/{deviation.number}/notes", body, content_type="application/json",
        headers={"idempotency-key": "n-1"},
    )  # fmt: skip

    assert answer.status_code == 201, answer.content
    kept = Receipt.objects.get(idempotency_key="n-1").request_digest
    assert kept != hashlib.sha256(body.encode()).hexdigest()


def test_a_repeat_is_known_after_the_key_of_the_installation_was_changed(settings: Any) -> None:
    deviation = factories.deviation()
    client = Client()
    person = factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(person)
    sent = {"content_type": "application/json", "headers": {"idempotency-key": "n-1"}}
    path = f"{API}/deviations/{deviation.number}/notes"
    note = {"text": "the probe was checked as well"}
    assert client.post(path, note, **sent).status_code == 201

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-this-installation-of-fifty-characters"
    client.force_login(person)
    again = client.post(path, note, **sent)

    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
