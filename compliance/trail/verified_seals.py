"""Compute again what every seal of heads commits to, from the entries as they are.

An outsider is shown by a seal that the entries of a record are all of them. So a seal that leaves
one out is as bad as an entry that is gone.
"""

from collections import Counter
from collections.abc import Mapping

from django.db.backends.utils import CursorWrapper

from compliance.trail import seals
from compliance.trail.archiving import NotArchived
from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog import heads, merkle
from compliance.trail.tlog.archive_file import ArchiveInvalid
from compliance.trail.tlog.heads import HeadsInvalid
from compliance.trail.verifier.documents import Documents, Seal

# An honest seal has as many buckets as suit its records; another rule may have chosen a few more.
_MOST = 16


def of(documents: Mapping[int, Documents]) -> tuple[tuple[int, int], ...]:
    """Return log and size of every seal."""
    return tuple(
        (log_id, seal.tree_size) for log_id, one in documents.items() for seal in one.seals.values()
    )


def check(
    cursor: CursorWrapper,
    log_id: int,
    found: Documents,
    counted: Counter[tuple[int, int]],
    findings: Findings,
) -> None:
    """Name each seal of a log that is not of its entries; `counted` is how many records had some."""
    for index, seal in found.seals.items():
        try:
            problem = _problem(cursor, log_id, index, seal, counted[log_id, seal.tree_size])
        except HeadsInvalid as error:
            problem = str(error)
        except (NotArchived, ArchiveInvalid, FileNotFoundError) as error:
            findings.notes.append(f"the seal at leaf {index} was not computed again: {error}")
            continue
        if problem:
            findings.add(Verdict.TAMPERED, f"the seal of heads: {problem}", index=index)


def _problem(cursor: CursorWrapper, log_id: int, index: int, seal: Seal, records: int) -> str:
    if seal.tree_size > index:
        return f"it seals {seal.tree_size} entries, which were not there yet"
    if seal.records != records:
        return f"it is of {seal.records} records, and {records} had entries"
    if seal.buckets > _MOST * heads.suitable(records):
        return f"{seal.buckets} buckets for {records} records"
    return _not_computed(cursor, log_id, seal)


def _not_computed(cursor: CursorWrapper, log_id: int, seal: Seal) -> str:
    keys = seals.key_documents(cursor, log_id, seal.tree_size)
    if seal.keys != keys:
        return f"it counts {seal.keys} documents about keys, and there were {keys}"
    if seal.chain != seals.chain_at(cursor, log_id, seal.tree_size):
        return "the chain head it seals is not the log's"
    leaves = list(seals.leaves_of_buckets(cursor, log_id, seal.tree_size, seal.buckets))
    is_right = merkle.root_of(leaves) == seal.root
    return "" if is_right else "its root is not that of the last entries of all records"
