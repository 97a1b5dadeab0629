"""Answer what is no request at all as the API answers: gunicorn itself would send HTML."""

import json
from typing import Any, ClassVar

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker of threads that refuses with RFC 9457 what cannot be read as HTTP/1.1."""

    REFUSED: ClassVar = {
        errors.LimitRequestLine: (414, "uri-too-long"),
        errors.LimitRequestHeaders: (431, "headers-too-large"),
        errors.UnsupportedTransferCoding: (501, "transfer-coding-unknown"),
        errors.ExpectationFailed: (417, "expectation-unknown"),
    }

    OF_OURS = (
        errors.ConfigurationProblem,
        errors.InvalidResponseHeader,
        errors.InvalidResponseHeaderName,
    )

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer an error that came up before the application was asked."""
        if isinstance(exc, self.OF_OURS) or not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status, code = self.REFUSED.get(type(exc), (400, "malformed"))
        self.log.warning("no request from %s: %s", (addr or ("",))[0], exc)
        try:
            util.write_nonblock(client, _answer(status, code, str(exc)))
        except OSError as gone:
            self.log.debug("nobody waits for the answer: %s", gone)


def _answer(status: int, code: str, detail: str) -> bytes:
    # The application is there only once the worker has loaded it.
    from compliance.api_contract import correlation, problems

    correlated = correlation.chosen({})
    current = correlation.current.set(correlated)
    try:
        said = problems.problem(
            code=code, title=code.replace("-", " ").capitalize(), status_code=status, detail=detail
        )
    finally:
        correlation.current.reset(current)
    body = json.dumps(said).encode()
    head = (
        f"HTTP/1.1 {status} {said['title']}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {problems.MEDIA_TYPE}\r\n"
        f"{correlation.HEADER}: {correlated}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
