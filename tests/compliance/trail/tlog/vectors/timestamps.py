"""Verdicts on RFC 3161 tokens of two time-stamp authorities."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family

MESSAGE = b"hello"
# Token: does it verify for its message, under its own authority, by the certificate it carries?
TOKENS = {
    "sigstage/response-sha256.tsr": True,
    "sigstage/response-sha384.tsr": True,
    "sigstage/response-invalid-signature.tsr": False,
    "sigstage/response-no-embedded-cert.tsr": False,
    "test_tsa/response.tsr": True,
}


@family("RFC 3161 tokens", least=25)
def tokens(vectors: Path) -> Iterator[Verdict]:
    folder = vectors / "rfc3161"
    chains = {name: _chain(folder / name / "ts_chain.pem") for name in ("sigstage", "test_tsa")}
    for name, valid in TOKENS.items():
        token, own = (folder / name).read_bytes(), name.partition("/")[0]
        [other] = set(chains) - {own}
        sound = valid or "no-embedded" in name  # sound, but only for who has the certificate
        questions = {
            "as it is": (valid, chains[own], None, MESSAGE),
            "certificate pinned": (sound, chains[own], chains[own][0], MESSAGE),
            "other message": (False, chains[own], chains[own][0], b"hullo"),
            "other authority": (False, chains[other], None, MESSAGE),
            "other certificate": (False, chains[own], chains[other][0], MESSAGE),
        }
        for question, (expected, *given) in questions.items():
            got = accepts((VerificationError, ValueError), verify, token, *given)
            yield Verdict(f"{name}: {question}", expected, got)


def verify(
    token: bytes, chain: list[x509.Certificate], leaf: x509.Certificate | None, message: bytes
) -> None:
    """Raise unless an authority with this chain (leaf first) gave the token for the message."""
    verifier = VerifierBuilder(
        roots=[chain[-1]], intermediates=chain[1:-1], tsa_certificate=leaf
    ).build()
    verifier.verify_message(decode_timestamp_response(token), message)


def _chain(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())
