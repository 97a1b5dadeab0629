"""Verify gathered evidence offline: with the log's public key, without database or product."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.tlog import canonical, leaf, merkle, note
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.keys import KeyInvalid, Verifier
from compliance.trail.tlog.leaf import Leaf, LeafInvalid
from compliance.trail.tlog.merkle import ProofInvalid

_MEMBERS = {"checkpoint", "entries", "origin", "records", "tree_size", "unsealed", "v", "vkey"}


class EvidenceInvalid(ValueError):
    """The evidence does not show what it claims; says at which entry."""


class KeyUntrusted(EvidenceInvalid):
    """No key that is trusted signed the checkpoint."""


@dataclass(frozen=True)
class Checked:
    """What verified evidence shows: these entries, under this checkpoint."""

    checkpoint: Checkpoint
    entries: tuple[dict[str, Any], ...]
    unsealed: int


def check(evidence_json: bytes, vkey: str) -> Checked:
    """Return what the evidence shows, or raise `EvidenceInvalid`.

    `vkey` comes from elsewhere than the evidence: from whoever operates the log.
    """
    try:
        return check_with(evidence_json, [Verifier.parse(vkey)])
    except KeyInvalid as error:
        raise EvidenceInvalid(str(error)) from error


def check_with(evidence_json: bytes, trusted: Iterable[Verifier]) -> Checked:
    """Return what the evidence shows under the trusted keys of its log: of each type, one signed.

    Raise `KeyUntrusted` when none of a type did, else `EvidenceInvalid`.
    """
    try:
        bundle = canonical.loads(evidence_json)
        if not isinstance(bundle, dict) or bundle.keys() != _MEMBERS or bundle["v"] != 1:
            raise EvidenceInvalid("not the members of evidence of version 1")
        return _check(dict(bundle), list(trusted))
    except (KeyError, TypeError, AttributeError) as error:
        raise EvidenceInvalid(f"a member has a value it cannot have: {error}") from error
    except (NotCanonical, KeyInvalid, note.NoteInvalid, CheckpointInvalid) as error:
        raise EvidenceInvalid(str(error)) from error


def _check(bundle: dict[str, Any], trusted: Sequence[Verifier]) -> Checked:
    own = [one for one in trusted if one.name == bundle["origin"]]
    if not own:
        raise KeyUntrusted(f"no key of {bundle['origin']} is trusted")
    try:
        opened = note.open(bundle["checkpoint"], own)
    except note.NoteUnsigned as error:
        raise KeyUntrusted(
            f"no trusted key of {bundle['origin']} signed the checkpoint: after a change of keys, "
            "the ones in force at its size are needed"
        ) from error
    # A log signs with keys of several types so that one that is stolen or broken forges nothing; of
    # which keys were in force, evidence has no history. A key is followed by one of its own type.
    types = {one.algorithm for one in own} - {one.verifier.algorithm for one in opened.verified}
    if types:
        raise KeyUntrusted(
            f"of the trusted keys of {bundle['origin']} those of one type did not sign the "
            "checkpoint: a log's keys of each type sign"
        )
    signed = Checkpoint.parse(opened.text)
    if signed.origin != bundle["origin"] or signed.size != bundle["tree_size"]:
        raise EvidenceInvalid("the checkpoint is not the one that the evidence names")
    entries = [_entry(item, signed) for item in bundle["entries"]]
    indices = [item["index"] for item in bundle["entries"]]
    if indices != sorted(set(indices)):
        raise EvidenceInvalid("the entries are not in the order of the log")
    digests = {
        (entry["record"], entry["record_id"], entry["record_seq"]): item["digest"]
        for entry, item in zip(entries, bundle["entries"], strict=True)
    }
    unsealed = {
        (item["record"], item["record_id"], item["record_seq"]) for item in bundle["unsealed"]
    }
    for named in bundle["records"]:
        _complete(named["record"], named["id"], entries, digests, unsealed)
    return Checked(signed, tuple(entries), len(bundle["unsealed"]))


def _entry(item: dict[str, Any], signed: Checkpoint) -> dict[str, Any]:
    place = f"leaf {item['index']}"
    body = item["body"].encode()
    digest = leaf.entry_digest(body)
    if digest.hex() != item["digest"]:
        raise EvidenceInvalid(f"{place}: the body is not the one of the digest")
    try:
        found = Leaf(
            origin=signed.origin,
            index=item["index"],
            digest=digest,
            previous=bytes.fromhex(item["previous"]),
        )
        proof = [bytes.fromhex(one) for one in item["proof"]]
        merkle.verify_inclusion(found.hash, item["index"], signed.size, proof, signed.root)
        members = entry_form.parse(body)
    except (LeafInvalid, ProofInvalid, NotCanonical, EntryMalformed, ValueError) as error:
        raise EvidenceInvalid(f"{place}: {error}") from error
    if members["log"] != signed.origin:
        raise EvidenceInvalid(f"{place}: an entry of another log, {members['log']}")
    return members


def _complete(
    record: str,
    record_id: str,
    entries: list[dict[str, Any]],
    digests: dict[tuple[str, str, int], str],
    unsealed: set[tuple[str, str, int]],
) -> None:
    """Demand that a record's entries are numbered without a gap, each naming the one before."""
    own = [one for one in entries if (one["record"], one["record_id"]) == (record, record_id)]
    before: dict[str, Any] | None = None
    for entry in own:
        is_first = before is None or before["op"] == "delete"
        expected = 1 if before is None or is_first else before["record_seq"] + 1
        previous = None if is_first else digests[record, record_id, expected - 1]
        if entry["record_seq"] != expected or entry["prev"] != previous:
            raise EvidenceInvalid(
                f"{record} {record_id}: entry {expected} is missing or does not follow"
            )
        before = entry
    following = sorted(seq for name, id_, seq in unsealed if (name, id_) == (record, record_id))
    start = 1 if before is None or before["op"] == "delete" else before["record_seq"] + 1
    if following and following[0] not in {start, 1}:
        raise EvidenceInvalid(f"{record} {record_id}: entry {start} is missing")
