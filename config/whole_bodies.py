"""Give the application a body as its sender sent it, or an error in its place."""

from typing import IO, Any

from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from gunicorn.http.errors import ParseException

_AT_ONCE = 64 * 1024


class CutOff(OSError):
    """The body ended before the length that its sender announced."""


class WholeBody:
    """A body of which no part passes for the whole.

    Where a client goes in the middle of it, the server hands on what came as if that were all: half
    of a message would be stored, and the whole one refused as another under the same key.
    Django asks for no more than is to come, so less than it asks for is the end.
    """

    def __init__(self, arriving: Any) -> None:
        self._arriving = arriving

    def read(self, size: int) -> bytes:
        data: bytes = self._arriving.read(size)
        return self._whole(data, len(data) >= size)

    def readline(self, size: int) -> bytes:
        line: bytes = self._arriving.readline(size)
        return self._whole(line, len(line) >= size or line.endswith(b"\n"))

    def _whole(self, data: bytes, is_whole: bool) -> bytes:
        if not is_whole:
            raise CutOff("the body ended before the length that was announced")
        return data


class TooLong(Exception):
    """A body in chunks is longer than any that is read here."""


class WholeRequest(WSGIRequest):
    """A request with its body whole."""

    def __init__(self, environ: dict[str, Any]) -> None:
        if not comes_in_chunks(environ):  # their end is seen by the server
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"])
        super().__init__(environ)


def comes_in_chunks(environ: dict[str, Any]) -> bool:
    """Say whether a body comes without its length (RFC 9112 section 7.1)."""
    return "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH")


def gather(request: WSGIRequest, into: IO[bytes], *, most: int) -> None:
    """Take in a body that comes in chunks, and say its length: without one Django reads none.

    Raise `CutOff` when the last chunk does not come, and `TooLong` beyond `most` bytes.
    """
    arriving, length = request.environ["wsgi.input"], 0
    try:
        while part := arriving.read(_AT_ONCE):
            length += len(part)
            if length > most:
                raise TooLong(f"post at most {most // 1024} KiB at once")
            into.write(part)
    except (OSError, ParseException) as error:
        raise CutOff("the body ended before its last chunk, or its chunks are malformed") from error
    into.seek(0)
    request.META["CONTENT_LENGTH"] = str(length)
    request._stream = LimitedStream(into, length)  # type: ignore[arg-type, assignment]
