"""Take the lines of a body one by one: all of them or none, or each by itself."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.db import DatabaseError, transaction
from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError

from batches.exchange import lines, streams
from batches.exchange.api import kinds
from batches.exchange.api.stream_messages import RecordIn
from batches.exchange.models import Source, SourceRecord
from batches.exchange.streams import Accepted, Sent
from compliance.access.models import Device
from compliance.api_contract import strict_json
from compliance.refusals import Refused
from compliance.trail import refusals
from compliance.trail.tlog import canonical

STRICT, LENIENT = "strict", "lenient"
MOST_LINES = {STRICT: 10_000, LENIENT: 1_000_000}
MOST_BYTES = {STRICT: 32 * 1024 * 1024, LENIENT: 1024 * 1024 * 1024}
MOST_ERRORS = 100
IN_MEMORY = 1024 * 1024  # of the answer; the rest waits on the disk
Clock = Callable[[], datetime]


# What a line can be refused with; a guard of the database is known by its SQLSTATE.
REFUSED = (Refused, APIException, Http404, DatabaseError)


class LinesRefused(Refused):
    """At least one line is refused, so none was taken; `errors` names them."""

    code = "lines-refused"
    status = 422


@dataclass
class Delivery:
    """What became of a body: the answer's lines in a file, and how many of each outcome."""

    file: IO[bytes]
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "repeated": 0, "refused": 0}
    )

    def add(self, line: dict[str, Any]) -> None:
        self.counts[line["outcome"]] += 1
        self.file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def deliver(
    source: Source, *, stream: lines.Stream, handling: str, device: Device, clock: Clock
) -> Delivery:
    """Take a body of lines; what it answers is a file at its beginning."""
    # The answer is not sent before the body is read: who sends and does not read would wait for us,
    # and we for them.
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the answer closes it
    delivery = Delivery(file)
    found = lines.of(stream, most_bytes=MOST_BYTES[handling], most_lines=MOST_LINES[handling])
    received = ((number, line, clock()) for number, line in found)
    take = _all_or_nothing if handling == STRICT else _each
    try:
        take(source, received, delivery, device=device, clock=clock)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return delivery


Received = Iterator[tuple[int, bytes, datetime]]


def _all_or_nothing(
    source: Source, received: Received, delivery: Delivery, *, device: Device, clock: Clock
) -> None:
    errors: list[dict[str, str]] = []
    with transaction.atomic():
        for number, line, received_at in received:
            try:
                with transaction.atomic():
                    accepted = _take(source, line, device, received_at, clock())
            except REFUSED as error:
                errors += _line_errors(number, _known(error))
                if len(errors) >= MOST_ERRORS:
                    break
                continue
            if not errors:
                delivery.add(_accepted(number, accepted))
        if errors:
            raise LinesRefused(
                f"nothing was taken: {errors[0]['detail']}", errors=errors[:MOST_ERRORS]
            )


def _each(
    source: Source, received: Received, delivery: Delivery, *, device: Device, clock: Clock
) -> None:
    for number, line, received_at in received:
        try:
            accepted = _take(source, line, device, received_at, clock())
        except REFUSED as error:
            refused = _known(error)
            answer = _refused(number, line, refused)
            as_refusal = refused if isinstance(refused, Refused) else _LineInvalid(answer)
            refusals.record(
                as_refusal, action="exchange.line", actor=device, at=clock(),
                subject=f"{source} {answer['id']} version {answer['version']}",
            )  # fmt: skip
            delivery.add(answer)
        else:
            delivery.add(_accepted(number, accepted))


class _LineInvalid(Refused):
    status = 422

    def __init__(self, answer: dict[str, Any]) -> None:
        self.code = answer["code"]
        super().__init__(answer["detail"])


def _known(error: Exception) -> Exception:
    """Return the refusal that an error of the database is; one that is none rises."""
    if not isinstance(error, DatabaseError):
        return error
    refused = refusals.of_database(error)
    if refused is None:
        raise error
    return refused


def _take(
    source: Source, line: bytes, device: Device, received_at: datetime, at: datetime
) -> Accepted:
    members = strict_json.loads(line)
    body = RecordIn(data=members)
    body.is_valid(raise_exception=True)
    said: dict[str, Any] = dict(body.validated_data)
    try:
        content = streams.content_of(members)
    except canonical.NotCanonical as error:
        raise ValidationError(str(error), code="not-canonical") from error
    sent = Sent(
        record_id=said["id"],
        version=said["version"],
        kind=said["kind"],
        content=content,
        observed_at=said["moment"],
        observed_text=said["observed_at"],
        sent_at=said.get("sent_at"),
        sequence=said.get("sequence"),
        reason=said["reason"],
        corrected_by=said["corrected_by"],
        is_backfilled=said["backfilled"],
    )
    message_id = streams.message_id(source, sent)

    def record() -> Any:
        return kinds.maker(said, message_id=message_id, device=device, at=at)()

    return streams.accept(
        source, sent=sent, record=record, device=device, received_at=received_at, at=at
    )


def _accepted(number: int, accepted: Accepted) -> dict[str, Any]:
    record: SourceRecord = accepted.record
    return {
        "line": number,
        "outcome": "repeated" if accepted.is_repeated else "accepted",
        "id": record.record_id,
        "version": record.version,
        "sequence": record.sequence,
        "content_digest": record.content_digest,
        "recorded_at": record.recorded_at.isoformat(),
        "flags": record.flags,
    }


def _refused(number: int, line: bytes, refused: Exception) -> dict[str, Any]:
    named = _named(line)
    code, status, errors = _said(refused)
    return {
        "line": number,
        "outcome": "refused",
        **named,
        "code": code,
        "status": status,
        "detail": errors[0]["detail"],
        "errors": errors,
    }


def _named(line: bytes) -> dict[str, Any]:
    """Return what can be read of which record a refused line is about."""
    names = {"id": str, "version": int, "sequence": int}
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        return dict.fromkeys(names)
    return {
        name: members[name] if isinstance(members.get(name), kind) else None
        for name, kind in names.items()
    }


def _line_errors(number: int, refused: Exception) -> list[dict[str, str]]:
    code, _, errors = _said(refused)
    return [
        {
            "pointer": f"/{number - 1}{error['pointer'].rstrip('/')}",
            "line": str(number),
            "code": code,
            "detail": f"line {number}: {error['detail']}",
        }
        for error in errors
    ]


def _said(refused: Exception) -> tuple[str, int, list[dict[str, str]]]:
    match refused:
        case Refused():
            errors = refused.errors or [{"pointer": "/", "code": refused.code, "detail": ""}]
            errors = [{**one, "detail": one["detail"] or str(refused)} for one in errors]
            return refused.code, refused.status, errors
        case Http404():
            return "not-found", 404, [{"pointer": "/", "code": "not-found", "detail": str(refused)}]
        case ValidationError():
            return "invalid", 422, list(_pointers(refused.detail, ""))
        case APIException():
            code = str(refused.default_code).replace("_", "-")
            detail = str(refused.detail)
            return code, refused.status_code, [{"pointer": "/", "code": code, "detail": detail}]
    raise refused


def _pointers(detail: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _pointers(value, path if key == "non_field_errors" else f"{path}/{key}")
    elif isinstance(detail, list):
        for value in detail:
            yield from _pointers(value, path)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield {"pointer": path or "/", "code": code, "detail": str(detail)}
