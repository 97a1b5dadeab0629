"""Begin logs: for a tenant and site, above all others, or after one of which a part was lost."""

import re
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction

from compliance.refusals import Refused
from compliance.trail import keys, log_events, stored
from compliance.trail.recording import Actor
from compliance.trail.stored import Log
from compliance.trail.tlog import leaf

ALIAS = "owner"
KIND = "log"
_ORIGIN = re.compile(r"[A-Za-z0-9.-]+(?:/[A-Za-z0-9._-]+)*/[1-9][0-9]*")


class OriginUnusable(Refused):
    """A log cannot begin under this name."""

    code = "origin-unusable"


def begin(origin: str, *, actor: Actor, at: datetime, reason: str, is_parent: bool = False) -> int:
    """Begin a log with keys of its own, and say so in the installation's log; return its number.

    Raise `OriginUnusable` for a name that was ever used: two logs of one name are a fork.
    """
    if not _ORIGIN.fullmatch(origin):
        raise OriginUnusable(
            f"{origin!r} is no name of a log: write deployment/tenant/site/1, of letters, digits, "
            "dots and hyphens, with a number at the end"
        )
    if is_used(origin):
        raise OriginUnusable(f"{origin} was used before: a name is never used again")
    vkeys = [record.vkey for record in keys.ensure(origin).records]
    with transaction.atomic(using=ALIAS):
        log_id = open_log(origin, is_parent=is_parent)
        log_events.record(
            KIND,
            {"v": 1, "origin": origin, "is_parent": is_parent, "keys": vkeys},
            actor=actor,
            at=at,
            reason=reason,
            using=ALIAS,
        )
    return log_id


def open_log(origin: str, *, follows: int | None = None, is_parent: bool = False) -> int:
    """Add a log in the transaction under way; nobody writes to the one it follows from then on."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT audit.open_log(%s, %s, %s::smallint, %s)",
            [origin, leaf.chain_start(origin), follows, is_parent],
        )
        return int(cursor.fetchone()[0])


def is_used(origin: str) -> bool:
    """Say whether anything knows a log of this name: a restored database has forgotten some."""
    return origin in traces() or origin in {one.origin for one in described()}


def traces() -> set[str]:
    """Return the names of logs that left keys or published checkpoints on this host."""
    found = set()
    for base in (Path(settings.KEYS_DIR), Path(settings.PUBLISHED_DIR)):
        folder = base / "logs"
        if folder.is_dir():
            found |= {keys.origin_of(one.name) for one in folder.iterdir() if one.is_dir()}
    return found


def next_origin(origin: str) -> str:
    """Return the first name after this one that no log ever had."""
    base, _, number = origin.rpartition("/")
    if not number.isdecimal():
        base, number = origin, "1"
    following = int(number) + 1
    while is_used(f"{base}/{following}"):
        following += 1
    return f"{base}/{following}"


def described() -> list[Log]:
    """Return all logs of the database."""
    with connections[ALIAS].cursor() as cursor:
        return stored.described(cursor)
