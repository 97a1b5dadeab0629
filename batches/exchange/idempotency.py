"""Make a write safe to repeat: the same Idempotency-Key gets the same answer, and acts once."""

import hashlib
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import parsing, receipts
from batches.exchange.models import Receipt
from batches.exchange.receipts import Posted
from compliance.access import callers
from compliance.access.models import Device
from compliance.refusals import Refused

HEADER = "Idempotency-Key"
PARAMETER = OpenApiParameter(
    HEADER,
    location=OpenApiParameter.HEADER,
    required=True,
    description="Names this write; sent again, it gets the same answer. Optional for people.",
)
_KEY = re.compile(r"[\x21-\x7e]{1,120}")


class KeyMissing(Refused):
    code = "idempotency-key-missing"
    status = 400


def once(post: Callable[..., Response]) -> Callable[..., HttpResponseBase]:
    """Wrap the POST of a view: its answer is kept with its change, and given again to a repeat."""

    @wraps(post)
    def answer(view: APIView, request: Request, **where: Any) -> HttpResponseBase:
        posted = _posted(request)
        if posted is None:
            return post(view, request, **where)
        if kept := receipts.find(posted):
            return _again(kept)
        with transaction.atomic():
            receipts.claim(posted)
            if kept := receipts.find(posted):
                return _again(kept)
            made = post(view, request, **where)
            text = JSONRenderer().render(made.data).decode()
            receipt = receipts.keep(posted, status=made.status_code, answer=text, at=timezone.now())
        return _response(receipt)

    return answer


def message_id(request: Request) -> str:
    """Return the name of this message: its key, or a new one for a person who gave none."""
    return request.headers.get(HEADER) or str(uuid.uuid4())


def _posted(request: Request) -> Posted | None:
    key = request.headers.get(HEADER, "")
    caller = callers.principal(request)
    if not key and not isinstance(caller, Device):
        return None
    if not _KEY.fullmatch(key):
        raise KeyMissing(
            "send an Idempotency-Key of 1 to 120 visible ASCII characters with each write, "
            "and the same one when you repeat it"
        )
    most = parsing.MOST_BYTES_NDJSON
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise parsing.TooLarge(f"post at most {most // 1024} KiB at once")
    return Posted(
        sender=caller,
        method=str(request.method),
        path=request.get_full_path()[:300],
        key=key,
        digest=hashlib.sha256(request._request.body).hexdigest(),
    )


def _again(receipt: Receipt) -> HttpResponse:
    response = _response(receipt)
    response["Idempotency-Replayed"] = "true"
    return response


def _response(receipt: Receipt) -> HttpResponse:
    response = HttpResponse(receipt.answer, status=receipt.status, content_type="application/json")
    response["Receipt-Act"] = receipt.act
    return response
