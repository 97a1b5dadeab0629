"""Rewrite the whole history of a log and sign it again with its own keys (adversary A5)."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.utils import timezone

from compliance.trail import checkpoints, keys
from compliance.trail.signer import delivery
from compliance.trail.tlog import leaf, merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from tests.conftest import administrator

Superuser = psycopg.Connection[Any]
Bodies = list[tuple[int, bytes]]  # entry ID and body, in the order of the log
ROWS = ("trail_app_vessel", "trail_app_contact", "trail_logevent")


@contextmanager
def silenced(superuser: Superuser) -> Iterator[Superuser]:
    """Give a connection for which no trigger fires, and of which no DDL tells.

    The catalogue itself is altered and put back: `ALTER TABLE` would be an entry of the log.
    """
    database = str(superuser.info.dbname)
    superuser.commit()
    with administrator(database) as catalogue:
        catalogue.execute("SET allow_system_table_mods = on")
        kept = catalogue.execute("SELECT oid, tgenabled FROM pg_trigger").fetchall()
        catalogue.execute("UPDATE pg_trigger SET tgenabled = 'D'")
        catalogue.commit()
        with administrator(database) as silent:  # what it knows of tables is read anew
            yield silent
            silent.commit()
        for way in {enabled for _, enabled in kept}:
            catalogue.execute(
                "UPDATE pg_trigger SET tgenabled = %s WHERE oid = ANY(%s)",
                [way, [oid for oid, enabled in kept if enabled == way]],
            )
        catalogue.commit()
    connections.close_all()


def bodies(superuser: Superuser) -> Bodies:
    rows = superuser.execute(
        "SELECT entry_id, body FROM audit.leaf JOIN audit.entry USING (entry_id) ORDER BY idx"
    ).fetchall()
    return [(entry_id, bytes(body)) for entry_id, body in rows]


def renamed(history: Bodies, index: int) -> Bodies:
    """Have somebody else be the actor of one entry."""
    entry_id, body = history[index]
    other = body.replace(b'"actor":"test"', b'"actor":"nemo"')
    assert other != body
    return [*history[:index], (entry_id, other), *history[index + 1 :]]


def rewrite(superuser: Superuser, history: Bodies) -> list[bytes]:
    """Put a history in place of the stored one, in every table that says something of it.

    Each entry names its predecessor as it is now, rows name their last entry, search shows what
    the entries say, and leaves, subtree roots and state are those of the new tree.
    """
    chain, hashes, renewed = leaf.Chain(origin=settings.LOG_ORIGIN), [], dict[bytes, bytes]()
    old = {
        entry_id: bytes(digest)
        for entry_id, digest in superuser.execute(
            "SELECT entry_id, digest FROM audit.entry"
        ).fetchall()
    }
    with silenced(superuser) as silent:
        silent.execute("DELETE FROM audit.leaf; DELETE FROM audit.node")
        for index, (entry_id, original) in enumerate(history):
            body = _following(original, renewed)
            digest, previous = leaf.entry_digest(body), chain.head
            hashes.append(chain.append(digest))
            silent.execute(
                "INSERT INTO audit.leaf (log_id, idx, entry_id, leaf_hash, previous) "
                "VALUES (1, %s, %s, %s, %s)",
                [index, entry_id, hashes[-1], previous],
            )
            if digest != old.get(entry_id):
                if entry_id in old:
                    renewed[old[entry_id]] = digest
                _store(silent, entry_id, body, digest, old.get(entry_id))
        silent.execute(
            "UPDATE audit.projection p SET idx = l.idx FROM audit.leaf l "
            "WHERE l.entry_id = p.entry_id AND l.idx <> p.idx"
        )
        for number in range(len(hashes) >> 8):
            root = merkle.root_of(hashes[number << 8 : (number + 1) << 8])
            silent.execute("INSERT INTO audit.node VALUES (1, 8, %s, %s)", [number, root])
        tree = merkle.CompactRange()
        for one in hashes:
            tree.append(one)
        silent.execute(
            "UPDATE audit.log_state SET size = %s, root = %s, chain = %s, range = %s",
            [len(hashes), tree.root(), chain.head, list(tree.hashes)],
        )
        silent.execute("UPDATE audit.projected SET size = %s", [len(hashes)])
    return hashes


def _following(body: bytes, renewed: dict[bytes, bytes]) -> bytes:
    """Name the predecessor as it is after the rewriting."""
    prev = json.loads(body)["prev"]
    new = renewed.get(bytes.fromhex(prev)) if prev else None
    return (
        body.replace(f'"prev":"{prev}"'.encode(), f'"prev":"{new.hex()}"'.encode()) if new else body
    )


def _store(
    superuser: Superuser, entry_id: int, body: bytes, digest: bytes, before: bytes | None
) -> None:
    members = json.loads(body)
    superuser.execute(
        "UPDATE audit.entry SET body = %s, digest = %s WHERE entry_id = %s",
        [body, digest, entry_id],
    )
    superuser.execute(
        "UPDATE audit.projection SET actor = %s, reason = %s, at = %s WHERE entry_id = %s",
        [members["act"]["actor"], members["act"]["reason"], members["at"], entry_id],
    )
    for table in ROWS:
        superuser.execute(
            f"UPDATE {table} SET audit_head = %s WHERE audit_head = %s", [digest, before]
        )


def sign_again(superuser: Superuser, hashes: list[bytes], sizes: Iterable[int]) -> dict[int, str]:
    """Sign the new history at the sizes of the old one, with the real keys and the old times."""
    signers = [keys.signer_of(one) for one in keys.current()]
    signed = {}
    with silenced(superuser) as silent:
        for size in sizes:
            (at,) = silent.execute(
                "SELECT extract(epoch FROM signed_at)::bigint FROM audit.checkpoint "
                "WHERE size = %s",
                [size],
            ).fetchone() or (0,)
            root = merkle.root_of(hashes[:size])
            text = Checkpoint(origin=settings.LOG_ORIGIN, size=size, root=root).text()
            signed[size] = note.sign(text, signers, at=at)
            silent.execute(
                "UPDATE audit.checkpoint SET root = %s, note = %s WHERE size = %s",
                [root, signed[size], size],
            )
        silent.execute("DELETE FROM audit.checkpoint WHERE NOT size = ANY(%s)", [list(signed)])
    return signed


def forget(superuser: Superuser, *tables: str) -> None:
    """Remove what the database keeps of the witnesses' and the authority's words."""
    with silenced(superuser) as silent:
        for table in tables:
            silent.execute(f"DELETE FROM audit.{table}")


def publish_again() -> None:
    """Put the new checkpoints in place of the published ones."""
    shutil.rmtree(settings.PUBLISHED_DIR)
    checkpoints.publish(settings.PUBLISHED_DIR)


def adopt_again(signed: dict[int, str]) -> None:
    """Have the signer's memory say that it signed the new history."""
    (delivery.folder() / "state.json").unlink()
    delivery.adopt(signed[max(signed)], at=timezone.now())


Change = Callable[[Bodies], Bodies]


def collude(
    superuser: Superuser, change: Change, sizes: Iterable[int], *, everywhere: bool
) -> dict[int, str]:
    """Rewrite, sign again, and `everywhere` also replace what is kept outside of the database."""
    signed = sign_again(superuser, rewrite(superuser, change(bodies(superuser))), sizes)
    if everywhere:
        publish_again()
        adopt_again(signed)
    return signed
