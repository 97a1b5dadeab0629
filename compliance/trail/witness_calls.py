"""Ask a witness over HTTP to cosign, and read what it answers (C2SP tlog-witness)."""

import time
from dataclasses import dataclass

import httpx

from compliance.trail.tlog import keys, note, witness_request
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.witness_request import RequestInvalid

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LONGEST_S = 20.0  # for one answer, however slowly it comes
MAX_ANSWER = 64 * 1024
AHEAD_S = 300  # a cosignature may be of a clock so far before ours


class Unreachable(Exception):
    """No answer now; the same question may get one later."""


class Refused(Exception):
    """An answer that is no cosignature of this witness."""


class Contradicted(Refused):
    """The witness cosigned another history of this log."""


class OtherSize(Exception):
    """The witness's last checkpoint has another size than was assumed."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness knows {size} leaves")
        self.size = size


@dataclass(frozen=True)
class Reply:
    """One answer as it came."""

    status: int
    content_type: str
    body: bytes


def send(client: httpx.Client, url: str, body: str) -> Reply:
    """Post a request to `add-checkpoint` below a witness's submission prefix."""
    end = time.monotonic() + LONGEST_S
    try:
        with client.stream(
            "POST", f"{url.rstrip('/')}/add-checkpoint", content=body.encode()
        ) as answer:
            content = b""
            for chunk in answer.iter_bytes(4096):
                content += chunk
                if len(content) > MAX_ANSWER or time.monotonic() > end:
                    raise Unreachable("the answer is too long or too slow")
    except httpx.InvalidURL as error:
        raise Refused(f"{url} is no address") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    return Reply(answer.status_code, answer.headers.get("content-type", ""), content)


def cosignature(
    reply: Reply, *, signed: str, old: int, verifier: Verifier, clock: float
) -> tuple[str, int | None]:
    """Return the witness's line and its time, or raise what the answer says instead."""
    told = reply.body[:200].decode(errors="replace").strip()
    kind = reply.content_type.partition(";")[0].strip()
    if reply.status == 409 and kind == witness_request.SIZE_TYPE:
        raise _other_size(reply.body, old)
    if reply.status in {409, 422}:
        raise Contradicted(
            f"it does not accept that this log continues what it cosigned at {old} leaves "
            f"({reply.status} {told})"
        )
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(f"{reply.status} {told}")
    if reply.status != 200:
        raise Refused(f"{reply.status} {told}")
    return _verified(reply.body, signed, verifier, latest=clock + AHEAD_S)


def _other_size(body: bytes, old: int) -> Exception:
    try:
        size = witness_request.parse_size(body)
    except RequestInvalid as error:
        return Refused(str(error))
    return Refused(f"it refuses its own size {size}") if size == old else OtherSize(size)


def _verified(
    body: bytes, signed: str, verifier: Verifier, *, latest: float
) -> tuple[str, int | None]:
    try:
        # As the specification proposes: what follows the note must be signatures of the same note.
        both = signed.encode() + body
        (found,) = note.open(both, [verifier]).verified
    except (note.NoteInvalid, keys.KeyInvalid) as error:
        raise Refused(f"its answer is no cosignature of its key: {error}") from error
    if found.at is not None and found.at > latest:
        raise Refused(f"its clock is {found.at - latest + AHEAD_S:.0f} s before ours")
    identity = verifier.name, verifier.key_id
    lines = (one.line for one in note.split(both)[1] if (one.name, one.key_id) == identity)
    return next(lines), found.at
