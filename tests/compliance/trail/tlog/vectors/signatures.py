"""Verdicts of Wycheproof and CCTV on the signatures and MACs of the libraries we use."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from compliance.trail.tlog import keys
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family

REFUSALS = (InvalidSignature, ValueError)  # ValueError: no key, no signature, or no context at all

# What the library accepts of CCTV: exactly these sets of flags, with so many vectors each (the
# part that is shared here). An update that changes it is a decision: signatures that verified
# must go on to do so, and others must not start to.
#   A low_order_A  R low_order_R  a low_order_component_A  r low_order_component_R
#   e low_order_residue  X non_canonical_A  Y non_canonical_R  k reencoded_k
CCTV_ACCEPTED = {
    "AR": 1,
    "ARX": 2,
    "ARa": 7,
    "ARaX": 3,
    "AX": 1,
    "AXk": 2,
    "Aa": 7,
    "AaX": 3,
    "AaXk": 2,
    "AarXk": 2,
    "R": 1,
    "Ra": 7,
    "a": 7,
}
CCTV_LETTERS = {
    "low_order_A": "A",
    "low_order_R": "R",
    "low_order_component_A": "a",
    "low_order_component_R": "r",
    "low_order_residue": "e",
    "non_canonical_A": "X",
    "non_canonical_R": "Y",
    "reencoded_k": "k",
}


@family("Wycheproof Ed25519", least=76)
def ed25519(vectors: Path) -> Iterator[Verdict]:
    for group, test in _tests(vectors, "ed25519_test"):
        signed = bytes.fromhex(group["publicKey"]["pk"]), test["msg"], test["sig"]
        yield _verdict(test, accepts(REFUSALS, keys.verify_ed25519, *signed))


@family("CCTV Ed25519 (library behaviour)", least=457)
def cctv(vectors: Path) -> Iterator[Verdict]:
    for one in json.loads((vectors / "cctv" / "ed25519vectors.json").read_bytes()):
        key, signature = bytes.fromhex(one["key"]), bytes.fromhex(one["sig"])
        got = accepts(REFUSALS, keys.verify_ed25519, key, one["msg"].encode(), signature)
        letters = cctv_letters(one)
        yield Verdict(f"{one['number']} {letters}", letters in CCTV_ACCEPTED, got)


def cctv_letters(vector: dict[str, Any]) -> str:
    """Return the flags of a CCTV vector, one letter each."""
    flags = set(vector["flags"] or [])
    return "".join(letter for flag, letter in CCTV_LETTERS.items() if flag in flags)


@family("Wycheproof ML-DSA-44 verify", least=90)
def mldsa_44(vectors: Path) -> Iterator[Verdict]:
    yield from _mldsa(vectors, "mldsa_44_verify_test", mldsa.MLDSA44PublicKey)


@family("Wycheproof ML-DSA-65 verify", least=105)
def mldsa_65(vectors: Path) -> Iterator[Verdict]:
    yield from _mldsa(vectors, "mldsa_65_verify_test", mldsa.MLDSA65PublicKey)


@family("Wycheproof ML-DSA-44 sign from seed", least=43)
def mldsa_44_sign(vectors: Path) -> Iterator[Verdict]:
    """Derive the key from the seed and sign; the library signs hedged, so bytes differ."""
    for group, test in _tests(vectors, "mldsa_44_sign_seed_test"):
        got = accepts(REFUSALS, _sign_and_verify, group, test)
        yield _verdict(test, got)


@family("Wycheproof ECDSA P-256 with SHA-256", least=242)
def ecdsa(vectors: Path) -> Iterator[Verdict]:
    """Rekor and time-stamp authorities sign with it; the trail itself does not."""
    scheme = ec.ECDSA(hashes.SHA256())
    for group, test in _tests(vectors, "ecdsa_secp256r1_sha256_test"):
        key = serialization.load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        yield _verdict(test, accepts(REFUSALS, key.verify, test["sig"], test["msg"], scheme))


@family("Wycheproof HMAC-SHA256", least=87)
def hmac_sha256(vectors: Path) -> Iterator[Verdict]:
    """Run Python's own, under the sessions and signed values of Django; the log has no MAC."""
    for group, test in _tests(vectors, "hmac_sha256_test"):
        tag = hmac.digest(bytes.fromhex(test["key"]), test["msg"], hashlib.sha256)
        expected = bytes.fromhex(test["tag"])
        yield _verdict(test, hmac.compare_digest(tag[: group["tagSize"] // 8], expected))


def verify_mldsa(
    kind: Any, public_key: bytes, message: bytes, signature: bytes, ctx: bytes
) -> None:
    """Raise `InvalidSignature` or `ValueError` unless this key signed this message."""
    kind.from_public_bytes(public_key).verify(signature, message, ctx)


def _mldsa(vectors: Path, file: str, kind: Any) -> Iterator[Verdict]:
    for group, test in _tests(vectors, file):
        public_key, ctx = bytes.fromhex(group["publicKey"]), bytes.fromhex(test.get("ctx", ""))
        signed = kind, public_key, test["msg"], test["sig"], ctx
        yield _verdict(test, accepts(REFUSALS, verify_mldsa, *signed))


def _sign_and_verify(group: dict[str, Any], test: dict[str, Any]) -> None:
    key = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(group["privateSeed"]))
    public, ctx = key.public_key(), bytes.fromhex(test.get("ctx", ""))
    if public.public_bytes_raw().hex() != group["publicKey"]:
        raise InvalidSignature
    if "msg" not in test:  # signed from mu, the digest of key, context and message
        mu = bytes.fromhex(test["mu"])
        public.verify_mu(test["sig"], mu)
        public.verify_mu(key.sign_mu(mu), mu)
        return
    signature = key.sign(test["msg"], ctx)
    public.verify(signature, test["msg"], ctx)
    public.verify(test["sig"], test["msg"], ctx)


def _tests(vectors: Path, file: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield group and test of a Wycheproof file, message and signature as bytes."""
    published = json.loads((vectors / "wycheproof" / f"{file}.json").read_bytes())
    groups = published["testGroups"]
    assert sum(len(group["tests"]) for group in groups) == published["numberOfTests"]
    for group in groups:
        for test in group["tests"]:
            binary = {key: bytes.fromhex(test[key]) for key in ("msg", "sig") if key in test}
            yield group, test | binary


def _verdict(test: dict[str, Any], got: bool) -> Verdict:
    return Verdict(f"{test['tcId']} {test['comment']}", test["result"] == "valid", got)
