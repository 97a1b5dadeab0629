"""Give the application a body as its sender sent it, or an error in its place."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest


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


class WholeRequest(WSGIRequest):
    """A request with its body whole."""

    def __init__(self, environ: dict[str, Any]) -> None:
        environ["wsgi.input"] = WholeBody(environ["wsgi.input"])
        super().__init__(environ)
