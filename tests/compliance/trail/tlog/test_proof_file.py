"""A proof file has one form, and proves one leaf at one index under one policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.trail.tlog import merkle, note, octets
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import COSIGNATURE_V1, KeyPair
from compliance.trail.tlog.policy import Policy
from compliance.trail.tlog.proof_file import ProofFile, ProofFileInvalid, ProofRefused
from compliance.trail.tlog.tiles import Leaves

LOG = KeyPair.generate("example.com/log")
WITNESS = KeyPair.generate("witness.example/w", algorithm=COSIGNATURE_V1)
POLICY = Policy.parse(f"log {LOG.verifier.vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(70)]
TREE = Leaves(LEAVES)


def proof_of(index: int, size: int, *, extra: bytes | None = None, at: int = 1000) -> ProofFile:
    text = Checkpoint(origin=LOG.name, size=size, root=merkle.root_at(size, TREE)).text()
    signed = note.add(note.sign(text, [LOG]), [note.signature_of(text, WITNESS, at=at)])
    steps = tuple(merkle.inclusion_proof(index, size, TREE))
    return ProofFile(index=index, steps=steps, checkpoint=signed, extra=extra)


def test_every_leaf_of_every_tree_up_to_seventy_is_proven_and_read_back() -> None:
    for size in range(1, 71):
        for index in range(0, size, 1 if size < 20 else 7):
            proof = proof_of(index, size)

            read = ProofFile.parse(proof.text())
            verdict = read.verify(leaf_hash=LEAVES[index], policy=POLICY)

            assert read == proof
            assert read.text() == proof.text()
            assert (verdict.checkpoint.size, verdict.cosigned) == (size, {"w": 1000})


def test_the_file_looks_as_in_the_specification() -> None:
    proof = proof_of(2, 5, extra=b"opaque")

    lines = proof.text().split("\n")

    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra b3BhcXVl", "index 2"]
    assert lines[3:6] == [octets.to_base64(one) for one in proof.steps]
    assert lines[6:9] == ["", "example.com/log", "5"]
    assert proof.text().endswith("\n\n" + proof.checkpoint)


@given(st.binary(min_size=1, max_size=500))
def test_extra_data_comes_back_as_it_was(extra: bytes) -> None:
    assert ProofFile.parse(proof_of(0, 1, extra=extra).text()).extra == extra


def test_another_leaf_another_index_or_another_path_is_refused() -> None:
    good = proof_of(3, 9)
    signed = good.checkpoint
    bad = [
        (good, LEAVES[4]),
        (ProofFile(index=4, steps=good.steps, checkpoint=signed), LEAVES[3]),
        (ProofFile(index=9, steps=good.steps, checkpoint=signed), LEAVES[3]),
        (ProofFile(index=3, steps=good.steps[:-1], checkpoint=signed), LEAVES[3]),
        (ProofFile(index=3, steps=(*good.steps, good.steps[0]), checkpoint=signed), LEAVES[3]),
        (ProofFile(index=3, steps=good.steps[::-1], checkpoint=signed), LEAVES[3]),
        (ProofFile(index=3, steps=good.steps, checkpoint=proof_of(3, 10).checkpoint), LEAVES[3]),
        (good, merkle.node_hash(LEAVES[2], LEAVES[3])),
    ]

    for proof, leaf in bad:
        with pytest.raises(ProofRefused):
            proof.verify(leaf_hash=leaf, policy=POLICY)


def test_a_quorum_that_is_not_met_is_refused_with_who_is_missing() -> None:
    good = proof_of(3, 9)
    text, _ = note.split(good.checkpoint)
    unwitnessed = ProofFile(index=3, steps=good.steps, checkpoint=note.sign(text, [LOG]))

    with pytest.raises(ProofRefused, match="witness w did not cosign"):
        unwitnessed.verify(leaf_hash=LEAVES[3], policy=POLICY)
    with pytest.raises(ProofRefused, match="witness w did not cosign"):
        good.verify(leaf_hash=LEAVES[3], policy=POLICY, latest=999)


def test_a_checkpoint_of_a_stranger_is_refused() -> None:
    good = proof_of(3, 9)
    text, _ = note.split(good.checkpoint)
    stranger = KeyPair.generate(LOG.name)
    forged = ProofFile(index=3, steps=good.steps, checkpoint=note.sign(text, [stranger]))

    with pytest.raises(ProofRefused):
        forged.verify(leaf_hash=LEAVES[3], policy=POLICY)


GOOD = proof_of(2, 5, extra=b"opaque").text()


@pytest.mark.parametrize(
    "content",
    [
        "",
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("\n", "\r\n"),
        "\n" + GOOD,
        GOOD + "\n",
        GOOD[:-1],
        GOOD.replace("index 2", "index 02"),
        GOOD.replace("index 2", "index +2"),
        GOOD.replace("index 2", "index  2"),
        GOOD.replace("index 2", "index ٢"),
        GOOD.replace("index 2", "index 9223372036854775807"),
        GOOD.replace("index 2\n", ""),
        GOOD.replace("extra b3BhcXVl", "extra "),
        GOOD.replace("extra b3BhcXVl", "extra b3BhcXV"),
        GOOD.replace("extra b3BhcXVl\n", "extra b3BhcXVl\nextra b3BhcXVl\n"),
        GOOD.replace("extra b3BhcXVl\nindex 2", "index 2\nextra b3BhcXVl"),
        GOOD.replace("index 2\n", "index 2\n\n"),
        GOOD.replace("index 2\n", "index 2\nAAAA\n"),
        GOOD.replace("index 2\n", "index 2\n" + ("A" * 43 + "=\n") * 61),
        GOOD.replace("index 2\n", "index 2\n" + "A" * 42 + "B=\n"),
        GOOD.partition("\n\n")[0] + "\n\n",
        GOOD.partition("\n\n")[0],
        GOOD.encode().replace(b"opaque", b"") + b"\xff",
        GOOD.replace("example.com/log\n5\n", "example.com/log\n05\n"),
    ],
)
def test_a_second_form_is_no_proof_file(content: str | bytes) -> None:
    with pytest.raises(ProofFileInvalid):
        ProofFile.parse(content)
