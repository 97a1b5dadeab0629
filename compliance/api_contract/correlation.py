"""The id of one request: in its answer, in a problem, in every log line, and in the trail's acts."""

import logging
import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar

HEADER = "X-Correlation-Id"
ATTRIBUTE = "correlation_id"
_ALSO = "X-Request-Id"
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
current: ContextVar[str] = ContextVar("correlation", default="")


def chosen(headers: Mapping[str, str]) -> str:
    """Return the caller's id when it is plain, else a new one."""
    for name in (HEADER, _ALSO):
        given = headers.get(name, "")
        if _PLAIN.fullmatch(given):
            return given
    return str(uuid.uuid4())


class InEveryLine(logging.Filter):
    """Put the id of the request under way into a log record, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs what was answered after all middleware: then only the request knows its id.
        request = getattr(record, "request", None)
        record.correlation = current.get() or getattr(request, ATTRIBUTE, "-")
        return True
