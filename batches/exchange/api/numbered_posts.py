"""Give a post of readings its number among all that its source sends."""

from collections.abc import Callable
from datetime import datetime

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from batches.exchange import idempotency, sequences, sources, streams
from batches.exchange.api.answered import SegmentOut
from batches.exchange.streams import Sent
from batches.execution.models import ReadingSegment
from compliance import times
from compliance.access import callers
from compliance.api_contract.strict_json import MOST_INTEGER
from compliance.refusals import Refused

SOURCE, SEQUENCE, SENT_AT = "Source", "Source-Sequence", "Sent-At"
PARAMETERS = [
    OpenApiParameter(
        SOURCE, location=OpenApiParameter.HEADER,
        description="The source that these readings are of; with it, the post is one of its records.",
    ),
    OpenApiParameter(
        SEQUENCE, OpenApiTypes.INT64, location=OpenApiParameter.HEADER,
        description="The source's own count of what it sent.",
    ),
    OpenApiParameter(
        SENT_AT, location=OpenApiParameter.HEADER,  # a text: generators know no moments in headers
        description="When it was sent: ISO 8601 with its offset.",
    ),
]  # fmt: skip


class HeaderInvalid(Refused):
    code = "header-invalid"
    status = 400


def answer(
    request: Request, store: Callable[[], ReadingSegment], *, content: bytes, at: datetime
) -> Response:
    """Store readings, as a record of their source when the post names one."""
    code = request.headers.get(SOURCE, "")
    if not code:
        if request.headers.get(SEQUENCE):
            raise HeaderInvalid(f"{SEQUENCE} counts what a {SOURCE} sent: name it")
        return _answered(store(), next_expected=None)
    device = callers.device(request)
    source = sources.of_device(code, device)
    made: list[ReadingSegment] = []

    def record() -> ReadingSegment:
        made.append(store())
        return made[0]

    sent = _sent(request, content, at)
    accepted = streams.accept(
        source, sent=sent, record=record, device=device, received_at=at, at=at,
        observed_in=_observed_in,
    )  # fmt: skip
    number = int(accepted.record.subject.split(" ")[1])
    segment = made[0] if made else ReadingSegment.objects.get(pk=number)
    return _answered(segment, next_expected=sequences.standing(source).next_expected)


def _answered(segment: ReadingSegment, *, next_expected: int | None) -> Response:
    return Response({**SegmentOut(segment).data, "next_expected": next_expected}, status=201)


def _observed_in(segment: ReadingSegment) -> datetime:
    """Readings are as old as the newest of them."""
    return segment.last_at


def _sent(request: Request, content: bytes, at: datetime) -> Sent:
    number = request.headers.get(SEQUENCE, "")
    if number and not (
        number.isascii() and number.isdigit() and len(number) <= 16
        and 1 <= int(number) <= MOST_INTEGER
    ):  # fmt: skip
        raise HeaderInvalid(f"{SEQUENCE} is a whole number from 1 on, not “{number[:20]}”")
    said = request.headers.get(SENT_AT, "")
    try:
        sent_at = times.parse(said) if said else None
    except times.NotAMoment as error:
        raise HeaderInvalid(f"{SENT_AT}: {error}") from error
    return Sent(
        record_id=idempotency.message_id(request),
        kind="readings",
        content=content,
        observed_at=at,
        observed_text="",
        sequence=int(number) if number else None,
        sent_at=sent_at,
        is_content_kept=False,
    )
