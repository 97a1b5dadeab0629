"""Show that the last entry of each claimed record is the last, by the heads under a seal."""

from collections.abc import Iterator, Mapping

from compliance.trail.tlog import heads
from compliance.trail.tlog.heads import Bucket, Head, HeadsInvalid
from compliance.trail.verifier.contents import Contents, Record
from compliance.trail.verifier.documents import Documents, Seal
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Problem, Verdict

FILE = "completeness.json"
Walks = Mapping[Record, list[Seen]]


def check_seals(documents: Documents, seen: Mapping[int, Seen]) -> None:
    """Give a seal that contradicts the log its problem."""
    for index, seal in documents.seals.items():
        at = seen.get(seal.tree_size)
        if seal.tree_size > index:
            seen[index].add(Verdict.TAMPERED, "seals entries that were not there yet")
        elif at is not None and at.is_logged and at.entry.previous != seal.chain:
            seen[index].add(Verdict.TAMPERED, "the chain head it seals is not the log's")
        _check_keys(documents, index, seal, seen)


def _check_keys(documents: Documents, at: int, seal: Seal, seen: Mapping[int, Seen]) -> None:
    """Notice key documents that were left out: a key's end is what somebody may want to hide."""
    present = sum(index < seal.tree_size for index in documents.keys)
    if present < seal.keys:
        message = f"{present} of the {seal.keys} documents about keys before it are here"
        seen[at].add(Verdict.MISSING, message)
    elif present > seal.keys:
        seen[at].add(Verdict.TAMPERED, "there are more documents about keys than it seals")


def check(
    contents: Contents, documents: Documents, seen: Mapping[int, Seen], walked: Walks
) -> Iterator[Problem]:
    """Yield what is missing, or contradicts the seal, of the claimed records and buckets."""
    seal = _seal(contents, documents, seen)
    proven: dict[int, Bucket] = {}
    for bucket in contents.completeness.buckets:
        if seal is None:
            break
        try:
            heads.verify(bucket, buckets=seal.buckets, root=seal.root, tree_size=seal.tree_size)
            proven[bucket.number] = bucket
        except HeadsInvalid as error:
            yield Problem(verdict=Verdict.TAMPERED, message=str(error), file=FILE)
    for record in contents.subject.records:
        found = seal and proven.get(_bucket_of(record, seal))
        if seal and found:
            yield from _check_record(record, found.head_of(*record), seal, walked.get(record, []))
        else:
            yield _problem(Verdict.MISSING, record, "nothing shows which entry is its last")


def _seal(contents: Contents, documents: Documents, seen: Mapping[int, Seen]) -> Seal | None:
    index = contents.completeness.seal
    if index is None or index not in documents.seals:
        return None
    is_faulty = any(one.verdict is Verdict.TAMPERED for one in seen[index].problems)
    return None if is_faulty else documents.seals[index]


def _bucket_of(record: Record, seal: Seal) -> int:
    return heads.bucket_of(heads.key_of(*record), heads.bits_of(seal.buckets))


def _check_record(
    record: Record, head: Head | None, seal: Seal, walk: list[Seen]
) -> Iterator[Problem]:
    sealed = [one for one in walk if one.index < seal.tree_size]
    if head is None:
        if sealed:
            yield _problem(Verdict.TAMPERED, record, "the seal says that there is no such record")
        return
    if len(sealed) < head.entries or sealed[-1].index < head.index:
        yield _problem(
            Verdict.MISSING,
            record,
            f"{len(sealed)} of {head.entries} entries are here; the last is number {head.seq}",
        )
    elif len(sealed) > head.entries or not _is_head(sealed[-1], head):
        yield _problem(Verdict.TAMPERED, record, "its entries are not those that were sealed")


def _is_head(last: Seen, head: Head) -> bool:
    members = last.members or {}
    return (last.index, last.entry.digest, members["op"], members["record_seq"]) == (
        *(head.index, head.digest, head.op, head.seq),
    )


def _problem(verdict: Verdict, record: Record, message: str) -> Problem:
    return Problem(
        verdict=verdict, message=message, file=FILE, record=record[0], record_id=record[1]
    )
