"""A view under the contract: what it may say of itself, and which record its writes are about."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import path
from django.views.generic import View
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api_contract import correlation, routes
from compliance.api_contract.lifetimes import Lifetime
from config import api_urls


class Old(APIView):
    permission_classes = []
    lifetime = Lifetime(
        deprecated_at=datetime(2026, 1, 1, tzinfo=UTC),
        sunset_at=datetime(2026, 12, 31, tzinfo=UTC),
        instead="/api/v2/old",
    )

    def get(self, request: Any) -> Response:
        return Response({})


def bound() -> dict[str, tuple[str, bool]]:
    """Return for each write the route of its record, and whether the version must be named."""
    return {
        f"{method} {pattern.pattern}": (record.route, method in pattern.callback.cls.needs_version)
        for pattern in api_urls.urlpatterns
        for method, record in pattern.callback.cls.bound_to.items()
    }


@pytest.mark.django_db
def test_an_endpoint_on_its_way_out_says_since_when_until_when_and_what_comes_instead() -> None:
    (pattern,) = routes.held([path("old", Old.as_view())])

    answer = pattern.callback(RequestFactory().get("/old"))

    assert answer["Deprecation"] == "@1767225600"
    assert answer["Sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert answer["Link"] == '</api/v2/old>; rel="successor-version"'


def test_a_route_to_something_else_is_refused_at_start() -> None:
    with pytest.raises(routes.NotUnderContract):
        routes.held([path("plain", View.as_view())])


@pytest.mark.parametrize(
    ("write", "record", "is_needed"),
    [
        ("put products/<str:code>", "products/<str:code>", True),
        ("post deviations/<str:number>/signatures", "deviations/<str:number>", True),
        ("post deviations/<str:number>/notes", "deviations/<str:number>", False),
        ("post batches/<str:number>/events", "batches/<str:number>", False),
        ("post batches/<str:number>/disposition", "batches/<str:number>/disposition", True),
        ("post batches/<str:number>/certificates", "batches/<str:number>/disposition", True),
        (
            "post runs/<str:number>/injections/<int:injection>/invalidation",
            "runs/<str:number>",
            True,
        ),
    ],
)
def test_the_record_of_a_write_is_the_nearest_that_can_be_read(
    write: str, record: str, is_needed: bool
) -> None:
    assert bound()[write] == (record, is_needed)


def test_the_id_of_a_request_is_in_its_log_lines() -> None:
    line = logging.LogRecord("product", logging.INFO, "x.py", 1, "said", None, None)
    token = correlation.current.set("mes-7")
    try:
        correlation.InEveryLine().filter(line)
    finally:
        correlation.current.reset(token)

    assert line.correlation == "mes-7"  # type: ignore[attr-defined]


def test_an_address_that_two_rooms_offer_is_refused_at_the_start() -> None:
    with pytest.raises(routes.RouteTaken, match="old"):
        routes.held([path("old", Old.as_view()), path("old", Old.as_view())])


def test_a_view_is_held_to_all_that_it_says_of_itself() -> None:
    class Streamed(Old):
        is_streamed = True
        without_key = "each line has a name"

    (made,) = routes.held([path("lines", Streamed.as_view())])

    assert (made.callback.cls.is_streamed, made.callback.cls.without_key) == (
        True, "each line has a name",
    )  # fmt: skip
