"""A WSGI application that answers in every way in which an answer can be sent."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

PARTS = [b"one", b"", b"two" * 1000]
CONTENT = b"".join(PARTS)
LARGE = b"large" * 100_000


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the path says."""
    length = [("Content-Length", str(len(CONTENT)))]
    match environ["PATH_INFO"]:
        case "/whole":
            start("200 OK", length)
            return [CONTENT]
        case "/large":
            start("200 OK", [("Content-Length", str(len(LARGE)))])
            return [LARGE]
        case "/parts":
            start("200 OK", [])
            return iter(PARTS)
        case "/known-parts":
            start("200 OK", length)
            return iter(PARTS)
        case "/file":
            start("200 OK", [])
            return environ["wsgi.file_wrapper"](Path(__file__).open("rb"))  # type: ignore[no-any-return]
        case "/no-file":
            start("200 OK", length)
            return environ["wsgi.file_wrapper"](io.BytesIO(CONTENT))  # type: ignore[no-any-return]
        case "/nothing":
            start("204 No Content", [])
            return []
    start("200 OK", [("Content-Length", "0")])
    return []
