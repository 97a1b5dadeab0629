"""Verdicts on Sigstore bundles: inclusion in Rekor, which counts only below a signed checkpoint."""

import base64
import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from compliance.trail.tlog import keys, merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family

# Public keys of Sigstore's staging logs. Each bundle names its log by a digest of the key:
# of the DER form for Rekor v1, of the C2SP key with its name for Rekor v2.
REKOR_V1 = base64.b64decode(
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDODRU688UYGuy54mNUlaEBiQdTE9nYLr0lg6RXowI/QV/RE1azBn4Eg5"
    "/2uTOMbhB1/gfcHzijzFi9Tk+g1Prg=="
)
REKOR_V2 = Verifier(
    "log2025-alpha1.rekor.sigstage.dev",
    keys.ED25519,
    base64.b64decode("Pn+AREHoBaZ7wgS1zBqpxmLSGnyhxXj4lFxSdWVB8o8="),
)


class BundleRefused(ValueError):
    """A bundle that does not show that a known log has the entry."""


class Unanchored(BundleRefused):
    """An inclusion proof under a root that nobody signed."""


@family("Sigstore bundles", least=30)
def bundles(vectors: Path) -> Iterator[Verdict]:
    for file in sorted((vectors / "sigstore_bundles").rglob("*.sigstore*")):
        bundle = json.loads(file.read_bytes())
        artifact = (file.parent / (file.name.partition(".txt")[0] + ".txt")).read_bytes()
        anchored = "no_checkpoint" not in file.name
        got = accepts(BundleRefused, verify, bundle, artifact)
        yield Verdict(file.name, anchored, got)
        for change, damaged in _damaged(bundle):
            got = accepts(BundleRefused, verify, damaged, artifact)
            yield Verdict(f"{file.name} with {change}", False, got)
        got = accepts(BundleRefused, verify, bundle, artifact + b"\n")
        yield Verdict(f"{file.name} for another artifact", False, got)


def verify(bundle: dict[str, Any], artifact: bytes) -> None:
    """Raise `BundleRefused` unless a known log has signed a tree with the entry of the artifact."""
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    body, proof = base64.b64decode(entry["canonicalizedBody"]), entry["inclusionProof"]
    index, size, root = _place(proof)
    steps = [base64.b64decode(step) for step in proof["hashes"]]
    try:
        merkle.verify_inclusion(merkle.leaf_hash(body), index, size, steps, root)
    except merkle.ProofInvalid as error:
        raise BundleRefused(str(error)) from error
    checkpoint = anchor(proof, entry["logId"]["keyId"])
    if (checkpoint.size, checkpoint.root) != (size, root):
        raise BundleRefused("the checkpoint is of another tree")
    if not _digests(body) & _spellings(hashlib.sha256(artifact).digest()):
        raise BundleRefused("the entry is of another artifact")


def anchor(proof: dict[str, Any], log_id: str) -> Checkpoint:
    """Return the checkpoint that anchors an inclusion proof, or raise `BundleRefused`."""
    signed = (proof.get("checkpoint") or {}).get("envelope")
    if not signed:
        raise Unanchored("no checkpoint: whoever made the bundle can have made up the tree")
    try:
        if log_id == _id(REKOR_V1):
            return Checkpoint.parse(_opened_v1(signed))
        if log_id == _id(f"{REKOR_V2.name}\n\x01".encode() + REKOR_V2.public_key):
            return Checkpoint.parse(note.open(signed, [REKOR_V2]).text)
    except (ValueError, InvalidSignature) as error:
        raise BundleRefused("the checkpoint is not signed by its log") from error
    raise BundleRefused("the log is not known")


def _opened_v1(signed: str) -> str:
    """Return the text that Rekor v1 signed: a note whose key is ECDSA, which C2SP does not have."""
    text, signatures = note.split(signed)
    key = serialization.load_der_public_key(REKOR_V1)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    [signature] = signatures
    if signature.key_id != hashlib.sha256(REKOR_V1).digest()[:4]:
        raise InvalidSignature
    key.verify(signature.signature, text.encode(), ec.ECDSA(hashes.SHA256()))
    return text


def _place(proof: dict[str, Any]) -> tuple[int, int, bytes]:
    return int(proof["logIndex"]), int(proof["treeSize"]), base64.b64decode(proof["rootHash"])


def _digests(body: bytes) -> set[str]:
    """Return the digest of the artifact in an entry of kind hashedrekord, v1 or v2."""
    spec = json.loads(body)["spec"]
    if "hashedRekordV002" in spec:
        return {spec["hashedRekordV002"]["data"]["digest"]}
    return {spec["data"]["hash"]["value"]}


def _spellings(digest: bytes) -> set[str]:
    return {digest.hex(), base64.b64encode(digest).decode()}


def _id(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _leaf(entry: dict[str, Any]) -> str:
    body = base64.b64decode(entry["canonicalizedBody"])
    return base64.b64encode(merkle.leaf_hash(body)).decode()


def _damaged(bundle: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the bundle without its checkpoint, and with each statement changed."""
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    changes: dict[str, Any] = {
        "no checkpoint": lambda proof: proof.pop("checkpoint", None),
        "another index": lambda proof: proof.update(logIndex=str(int(proof["logIndex"]) ^ 1)),
        "another size": lambda proof: proof.update(treeSize=str(int(proof["treeSize"]) + 1)),
        "another root": lambda proof: proof.update(rootHash=_id(b"")),
        "a step less": lambda proof: proof["hashes"].pop(),
        "a tree of its own": lambda proof: proof.update(
            logIndex="0", treeSize="1", hashes=[], rootHash=_leaf(entry)
        ),
        "another checkpoint": lambda proof: proof.update(checkpoint={"envelope": "x\n1\nAA==\n"}),
        "a forged checkpoint": _forge,
    }
    for change, make in changes.items():
        damaged = copy.deepcopy(bundle)
        make(damaged["verificationMaterial"]["tlogEntries"][0]["inclusionProof"])
        yield change, damaged


def _forge(proof: dict[str, Any]) -> None:
    signed = (proof.get("checkpoint") or {"envelope": ""})["envelope"]
    text, _, line = signed.partition("\n\n")
    proof["checkpoint"] = {"envelope": f"{text}\nextension\n\n{line}"}
