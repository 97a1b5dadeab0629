"""Test the whole of tree, notes and checkpoints on logs that others published."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from compliance.trail.tlog import keys, merkle, note, octets, tiles
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier

pytestmark = pytest.mark.shared


def hashes_in(*files: Path) -> list[bytes]:
    data = b"".join(file.read_bytes() for file in files)
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def entries_in(bundle: bytes) -> Iterator[bytes]:
    """Yield the entries of a C2SP tlog-tiles bundle: each behind its length in two bytes."""
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]


def test_a_log_of_15_entries_is_verified_at_every_published_size(shared: Path) -> None:
    folder = shared / "vectors" / "tlog_tessera15"
    verifier = Verifier.parse((folder / "log.vkey").read_text().strip())
    seen = {}

    for file in sorted(folder.glob("checkpoint*")):
        opened = note.open(file.read_bytes(), [verifier])
        checkpoint = Checkpoint.parse(opened.text)
        assert opened.names == {checkpoint.origin} == {"example.com/log/testdata"}
        bundle = (folder / f"tile/entries/000.p/{checkpoint.size}").read_bytes()
        leaves = [merkle.leaf_hash(entry) for entry in entries_in(bundle)]
        assert leaves == hashes_in(folder / f"tile/0/000.p/{checkpoint.size}")
        assert merkle.root_of(leaves) == checkpoint.root
        assert len(leaves) == checkpoint.size
        seen[checkpoint.size] = checkpoint.root

    reader = tiles.Leaves(leaves for leaves in hashes_in(folder / "tile/0/000.p/15"))
    for new, new_root in seen.items():
        for old, old_root in seen.items():
            if old <= new:
                proof = merkle.consistency_proof(old, new, reader)
                merkle.verify_consistency(old, new, proof, old_root, new_root)
    assert sorted(seen) == [1, 3, 5, 7, 9, 11, 13, 15]


def test_a_mirror_of_300_entries_is_verified_from_its_tiles(shared: Path) -> None:
    mirror = shared / "vectors" / "tlog_sunlight300" / "witness" / "mirror"
    [folder] = [path for path in mirror.iterdir() if path.is_dir()]
    verifier = Verifier.parse(
        json.loads((mirror / "mirror.v0.json").read_bytes())["verifier_keys"][0]
    )
    stored = {
        0: hashes_in(folder / "tile/0/000", folder / "tile/0/001.p/44"),
        8: hashes_in(folder / "tile/1/000.p/1"),
    }

    def fetch(level: int, start: int, count: int) -> Sequence[bytes]:
        return stored[level][start : start + count]

    opened = note.open((folder / "checkpoint").read_bytes(), [verifier])
    checkpoint = Checkpoint.parse(opened.text)
    [cosignature] = opened.verified
    reader = tiles.TiledReader(fetch)
    assert cosignature.at == 1_767_139_200
    assert checkpoint.size == len(stored[0]) == 300
    assert merkle.root_at(300, reader) == merkle.root_of(stored[0]) == checkpoint.root
    assert merkle.root_of(stored[0][:256]) == stored[8][0]
    for index in (0, 255, 256, 299):
        proof = merkle.inclusion_proof(index, 300, reader)
        merkle.verify_inclusion(stored[0][index], index, 300, proof, checkpoint.root)


def test_the_example_note_of_the_specification_opens(shared: Path) -> None:
    example = json.loads((shared / "vectors" / "c2sp" / "signed_note_example.json").read_bytes())
    verifier = Verifier.parse(example["vkey"])

    assert verifier.vkey == example["vkey"]
    assert note.open(example["note"], [verifier]).text == "This is an example message.\n"


def test_the_example_checkpoint_of_the_specification_is_read(shared: Path) -> None:
    data = (shared / "vectors" / "c2sp" / "checkpoint_example.txt").read_bytes()
    text, signatures = note.split(data)
    checkpoint = Checkpoint.parse(text)

    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text
    assert text + "\n" + "".join(one.line for one in signatures) == data.decode()


def test_the_example_of_a_witness_request_carries_a_checkpoint(shared: Path) -> None:
    data = (shared / "vectors" / "c2sp" / "add_checkpoint_example.txt").read_text()
    head, _, body = data.partition("\n\n")
    text, signatures = note.split(body)

    assert head.startswith("old 20852014\n")
    assert Checkpoint.parse(text).size == 20852163
    assert [one.key_id.hex() for one in signatures] == ["033de0ae", "a292ea05"]


def test_a_published_witness_conversation_gets_the_published_answers(shared: Path) -> None:
    [file] = (shared / "vectors" / "witness_protocol").iterdir()
    conversation = json.loads(file.read_bytes())
    bodies = [one["body"] for one in conversation["exchanges"]]
    origin = note.split(bodies[0].partition("\n\n")[2])[1][0].name
    public_key = bytes.fromhex(conversation["log_ed25519_pub_hex"][0])
    log = Verifier(origin, keys.ED25519, public_key)
    size, root = 0, merkle.EMPTY_ROOT
    answers = []

    for body in bodies:
        head, _, signed = body.partition("\n\n")
        old, *proof = head.split("\n")
        try:
            checkpoint = Checkpoint.parse(note.open(signed, [log]).text)
            if old != f"old {size}":
                answers.append(409)
                continue
            steps = [octets.from_base64(step) for step in proof]
            merkle.verify_consistency(size, checkpoint.size, steps, root, checkpoint.root)
        except note.NoteInvalid:
            answers.append(403)
        except merkle.ProofInvalid:
            answers.append(422)
        else:
            size, root = checkpoint.size, checkpoint.root
            answers.append(200)

    assert answers == [one["status"] for one in conversation["exchanges"]]
    assert answers == [200, 403, 403, 422, 422, 200, 409, 200, 409]
