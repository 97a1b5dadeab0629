"""Bind an act to the version of the record that its sender saw: ETag, If-Match, If-None-Match.

The version of a record is the SHA-256 of the bytes that a GET of it answers to this caller. The
record of a write is the one that the write replaces (PUT), else the nearest one above it in the
path; see `routes`. Writers of one record through the API take turns, from the comparison to the
commit, so that of two who saw the same version one gets 412.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request, clone_request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api_contract import turns
from compliance.refusals import Refused, Unavailable

PREFIX = "/api/v1/"
PART = re.compile(r"<(?:\w+:)?(\w+)>")  # of a route
_STRONG = re.compile(r'"[0-9a-f]{64}"')


class AboutVersion(Refused):
    """A refusal that names the record whose version is meant."""

    def __init__(self, message: str, *, record: str) -> None:
        super().__init__(message)
        self.members = {"record": record}


class VersionNotNamed(AboutVersion):
    """An act on a record says with If-Match which version of it was seen."""

    code = "precondition-required"
    status = 428


class VersionNotCurrent(AboutVersion):
    """The record is not any more what it was when it was read."""

    code = "version-not-current"
    status = 412


class RecordBusy(Unavailable):
    """Others act on this record at this moment."""

    code = "record-busy"


@dataclass(frozen=True)
class Record:
    """How the record of a write is read: the view of its GET, and the parts of its path."""

    view: type[APIView]
    options: Mapping[str, Any]
    route: str
    names: tuple[str, ...]

    def address(self, parts: Mapping[str, Any]) -> str:
        """Return where it is read, given the parts of the write's own path."""
        return PREFIX + PART.sub(lambda found: quote(str(parts[found[1]]), safe=""), self.route)


def tagged(request: Request, answer: HttpResponseBase) -> HttpResponseBase:
    """Give the answer to a GET its version; 304 when the caller has it already."""
    if answer.status_code != 200 or answer.streaming:
        return answer
    tag = answer.headers.get("ETag") or of(answer)
    if isinstance(answer, Response):  # its bytes are made: no second rendering
        made = HttpResponse(_bytes(answer), content_type="application/json")
        for name, value in answer.headers.items():
            if name != "Content-Type":  # an answer not rendered yet has Django's default
                made.headers[name] = value
        answer = made
    if _is_known(request.headers.get("If-None-Match", ""), tag):
        answer = HttpResponse(status=304)
    answer.headers["ETag"] = tag
    answer.headers.setdefault("Cache-Control", "private, no-cache")
    return answer


def demand(request: Request, record: Record, *, is_needed: bool, parts: Mapping[str, Any]) -> None:
    """Pass when the caller names the current version, in the transaction of the act.

    Raise `VersionNotNamed`, `VersionNotCurrent` or `RecordBusy`.
    """
    given = request.headers.get("If-Match", "")
    path = record.address(parts)
    if not given and not is_needed:
        return
    tags = {tag for tag in parse_etags(given) if _STRONG.fullmatch(tag)}
    if not tags:
        _read(request, record, parts)  # 404 when there is nothing to have a version
        # “*” names no version, and a weak tag names none exactly (RFC 9110 13.1.1).
        raise VersionNotNamed(
            f"read {path} and send its ETag as If-Match with this act", record=path
        )
    if not turns.wait(f"record\n{path}"):
        raise RecordBusy(f"others act on {path} now; send the same request again")
    if of(_read(request, record, parts)) not in tags:
        raise VersionNotCurrent(
            f"{path} has changed since you read it: read it again, and decide again", record=path
        )


def of(answer: HttpResponseBase) -> str:
    """Return the strong tag of an answer."""
    return f'"{hashlib.sha256(_bytes(answer)).hexdigest()}"'


def _read(request: Request, record: Record, parts: Mapping[str, Any]) -> HttpResponseBase:
    """Answer the GET of the record to the same caller: whoever may not read it has no version of it."""
    view = record.view(**record.options)
    view.request = clone_request(request, "GET")
    view.args, view.kwargs = (), {name: parts[name] for name in record.names}
    view.format_kwarg = None
    view.headers = {}
    view.check_permissions(view.request)
    get = view.get  # type: ignore[attr-defined]
    return cast(HttpResponseBase, get(view.request, **view.kwargs))


def _bytes(answer: HttpResponseBase) -> bytes:
    if isinstance(answer, Response):
        return bytes(JSONRenderer().render(answer.data))
    return cast(HttpResponse, answer).content


def _is_known(given: str, tag: str) -> bool:
    known = {one.removeprefix("W/") for one in parse_etags(given)}
    return bool(known & {tag, "*"})
