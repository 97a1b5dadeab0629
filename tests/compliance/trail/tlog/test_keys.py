"""Test the text forms of keys and what their signatures are accepted for."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import keys
from compliance.trail.tlog.keys import KeyPair, Verifier

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)

# The published example pair of golang.org/x/mod/sumdb/note.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

PAIR = KeyPair("plant.example/log", keys.ED25519, bytes(range(32)))
WITNESS = KeyPair("plant.example/witness", keys.COSIGNATURE_V1, bytes(range(1, 33)))


def test_the_published_pair_is_read_and_written() -> None:
    pair = KeyPair.parse(SKEY)

    assert pair.skey == SKEY
    assert pair.verifier.vkey == VKEY
    assert Verifier.parse(VKEY) == pair.verifier


@pytest.mark.parametrize("algorithm", [keys.ED25519, keys.COSIGNATURE_V1, keys.ML_DSA_44])
def test_a_generated_key_survives_its_text_forms(algorithm: int) -> None:
    pair = KeyPair.generate("plant.example/new", algorithm=algorithm)

    assert KeyPair.parse(pair.skey) == pair
    assert Verifier.parse(pair.verifier.vkey) == pair.verifier
    assert pair != KeyPair.generate("plant.example/new", algorithm=algorithm)


def test_one_key_in_two_roles_has_two_ids() -> None:
    as_log = KeyPair("a", keys.ED25519, bytes(32)).verifier
    as_witness = KeyPair("a", keys.COSIGNATURE_V1, bytes(32)).verifier

    assert as_log.public_key == as_witness.public_key
    assert as_log.key_id != as_witness.key_id


def test_a_private_key_is_not_shown() -> None:
    assert PAIR.seed.hex() not in repr(PAIR)
    assert repr(PAIR.seed) not in repr(PAIR)


def test_a_signature_verifies_for_its_text_only() -> None:
    signature = PAIR.sign("text\n")

    assert PAIR.verifier.verify("text\n", signature) is None
    for text, wrong in (("text", signature), ("text\n", signature[:-1]), ("text\n", b"")):
        with pytest.raises(keys.SignatureInvalid, match=r"plant\.example/log"):
            PAIR.verifier.verify(text, wrong)


def test_a_cosignature_signs_its_time() -> None:
    signature = WITNESS.sign("text\n", at=1_700_000_000)
    later = (1_700_000_001).to_bytes(8, "big") + signature[8:]

    assert WITNESS.verifier.verify("text\n", signature) == 1_700_000_000
    for wrong in (later, signature[8:], signature[:7], b"\xff" * 8 + signature[8:]):
        with pytest.raises(keys.SignatureInvalid):
            WITNESS.verifier.verify("text\n", wrong)


def test_a_time_above_the_limit_is_refused_even_when_signed() -> None:
    at = keys.MAX_TIMESTAMP + 1
    raw = KeyPair(WITNESS.name, keys.ED25519, WITNESS.seed)
    signed = raw.sign(keys.cosigned_message("text\n", at).decode())

    with pytest.raises(keys.SignatureInvalid):
        WITNESS.verifier.verify("text\n", at.to_bytes(8, "big") + signed)


@pytest.mark.parametrize("at", [None, -1, 2**63])
def test_a_cosignature_without_a_possible_time_is_refused(at: int | None) -> None:
    with pytest.raises(ValueError, match="POSIX time"):
        WITNESS.sign("text\n", at=at)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2028", "a\n", "a\x00"])
def test_a_name_that_no_note_can_have_is_refused(name: str) -> None:
    with pytest.raises(keys.KeyInvalid):
        KeyPair.generate(name)
    with pytest.raises(keys.KeyInvalid):
        Verifier(name, keys.ED25519, PAIR.verifier.public_key)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        VKEY.replace("c74f20a3", "C74F20A3"),
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("c74f20a3", "c74f20a"),
        VKEY.replace("c74f20a3", " c74f20a3"),
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        VKEY.replace("PeterNeumann", "PeterNeumanN"),
        VKEY.replace("+ARpc", "+AhpC"),
        VKEY.replace("+ARpc", "+BBpc"),
        VKEY + "\n",
        VKEY[:-4],
        VKEY[:-1] + "=",
        "PeterNeumann+c74f20a3+",
        SKEY,
    ],
)
def test_another_text_is_no_public_key(vkey: str) -> None:
    with pytest.raises(keys.KeyInvalid):
        Verifier.parse(vkey)


@pytest.mark.parametrize(
    "skey", ["", VKEY, SKEY[1:], SKEY[:-4], SKEY.replace("c74f20a3", "c74f20a4")]
)
def test_another_text_is_no_private_key(skey: str) -> None:
    with pytest.raises(keys.KeyInvalid):
        KeyPair.parse(skey)


def test_an_algorithm_that_is_not_known_is_refused() -> None:
    with pytest.raises(keys.KeyInvalid, match="0x07"):
        Verifier("plant.example/log", 0x07, bytes(1312))


@PROPERTY
@given(st.text(max_size=40))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    with pytest.raises(keys.KeyInvalid):
        Verifier.parse(text)
    with pytest.raises(keys.KeyInvalid):
        KeyPair.parse("PRIVATE+KEY+" + text)


def verifies(public_key: str, message: bytes, signature: str) -> bool:
    try:
        keys.verify_ed25519(bytes.fromhex(public_key), message, bytes.fromhex(signature))
    except InvalidSignature:
        return False
    return True


@pytest.mark.shared
def test_the_published_ed25519_verdicts_are_met(shared: Path) -> None:
    groups = json.loads((shared / "vectors" / "wycheproof" / "ed25519_test.json").read_bytes())
    verdicts = [
        (
            test["tcId"],
            test["result"] == "valid",
            verifies(group["publicKey"]["pk"], bytes.fromhex(test["msg"]), test["sig"]),
        )
        for group in groups["testGroups"]
        for test in group["tests"]
    ]

    assert len(verdicts) == groups["numberOfTests"] == 76
    assert not [number for number, expected, got in verdicts if expected != got]


@pytest.mark.shared
def test_the_behaviour_of_the_library_at_the_edges_is_pinned(shared: Path) -> None:
    """Cofactorless, and R is compared as bytes: an update that changes this is a decision."""
    vectors = json.loads((shared / "vectors" / "cctv" / "ed25519vectors.json").read_bytes())
    verdicts = {
        one["number"]: verifies(one["key"], one["msg"].encode(), one["sig"]) for one in vectors
    }

    assert (len(vectors), sum(verdicts.values())) == (457, 45)
    for one in vectors:
        refused = {"low_order_residue", "non_canonical_R"} & set(one["flags"] or [])
        assert verdicts[one["number"]] == (not refused), one["number"]


@pytest.mark.shared
def test_a_key_of_small_order_or_in_a_second_spelling_is_refused(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "cctv" / "ed25519vectors.json").read_bytes())
    weak = {"low_order_A", "non_canonical_A"}
    flags = {one["key"]: bool(weak & set(one["flags"] or [])) for one in vectors}

    assert sum(flags.values()) >= 8
    for key, is_weak in flags.items():
        try:
            Verifier("plant.example/log", keys.ED25519, bytes.fromhex(key))
        except keys.KeyInvalid:
            assert is_weak, key
        else:
            assert not is_weak, key
