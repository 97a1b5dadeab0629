"""Verdicts on published logs and on the texts of the C2SP specifications."""

import json
from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

from compliance.trail.tlog import keys, merkle, note, octets, tiles
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family


@family("Tessera log of 15 entries", least=100)
def tessera(vectors: Path) -> Iterator[Verdict]:
    folder = vectors / "tlog_tessera15"
    verifier = Verifier.parse((folder / "log.vkey").read_text().strip())
    roots: dict[int, bytes] = {}
    for file in sorted(folder.glob("checkpoint*")):
        opened = note.open(file.read_bytes(), [verifier])
        checkpoint = Checkpoint.parse(opened.text)
        roots[checkpoint.size] = checkpoint.root
        yield Verdict(f"{file.name} is signed", True, opened.names == {checkpoint.origin})
        stored = _hashes(folder / f"tile/0/000.p/{checkpoint.size}")
        bundle = (folder / f"tile/entries/000.p/{checkpoint.size}").read_bytes()
        leaves = [merkle.leaf_hash(entry) for entry in _entries(bundle)]
        yield Verdict(f"{file.name} has the entries of its tile", True, leaves == stored)
        got = len(leaves), merkle.root_of(leaves)
        yield Verdict(
            f"{file.name} has their root", True, got == (checkpoint.size, checkpoint.root)
        )
    yield from _proofs(roots, _hashes(folder / f"tile/0/000.p/{max(roots)}"))


def _proofs(roots: dict[int, bytes], leaves: Sequence[bytes]) -> Iterator[Verdict]:
    """Prove every pair of published roots, and every entry below every one of them."""
    reader = tiles.Leaves(leaves)
    for old, new in combinations_with_replacement(sorted(roots), 2):
        proven = old, new, merkle.consistency_proof(old, new, reader), roots[old], roots[new]
        got = accepts(merkle.ProofInvalid, merkle.verify_consistency, *proven)
        yield Verdict(f"{old} to {new}", True, got)
    for size, root in roots.items():
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, reader)
            included = leaves[index], index, size, proof, root
            got = accepts(merkle.ProofInvalid, merkle.verify_inclusion, *included)
            yield Verdict(f"{index} in {size}", True, got)


@family("Sunlight mirror of 300 entries", least=300)
def sunlight(vectors: Path) -> Iterator[Verdict]:
    mirror = vectors / "tlog_sunlight300" / "witness" / "mirror"
    [vkey] = json.loads((mirror / "mirror.v0.json").read_bytes())["verifier_keys"]
    [folder] = [path for path in mirror.iterdir() if path.is_dir()]
    opened = note.open((folder / "checkpoint").read_bytes(), [Verifier.parse(vkey)])
    checkpoint = Checkpoint.parse(opened.text)
    yield Verdict("cosignature", True, [one.at for one in opened.verified] == [1_767_139_200])
    stored = {
        0: _hashes(folder / "tile/0/000", folder / "tile/0/001.p/44"),
        8: _hashes(folder / "tile/1/000.p/1"),
    }

    def fetch(level: int, start: int, count: int) -> Sequence[bytes]:
        return stored[level][start : start + count]

    reader = tiles.TiledReader(fetch)
    root = checkpoint.size, checkpoint.root
    yield Verdict("size", True, checkpoint.size == len(stored[0]) == 300)
    yield Verdict("root of the leaves", True, root == (300, merkle.root_of(stored[0])))
    yield Verdict("root of the tiles", True, root == (300, merkle.root_at(300, reader)))
    yield Verdict("full tile", True, stored[8] == [merkle.root_of(stored[0][:256])])
    decoy = accepts(note.NoteInvalid, note.open, (mirror / "checkpoint").read_bytes(), [])
    yield Verdict("decoy", False, decoy)
    for index, leaf in enumerate(stored[0]):
        proof = merkle.inclusion_proof(index, 300, reader)
        included = leaf, index, 300, proof, checkpoint.root
        got = accepts(merkle.ProofInvalid, merkle.verify_inclusion, *included)
        yield Verdict(f"entry {index}", True, got)


@family("C2SP notes, checkpoints, requests", least=7)
def c2sp(vectors: Path) -> Iterator[Verdict]:
    folder = vectors / "c2sp"
    example = json.loads((folder / "signed_note_example.json").read_bytes())
    verifier = Verifier.parse(example["vkey"])
    opened = note.open(example["note"], [verifier])
    yield Verdict("key", True, verifier.vkey == example["vkey"])
    yield Verdict("note", True, opened.text == "This is an example message.\n")
    forged = example["note"].replace("an example", "another")
    yield Verdict("forged note", False, accepts(note.NoteInvalid, note.open, forged, [verifier]))
    signed = (folder / "checkpoint_example.txt").read_text()
    text, signatures = note.split(signed)
    checkpoint = Checkpoint.parse(text)
    named = checkpoint.origin, checkpoint.size, checkpoint.text()
    yield Verdict("checkpoint", True, named == ("example.com/behind-the-sofa", 20852163, text))
    yield Verdict("lines", True, f"{text}\n{''.join(one.line for one in signatures)}" == signed)
    old, proof, signed = _request((folder / "add_checkpoint_example.txt").read_text())
    yield Verdict("request", True, (old, [len(step) for step in proof]) == (20852014, [32] * 4))
    text, signatures = note.split(signed)
    ids = [one.key_id.hex() for one in signatures]
    got = (Checkpoint.parse(text).size, ids) == (20852163, ["033de0ae", "a292ea05"])
    yield Verdict("checkpoint of the request", True, got)


@family("witness requests (answers of pure code)", least=18)
def witness(vectors: Path) -> Iterator[Verdict]:
    """Read each request; say by the core alone what a witness answers that saw those before.

    The running witness has tests of its own. An unknown log got 403 here, and gets 404 today.
    """
    [file] = (vectors / "witness_protocol").iterdir()
    conversation = json.loads(file.read_bytes())
    exchanges = conversation["exchanges"]
    origin = note.split(_request(exchanges[0]["body"])[2])[1][0].name
    public_key = bytes.fromhex(conversation["log_ed25519_pub_hex"][0])
    log, seen = Verifier(origin, keys.ED25519, public_key), (0, merkle.EMPTY_ROOT)
    for number, exchange in enumerate(exchanges):
        old, proof, signed = _request(exchange["body"])
        read = f"old {old}\n" + "".join(f"{octets.to_base64(step)}\n" for step in proof)
        yield Verdict(f"request {number} is read", True, f"{read}\n{signed}" == exchange["body"])
        status, seen = _answer(log, seen, old, proof, signed)
        accepted = exchange["status"] == 200
        got = status == 200 if status == exchange["status"] else not accepted
        yield Verdict(f"request {number} gets {exchange['status']}", accepted, got)


def _answer(
    log: Verifier, seen: tuple[int, bytes], old: int, proof: Sequence[bytes], signed: str
) -> tuple[int, tuple[int, bytes]]:
    try:
        checkpoint = Checkpoint.parse(note.open(signed, [log]).text)
        if old != seen[0]:
            return 409, seen
        merkle.verify_consistency(old, checkpoint.size, proof, seen[1], checkpoint.root)
    except note.NoteInvalid:
        return 403, seen
    except merkle.ProofInvalid:
        return 422, seen
    return 200, (checkpoint.size, checkpoint.root)


def _request(body: str) -> tuple[int, list[bytes], str]:
    """Split the body of add-checkpoint: old size, consistency proof, note (C2SP tlog-witness)."""
    head, _, signed = body.partition("\n\n")
    first, *proof = head.split("\n")
    return int(first.removeprefix("old ")), [octets.from_base64(step) for step in proof], signed


def _hashes(*files: Path) -> list[bytes]:
    data = b"".join(file.read_bytes() for file in files)
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def _entries(bundle: bytes) -> Iterator[bytes]:
    """Yield the entries of a C2SP tlog-tiles bundle: each behind its length in two bytes."""
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]
