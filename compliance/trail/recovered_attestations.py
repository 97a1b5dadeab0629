"""Put back what others said of checkpoints, from an export, and say which time stamps are lost."""

from django.db.backends.utils import CursorWrapper

from compliance.trail import export_objects, log_events
from compliance.trail.exported import Source
from compliance.trail.tlog import note, time_tokens
from compliance.trail.tlog.time_tokens import TokenInvalid
from compliance.trail.witnessing import identity_of

_PUT_COSIGNATURE = (
    "INSERT INTO audit.cosignature (log_id, size, witness, line) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING"
)
_PUT_STAMP = (
    "INSERT INTO audit.timestamp (log_id, size, tsr, gen_time) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING"
)


def put_back(cursor: CursorWrapper, source: Source, *, log_id: int) -> None:
    """Add the cosignatures and tokens that an export has of the stored checkpoints.

    What cannot be read is left out. Whether they are over these checkpoints is for `trail verify`.
    """
    cursor.execute("SELECT size, note FROM audit.checkpoint WHERE log_id = %s", [log_id])
    for size, text in cursor.fetchall():
        folder = export_objects.checkpoint_folder(log_id, size)
        for name in source.children(folder):
            data = source.get(f"{folder}/{name}")
            if data is None:
                continue
            if name == export_objects.STAMP:
                _put_token(cursor, log_id, size, data)
            elif name.endswith(export_objects.COSIGNATURE):
                _put_cosignature(cursor, log_id, size, text, data)


def tokens(cursor: CursorWrapper) -> frozenset[bytes]:
    """Return the SHA-256 of every time-stamp token that is stored, of whatever log."""
    # By the database: the tokens themselves are hundred times as long, and nothing else is asked here.
    cursor.execute("SELECT sha256(tsr) FROM audit.timestamp WHERE tsr IS NOT NULL")
    return frozenset(bytes(digest) for (digest,) in cursor.fetchall())


def lost(cursor: CursorWrapper, *, using: str) -> list[str]:
    """Return the SHA-256 of the tokens that events of the log tell of and that are not stored."""
    told = {one["token_sha256"] for one in log_events.documents("timestamp", using=using)}
    return sorted(told - {one.hex() for one in tokens(cursor)})


def _put_token(cursor: CursorWrapper, log_id: int, size: int, data: bytes) -> None:
    try:
        token = time_tokens.read(data)
    except TokenInvalid:
        return
    cursor.execute(_PUT_STAMP, [log_id, size, data, token.gen_time])


def _put_cosignature(cursor: CursorWrapper, log_id: int, size: int, text: str, data: bytes) -> None:
    try:
        signed = note.split(text)[0]
        _, (signature,) = note.split(f"{signed}\n{data.decode()}")
    except (ValueError, UnicodeError):  # no line of a signature, or several
        return
    witness = identity_of(signature.name, signature.key_id)
    cursor.execute(_PUT_COSIGNATURE, [log_id, size, witness, signature.line])
