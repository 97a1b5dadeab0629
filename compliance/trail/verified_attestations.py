"""Verify what witnesses and time-stamping authorities said of the stored checkpoints.

Who owns database and signing key can rewrite the log and sign it again. He cannot have others say
that they saw the new history at the old time: what they said is of the old one.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from compliance.trail import recovered_attestations, trust, verified_documents
from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog import note, time_tokens
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.time_tokens import Authority, AuthorityInvalid, TokenInvalid
from compliance.trail.trust import PolicyUnusable
from compliance.trail.verifier.documents import Documents

_COSIGNATURES = (
    "SELECT s.size, c.note, s.witness, s.line FROM audit.cosignature s "
    "LEFT JOIN audit.checkpoint c USING (log_id, size) WHERE s.log_id = %s AND s.size > %s "
    "ORDER BY s.size, s.witness"
)
_TOKENS = (
    "SELECT t.size, c.note, t.tsr, "
    "CASE WHEN t.gen_time >= '1970-01-01' AND t.gen_time < '9000-01-01' THEN t.gen_time END "
    "FROM audit.timestamp t "
    "LEFT JOIN audit.checkpoint c USING (log_id, size) WHERE t.log_id = %s AND t.size > %s "
    "ORDER BY t.size"
)


def check(cursor: CursorWrapper, *, log_id: int, since: int, findings: Findings) -> None:
    """Name the cosignatures and tokens over checkpoints above a size that are not over these."""
    _cosignatures(cursor, log_id, since, findings)
    _tokens(cursor, log_id, since, findings)


def check_told(
    cursor: CursorWrapper, documents: Mapping[int, Documents], findings: Findings
) -> None:
    """Name the time stamps that entries of the log tell of and that are not here any more.

    A token is stored before its entry is written, so a backup that has the entry has the token. One
    that an export could not give back either is named by the entry of that recovery.
    """
    told = {
        (log_id, index): one
        for log_id, found in documents.items()
        for index, one in found.stamps.items()
    }
    if not told:
        return
    held = recovered_attestations.tokens(cursor)
    missing = {place: one for place, one in told.items() if one.sha256 not in held}
    lost = set(_lost(cursor)) if missing else set()
    for (log_id, index), one in missing.items():
        message = (
            f"the time stamp over checkpoint {one.size} of which log {log_id} tells is not in the "
            "database any more"
        )
        if one.sha256.hex() in lost:
            findings.notes.append(f"{message}: it was lost before a recovery, whose entry names it")
        else:
            findings.add(
                Verdict.MISSING,
                f"{message}: `trail recover --from` an export puts it back",
                index=index,
            )


def _lost(cursor: CursorWrapper) -> Iterable[str]:
    for document in verified_documents.told(cursor, "recovery"):
        found = document.get("lost_tokens")
        yield from (str(one) for one in found) if isinstance(found, list) else ()


def _cosignatures(cursor: CursorWrapper, log_id: int, since: int, findings: Findings) -> None:
    try:
        policy = trust.policy()
    except PolicyUnusable as error:
        findings.add(Verdict.DISABLED, str(error))
        return
    known = {
        f"{one.verifier.name}+{one.verifier.key_id.hex()}": one.verifier
        for one in (policy.witnesses.values() if policy else ())
    }
    strange = 0
    cursor.execute(_COSIGNATURES, [log_id, since])
    for size, text, witness, line in cursor.fetchall():
        verifier = known.get(witness)
        if verifier is None:
            strange += 1
        elif (why := _not_cosigned(text, line, verifier)) is not None:
            findings.add(
                Verdict.FORK,
                f"what witness {witness} signed is not checkpoint {size} of the database: {why}",
            )
    if strange:
        findings.notes.append(
            f"{strange} cosignatures of log {log_id} are of witnesses that no policy names "
            "(GMP_LOG_POLICY), and prove nothing"
        )


def _not_cosigned(text: str | None, line: str, verifier: Verifier) -> str | None:
    try:
        note.open(note.split(text or "")[0] + "\n" + line, [verifier])
    except note.NoteInvalid as error:
        return str(error)
    return None


def _tokens(cursor: CursorWrapper, log_id: int, since: int, findings: Findings) -> None:
    cursor.execute(_TOKENS, [log_id, since])
    rows = cursor.fetchall()
    if not rows:
        return
    if not settings.TSA_ROOTS:
        findings.notes.append(
            f"{len(rows)} time stamps of log {log_id} prove nothing without certificates to trust "
            "(GMP_TSA_ROOTS)"
        )
        return
    try:
        # Whatever the name of today's authority: those of former ones stay good.
        verify = partial(
            time_tokens.verify, authority=Authority.from_pem(Path(settings.TSA_ROOTS).read_bytes())
        )
    except (OSError, AuthorityInvalid) as error:
        findings.add(Verdict.DISABLED, f"GMP_TSA_ROOTS: {error}")
        return
    for size, text, tsr, gen_time in rows:
        try:
            token = verify(bytes(tsr or b""), message=(text or "").encode())
            if token.gen_time != gen_time:
                findings.add(
                    Verdict.TAMPERED,
                    f"the token over checkpoint {size} says {token.gen_time.isoformat()}, and is "
                    f"shown as of {gen_time.isoformat() if gen_time else 'no time'}",
                )
        except TokenInvalid as error:
            findings.add(
                Verdict.FORK,
                f"what was time-stamped is not checkpoint {size} of the database, or by nobody "
                f"below GMP_TSA_ROOTS: {error}",
            )
