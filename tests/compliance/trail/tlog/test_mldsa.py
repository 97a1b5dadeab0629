"""Test ML-DSA-44 note signatures, type 0x06 of C2SP tlog-cosignature."""

import json
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from dilithium_py.ml_dsa import ML_DSA_44

from compliance.trail.tlog import keys, note, schemes
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.keys import KeyPair, Verifier

AT = 1_679_315_147
ROOT = sha256(b"root").digest()
LOG = KeyPair("plant.example/log", keys.ML_DSA_44, bytes(range(32)))
WITNESS = KeyPair("witness.example/w1", keys.ML_DSA_44, bytes(range(1, 33)))
TEXT = Checkpoint(origin="plant.example/log", size=20852163, root=ROOT).text()


def struct_of_the_specification(
    name: bytes, at: int, origin: bytes, end: int, root: bytes
) -> bytes:
    """Pack cosigned_message with another tool than the code under test."""
    return struct.pack(
        f">12sB{len(name)}sQB{len(origin)}sQQ32s",
        b"subtree/v1\n\0", len(name), name, at, len(origin), origin, 0, end, root,
    )  # fmt: skip


def test_the_signed_message_is_the_struct_of_the_specification() -> None:
    message = schemes.cosigned_tree("witness.example/w1", TEXT, AT)

    assert message == struct_of_the_specification(
        b"witness.example/w1", AT, b"plant.example/log", 20852163, ROOT
    )
    assert message[:13] == b"subtree/v1\n\x00\x12"
    assert len(message) == 12 + 1 + 18 + 8 + 1 + 17 + 8 + 8 + 32


def test_the_key_id_is_the_one_of_the_specification() -> None:
    public_key = LOG.verifier.public_key

    assert len(public_key) == 1312
    assert LOG.verifier.key_id == sha256(b"plant.example/log\n\x06" + public_key).digest()[:4]


def test_a_second_implementation_accepts_our_signature_and_makes_the_same_key() -> None:
    signature = WITNESS.sign(TEXT, at=AT)
    message = struct_of_the_specification(
        b"witness.example/w1", AT, b"plant.example/log", 20852163, ROOT
    )

    public_key, _ = ML_DSA_44.key_derive(WITNESS.seed)

    assert public_key == WITNESS.verifier.public_key
    assert (len(signature), signature[:8]) == (8 + 2420, AT.to_bytes(8, "big"))
    assert ML_DSA_44.verify(public_key, message, signature[8:])
    assert not ML_DSA_44.verify(public_key, message + b"x", signature[8:])


def test_a_signature_of_a_second_implementation_is_accepted() -> None:
    public_key, private_key = ML_DSA_44.key_derive(bytes(32))
    verifier = Verifier("w.example", keys.ML_DSA_44, public_key)
    message = struct_of_the_specification(b"w.example", AT, b"plant.example/log", 20852163, ROOT)
    signature = AT.to_bytes(8, "big") + ML_DSA_44.sign(private_key, message)

    assert verifier.verify(TEXT, signature) == AT


def test_a_note_signed_by_log_and_witnesses_of_both_types_opens() -> None:
    old = KeyPair("plant.example/log", keys.ED25519, bytes(32))
    seen_by = KeyPair("witness.example/w2", keys.COSIGNATURE_V1, bytes(32))
    signers = [old, LOG, WITNESS, seen_by]

    opened = note.open(note.sign(TEXT, signers, at=AT), [one.verifier for one in signers])

    assert opened.text == TEXT
    assert [one.at for one in opened.verified] == [None, AT, AT, AT]


def test_a_time_of_zero_is_no_statement_of_time() -> None:
    assert WITNESS.verifier.verify(TEXT, WITNESS.sign(TEXT, at=0)) is None


@pytest.mark.parametrize("at", [None, -1, 2**63])
def test_a_signature_without_a_possible_time_is_refused(at: int | None) -> None:
    with pytest.raises(ValueError, match="POSIX time"):
        LOG.sign(TEXT, at=at)


def test_extension_lines_are_neither_signed_nor_accepted() -> None:
    signature = LOG.sign(TEXT, at=AT)

    with pytest.raises(CheckpointInvalid, match="extension lines"):
        LOG.sign(TEXT + "extension\n", at=AT)
    with pytest.raises(keys.SignatureInvalid):
        LOG.verifier.verify(TEXT + "extension\n", signature)


@pytest.mark.parametrize("text", ["", "text\n", TEXT[:-1], "x" * 256 + TEXT])
def test_another_text_than_a_checkpoint_is_neither_signed_nor_accepted(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        LOG.sign(text, at=AT)
    with pytest.raises(keys.SignatureInvalid):
        LOG.verifier.verify(text, LOG.sign(TEXT, at=AT))


def test_name_time_origin_size_and_root_are_all_signed() -> None:
    signature = LOG.sign(TEXT, at=AT)
    others = [
        Checkpoint(origin="plant.example/lob", size=20852163, root=ROOT),
        Checkpoint(origin="plant.example/log", size=20852162, root=ROOT),
        Checkpoint(origin="plant.example/log", size=20852163, root=sha256(b"").digest()),
    ]
    renamed = Verifier("plant.example/lot", keys.ML_DSA_44, LOG.verifier.public_key)

    for other in others:
        with pytest.raises(keys.SignatureInvalid):
            LOG.verifier.verify(other.text(), signature)
    with pytest.raises(keys.SignatureInvalid):
        renamed.verify(TEXT, signature)
    for wrong in (
        (AT + 1).to_bytes(8, "big") + signature[8:],
        signature[:-1],
        signature + b"\0",
        signature[8:],
        b"",
        b"\xff" * 8 + signature[8:],
    ):
        with pytest.raises(keys.SignatureInvalid):
            LOG.verifier.verify(TEXT, wrong)


def test_every_flipped_byte_of_a_signature_is_noticed() -> None:
    signature = LOG.sign(TEXT, at=AT)

    for position in range(0, len(signature), 41):
        altered = bytearray(signature)
        altered[position] ^= 1
        with pytest.raises(keys.SignatureInvalid):
            LOG.verifier.verify(TEXT, bytes(altered))


def test_a_name_longer_than_the_struct_can_hold_is_refused() -> None:
    assert KeyPair("n" * 255, keys.ML_DSA_44, bytes(32)).sign(TEXT, at=AT)

    with pytest.raises(keys.KeyInvalid):
        KeyPair("ü" * 128, keys.ML_DSA_44, bytes(32))
    with pytest.raises(keys.KeyInvalid):
        Verifier("n" * 256, keys.ML_DSA_44, LOG.verifier.public_key)


@pytest.mark.shared
def test_the_published_verdicts_are_met(shared: Path) -> None:
    file = shared / "vectors" / "wycheproof" / "mldsa_44_verify_test.json"
    groups = json.loads(file.read_bytes())
    wrong = []
    count = 0
    for group in groups["testGroups"]:
        for test in group["tests"]:
            if test.get("ctx"):  # C2SP signs with the empty context
                continue
            count += 1
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            try:
                schemes.verify_ml_dsa_44(bytes.fromhex(group["publicKey"]), message, signature)
                accepted = True
            except (InvalidSignature, ValueError):
                accepted = False
            if accepted != (test["result"] == "valid"):
                wrong.append(test["tcId"])

    assert count > 60
    assert wrong == []


@pytest.mark.shared
def test_the_published_seeds_give_the_published_keys(shared: Path) -> None:
    file = shared / "vectors" / "wycheproof" / "mldsa_44_sign_seed_test.json"
    groups = [
        group
        for group in json.loads(file.read_bytes())["testGroups"]
        if len(group["privateSeed"]) == 64
    ]

    assert groups
    for group in groups:
        key = MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(group["privateSeed"]))
        assert key.public_key().public_bytes_raw().hex() == group["publicKey"]
