"""Every address of the product is closed to strangers, but for a list of a few (21 CFR 11.10(d))."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-d1", "A11-12")]
SAMPLES = {
    "int": "1",
    "str": "x",
    "slug": "x",
    "path": "x",
    "uuid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a stranger reaches, by method: each with its reason.
OPEN = {
    ("GET", "/"): "leads to the sign-in page",
    ("POST", "/"): "leads to the sign-in page",
    ("PUT", "/"): "leads to the sign-in page",
    ("PATCH", "/"): "leads to the sign-in page",
    ("DELETE", "/"): "leads to the sign-in page",
    ("POST", "/api/v1/session"): "signs in; locked after five wrong passwords",
    (
        "POST",
        "/api/v1/oauth/token",
    ): "asks for the secret of a client; locked after five wrong ones",
    ("GET", "/problems/"): "what the codes of refusals mean; it is in the documents too",
    ("GET", "/problems/x"): "the same of one code",
    **{(method, "/health"): "says ready or not, and nothing else" for method in METHODS},
    **{(method, "/health/queues"): "says which queues are stuck by name" for method in METHODS},
    **{(method, "/admin/login/"): "the sign-in page" for method in ("GET", "POST", "PUT")},
    **{(method, "/admin/logout/"): "leads to the sign-in page" for method in METHODS},
}


@pytest.fixture(autouse=True)
def _as_often_as_it_takes(settings: Any) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, 1_000_000)


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Yield one address of every route, its parts filled with samples."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one.pattern, RoutePattern):
            route = re.sub(
                r"<(?:(\w+):)?\w+>",
                lambda found: SAMPLES.get(found[1] or "str", "1"),
                str(one.pattern),
            )
        else:  # two of the admin's own: the page of an app, and what nothing else answers
            route = "access/" if "app_label" in str(one.pattern) else "x/y/z/"
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, before + route)
        elif isinstance(one, URLPattern):
            yield before + route


def is_closed(answer: Any) -> bool:
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
    return answer.status_code in {401, 403, 405} or to_sign_in  # 405: nothing is there


def test_the_walk_finds_the_product() -> None:
    found = set(addresses())

    assert len(found) > 200
    assert {
        "/health", "/api/schema/", "/api/v1/session", "/api/v1/access/people/x",
        "/admin/access/user/x/acts/x/", "/admin/access/user/segregation/", "/log/1/checkpoint",
    } <= found  # fmt: skip


def test_a_stranger_gets_nothing_but_what_the_list_names(client: Client) -> None:
    reached = {
        (method, address)
        for address in sorted(set(addresses()))
        for method in METHODS
        if not is_closed(client.generic(method, address, "{}", "application/json"))
    }

    assert reached == set(OPEN)


def test_a_person_without_a_role_gets_nothing_either(client: Client) -> None:
    client.force_login(factories.person())
    reached = {
        address
        for address in sorted(set(addresses()))
        if address.startswith("/api/")
        and not address.startswith("/api/v1/session")  # who is signed in, and their own factors
        and client.get(address).status_code == 200
    }

    assert reached == {"/api/schema/"}  # what the product can do, not what it did


@pytest.mark.requirement("P11-g1")
def test_no_address_lets_anybody_act_as_somebody_else() -> None:
    forbidden = re.compile(r"hijack|impersonat|sudo|login_?as|switch_?user|become")

    assert [address for address in addresses() if forbidden.search(address)] == []


@pytest.mark.requirement("P11-200b")
def test_no_setting_adds_a_way_in_beside_the_password() -> None:
    from django.conf import settings

    assert "django.contrib.auth.backends.ModelBackend" not in settings.AUTHENTICATION_BACKENDS
    assert not [one for one in settings.MIDDLEWARE if "RemoteUser" in one]
