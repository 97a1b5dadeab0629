"""List every code that a problem can have, from the refusals in the source themselves."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from rest_framework.exceptions import APIException

from compliance.refusals import Refused, Unavailable

E = TypeVar("E", bound=BaseException)
ROOMS = ("compliance", "batches", "twins", "config")
# What no class of ours says: the frame's own refusals, and those of Django below /api/.
FRAME = {
    "malformed": (400, "No HTTP as this server takes it, a NUL in the address, or another host."),
    "parse-error": (400, "The body did not arrive whole, or is not JSON in UTF-8."),
    "authentication-failed": (401, "The token or the session is not valid."),
    "not-authenticated": (401, "Nobody is known; send a token, or sign in."),
    "not-permitted": (403, "The caller may not do this."),
    "permission-denied": (403, "The caller's role may not read or do this."),
    "not-found": (404, "There is no such record, or nothing at this address."),
    "method-not-allowed": (405, "This is not done here; Allow says what is. Nothing is deleted."),
    "not-acceptable": (406, "The answer has no form that Accept names; JSON is always there."),
    "uri-too-long": (414, "The address is longer than this server reads; ask with fewer filters."),
    "unsupported-media-type": (415, "The body is in a form or a charset that is not read here."),
    "invalid": (422, "A member is wrong, missing or unknown; `errors` says which and why."),
    "not-storable": (422, "A value is too long, too large, or has a NUL."),
    "expectation-unknown": (417, "The header Expect asks for what this server does not do."),
    "throttled": (429, "Too many requests in this minute; Retry-After says how long to wait."),
    "headers-too-large": (431, "The headers are more, or longer, than this server reads."),
    "transfer-coding-unknown": (501, "The body's Transfer-Encoding is none that is read here."),
    "broken": (500, "An error on our side: nothing was stored; report the correlation id."),
    "database-unavailable": (503, "The database is not reachable now; send the same again."),
    "second-factor-needed": (403, "Give the second factor first."),
    "second-factor-enrolment-needed": (403, "Enrol a second factor first."),
}
_more: dict[str, tuple[int, str]] = {}


def also(code: str, status: int, means: str) -> None:
    """Let a higher room add a code that no class of its own says."""
    _more[code] = (status, means)


@dataclass(frozen=True)
class Code:
    """One code with the status it comes with and what it means."""

    code: str
    status: int
    means: str


def load() -> None:
    """Import every module of the product, so that no refusal is missing."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            parts = set(found.name.split("."))
            if not parts & {"migrations", "management", "wsgi", "settings", "__main__"}:
                importlib.import_module(found.name)


def known() -> list[Code]:
    """Return the codes of everything that is imported, in order; one a code and status."""
    found = {(code, status): means for code, (status, means) in (FRAME | _more).items()}
    for kind, status in _kinds():
        code = _code(kind)
        means = " ".join((kind.__dict__.get("__doc__") or "").split("\n\n")[0].split())
        if code and not found.get((code, status)):
            found[code, status] = means
    return [
        Code(code, status, means or _plain(code)) for (code, status), means in sorted(found.items())
    ]


def _kinds() -> Iterator[tuple[type[BaseException], int]]:
    for refused in _below(Refused):
        yield refused, int(getattr(refused, "status", 409))
    yield Unavailable, 503
    for unavailable in _below(Unavailable):
        yield unavailable, 503
    for one in _below(APIException):
        if one.__module__.split(".")[0] in ROOMS:
            yield one, int(getattr(one, "status_code", 500))


def _below(kind: type[E]) -> Iterator[type[E]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _code(kind: type[BaseException]) -> str:
    own = kind.__dict__.get("code") or kind.__dict__.get("default_code")
    return str(own).replace("_", "-") if isinstance(own, str) else ""


def _plain(code: str) -> str:
    return f"{code.replace('-', ' ').capitalize()}."
