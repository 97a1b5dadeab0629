"""Let an authority put its time on checkpoints, and put its tokens back into the log (RFC 3161)."""

import hashlib
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import httpx
from django.conf import settings
from django.db import connection, connections, transaction

from compliance.refusals import Unavailable
from compliance.trail import log_events, published, recording
from compliance.trail.models import LogEvent
from compliance.trail.recording import System
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import canonical, time_tokens
from compliance.trail.tlog.time_tokens import Authority, AuthorityInvalid, Token

log = logging.getLogger(__name__)
ALIAS = "signer"
KIND = "timestamp"
VERSION = 1
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
LONGEST_S = 60.0
MAX_ANSWER = 256 * 1024
_ANNOUNCED_LATE = (
    20  # tokens looked at again, in case a crash kept their entries from being written
)
_LOCK = 0x67_6D_70_74  # of advisory locks; nothing else in the product has this number


class TsaUnavailable(Unavailable):
    """The authority does not answer now. Sealing goes on; the bracket widens until it does."""

    code = "tsa-unavailable"


class TsaUnusable(Exception):
    """The settings name no certificates to trust; says what to do."""


class Status(TypedDict):
    """How far the authority is; `bracket_s` is how long no token has bounded the log's time.

    Leaves of `unstamped` are provably not older than the last token, and nothing outside says yet
    that they are not younger than now.
    """

    is_configured: bool
    size: int
    stamped_size: int | None
    stamped_at: str | None
    unstamped: int
    bracket_s: float


def stamp(at: datetime, *, log_id: int = LOG_ID) -> Token | None:
    """Get a token for the newest checkpoint if it has none; None when there is nothing to stamp.

    Raise `TsaUnavailable` when there is no answer and `TokenInvalid` when it proves nothing. Safe
    to run twice and beside itself: a size has one token, and a token one entry.
    """
    if not settings.TSA_URL:
        return None
    announce(at, log_id=log_id)
    with connection.cursor() as cursor:
        newest = published.newest(cursor, log_id)
        if newest is None or _is_stamped(log_id, newest.size):
            return None
    message = newest.note.encode()
    asked = time_tokens.request(message)
    token = time_tokens.verify(
        _answer(asked.der), message=message, authority=authority(), nonce=asked.nonce
    )
    if abs(token.gen_time - at).total_seconds() > 60:
        log.warning("The authority's time is %s, this machine's %s", token.gen_time, at)
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit.timestamp (log_id, size, tsr, gen_time) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [log_id, newest.size, token.tsr, token.gen_time],
        )
        is_first = cursor.rowcount == 1
    announce(at, log_id=log_id)
    return token if is_first else None


def announce(at: datetime, *, log_id: int = LOG_ID) -> int:
    """Write the entry of every recent token that has none; return how many were missing.

    Entries after it are provably not older than the token: it could not be hashed before it was.
    """
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [_LOCK]
        )  # one at a time looks and writes
        cursor.execute(
            "SELECT t.size, t.tsr, c.note FROM audit.timestamp t "
            "JOIN audit.checkpoint c USING (log_id, size) "
            "WHERE log_id = %s ORDER BY size DESC LIMIT %s",
            [log_id, _ANNOUNCED_LATE],
        )
        documents = [document(*row) for row in reversed(cursor.fetchall())]
        texts = [canonical.dumps(one).decode() for one in documents]
        known = set(
            LogEvent.objects.using(ALIAS)
            .filter(kind=KIND, document__in=texts)
            .values_list("document", flat=True)
        )
        missing = [one for one, text in zip(documents, texts, strict=True) if text not in known]
        for one in missing:
            with recording.into(log_id):
                log_events.record(
                    KIND, one, actor=System("timestamping"), at=at,
                    reason="time-stamp token received", using=ALIAS,
                )  # fmt: skip
    return len(missing)


def document(size: int, tsr: bytes, note: str) -> dict[str, str | int]:
    """Return what the log says about a token that it received."""
    token = time_tokens.read(bytes(tsr))
    return {
        "gen_time": token.gen_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "note_sha256": hashlib.sha256(note.encode()).hexdigest(),
        "size": size,
        "token_sha256": token.sha256.hex(),
        "tsa": token.name,
        "v": VERSION,
    }


def authority() -> Authority:
    """Return whom the settings trust to stamp, or raise `TsaUnusable`."""
    try:
        return Authority.from_pem(Path(settings.TSA_ROOTS).read_bytes(), settings.TSA_NAME)
    except (OSError, AuthorityInvalid) as error:
        raise TsaUnusable(
            f"GMP_TSA_ROOTS must name a PEM file of trusted certificates: {error}"
        ) from error


def status(at: datetime, *, log_id: int = LOG_ID) -> Status:
    """Say how far the log is stamped, and how wide the bracket is without the next token."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT size, gen_time FROM audit.timestamp WHERE log_id = %s "
            "ORDER BY size DESC LIMIT 1",
            [log_id],
        )
        size, gen_time = cursor.fetchone() or (None, None)
        cursor.execute(
            "SELECT max(size), min(signed_at) FROM audit.checkpoint WHERE log_id = %s", [log_id]
        )
        newest, first_at = cursor.fetchone()
    since = gen_time or first_at
    return Status(
        is_configured=bool(settings.TSA_URL),
        size=newest or 0,
        stamped_size=size,
        stamped_at=gen_time.isoformat() if gen_time else None,
        unstamped=(newest or 0) - (size or 0),
        bracket_s=max(0.0, (at - since).total_seconds()) if since else 0.0,
    )


def _is_stamped(log_id: int, size: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM audit.timestamp WHERE log_id = %s AND size = %s", [log_id, size]
        )
        return cursor.fetchone() is not None


def _answer(query: bytes) -> bytes:
    end = time.monotonic() + LONGEST_S
    headers = {"Content-Type": time_tokens.QUERY_TYPE, "Accept": time_tokens.REPLY_TYPE}
    content = b""
    try:
        with (
            httpx.Client(timeout=TIMEOUT) as client,
            client.stream("POST", settings.TSA_URL, content=query, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise TsaUnavailable(f"{settings.TSA_URL} answers {answer.status_code}")
            for chunk in answer.iter_bytes(4096):
                content += chunk
                if len(content) > MAX_ANSWER or time.monotonic() > end:
                    raise TsaUnavailable(f"{settings.TSA_URL} answers too much or too slowly")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TsaUnavailable(f"{settings.TSA_URL}: {type(error).__name__}: {error}") from error
    return content
