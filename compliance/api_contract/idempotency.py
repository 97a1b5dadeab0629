"""Make a write safe to repeat: the same Idempotency-Key gets the same answer, and acts once.

IETF draft-ietf-httpapi-idempotency-key-header-07. A key belongs to its client, method and path, and
is kept as long as the record: in the transaction of the act itself, so that a crash between commit
and answer loses neither. A refusal changed nothing and is not kept: sent again, it is asked again.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api_contract import strict_json, turns
from compliance.refusals import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MOST_PATH = 300
_KEY = re.compile(r"[\x21-\x7e]{1,120}")
_SALT = "compliance.api_contract.idempotency"


class KeyMissing(Refused):
    """A write carries no key, or one that is not 1 to 120 visible ASCII characters."""

    code = "idempotency-key-missing"
    status = 400


class KeyReused(Refused):
    """The key was used for another body: sender and receiver disagree about what it names."""

    code = "idempotency-key-reused"
    status = 422


class KeyInFlight(Refused):
    """A request with this key is under way; ask again in a moment."""

    code = "idempotency-key-in-flight"


class AnswerNotKept(Refused):
    """The act was done under this key; its answer (a secret, a file) is not kept."""

    code = "answer-not-kept"


class PathTooLong(Refused):
    """The address of a write, with its query, is longer than a receipt can name."""

    code = "path-too-long"
    status = 414


@dataclass(frozen=True)
class Posted:
    """One write as it was asked for: who, where, under which key, and the digest of its bytes.

    `digest` is the SHA-256 of what a machine posted. What a person posts may hold a password, which
    a plain digest would let anybody with the receipts guess at: theirs is keyed.
    """

    sender: Any  # a person or a device: whoever can act
    method: str
    path: str
    key: str
    digest: str
    also: frozenset[str] = frozenset()  # the digest under earlier keys of this installation


class Kept(Protocol):
    """The answer that was given, as it is kept."""

    @property
    def request_digest(self) -> str: ...

    @property
    def status(self) -> int: ...

    @property
    def answer(self) -> str: ...

    @property
    def act(self) -> str: ...

    @property
    def recorded_at(self) -> datetime: ...


class Keeper(Protocol):
    """Where answers are kept."""

    def find(self, posted: Posted) -> Kept | None: ...

    def keep(self, posted: Posted, *, status: int, answer: str, at: datetime) -> Kept: ...


_keepers: list[Keeper] = []


def kept_by(keeper: Keeper) -> None:
    """Let a higher room keep the answers: the one that has the receipts."""
    _keepers[:] = [keeper]


def once(
    request: Request, act: Callable[[], HttpResponseBase], *, before: Callable[[], None],
    not_kept: str,
) -> HttpResponseBase:  # fmt: skip
    """Run an act in one transaction with its receipt, or give the answer of its first time.

    `before` is asked of what was not done yet, and changes nothing. `not_kept` says why the answer
    is not kept; the receipt is, so that a repeat does not act again.
    """
    posted = _posted(request)
    (keeper,) = _keepers
    scope = (posted.sender.trail_identity().id, posted.method, posted.path, posted.key)
    try:
        with turns.transaction_of("\n".join(scope)):
            if kept := _known(keeper, posted):
                return _again(kept, not_kept)
            before()
            made = act()
            if made.status_code >= 400:
                transaction.set_rollback(True)
                return made
            text = "" if not_kept or not isinstance(made, Response) else _text(made)
            receipt = keeper.keep(posted, status=made.status_code, answer=text, at=timezone.now())
    except turns.TurnTaken:
        raise KeyInFlight(
            f"a request with the Idempotency-Key {posted.key} is under way; send it again"
        ) from None
    if not_kept:
        made.headers["Receipt-Act"] = receipt.act
        return made
    return _response(receipt)


def _posted(request: Request) -> Posted:
    key = request.headers.get(HEADER, "")
    if not _KEY.fullmatch(key):
        raise KeyMissing(
            "send an Idempotency-Key of 1 to 120 visible ASCII characters with each write, "
            "and the same one when you repeat it"
        )
    path = request.get_full_path()
    if len(path) > MOST_PATH:
        raise PathTooLong(f"the path and query of a write have at most {MOST_PATH} characters")
    body = _body(request)
    sender = cast(Any, request.user)
    is_machine = sender.trail_identity().id.startswith("device:")
    return Posted(
        sender=sender,
        method=str(request.method),
        path=path,
        key=key,
        digest=hashlib.sha256(body).hexdigest() if is_machine else _keyed(body),
        also=frozenset() if is_machine else _earlier(body),
    )


def _body(request: Request) -> bytes:
    most = strict_json.MOST_BYTES_NDJSON
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise strict_json.TooLarge(f"post at most {most // 1024} KiB at once")
    with strict_json.arriving_whole():
        return bytes(request._request.body)


def _keyed(body: bytes, secret: str | None = None) -> str:
    return salted_hmac(_SALT, body, secret=secret, algorithm="sha256").hexdigest()


def _earlier(body: bytes) -> frozenset[str]:
    return frozenset(_keyed(body, secret) for secret in settings.SECRET_KEY_FALLBACKS)


def _known(keeper: Keeper, posted: Posted) -> Kept | None:
    kept = keeper.find(posted)
    if kept is not None and kept.request_digest not in {posted.digest, *posted.also}:
        raise KeyReused(
            f"the Idempotency-Key {posted.key} was used for another body at "
            f"{kept.recorded_at.isoformat()}; take a new key for a new message"
        )
    return kept


def _again(kept: Kept, not_kept: str) -> HttpResponse:
    if not_kept:
        raise AnswerNotKept(
            f"this was done at {kept.recorded_at.isoformat()} (act {kept.act}); its answer was "
            f"{not_kept}, which is not kept: ask anew with a new Idempotency-Key if you need one"
        )
    response = _response(kept)
    response.headers[REPLAYED] = "true"
    return response


def _text(made: Response) -> str:
    return str(JSONRenderer().render(made.data).decode())


def _response(kept: Kept) -> HttpResponse:
    response = HttpResponse(
        kept.answer.encode(), status=kept.status, content_type="application/json"
    )
    response.headers["Receipt-Act"] = kept.act
    return response
