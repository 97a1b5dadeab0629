"""Ask for, read and verify time-stamp tokens over a checkpoint's note (RFC 3161, RFC 5816).

Knows no Django: an inspector's verifier can use it as it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc3161_client
from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, TimeStampResponse

SHA256 = "2.16.840.1.101.3.4.2.1"
QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
FINGERPRINT = "sha256:"


class AuthorityInvalid(ValueError):
    """No certificates in what should have them."""


class TokenInvalid(Exception):
    """An answer that does not prove that this note existed at its time; says why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may stamp: below these certificates, and if `name` is set only the one of this name.

    `name` is a common name, or `sha256:` and the fingerprint of the one certificate.
    """

    roots: tuple[x509.Certificate, ...]
    name: str = ""

    @classmethod
    def from_pem(cls, pem: bytes, name: str = "") -> "Authority":
        """Read trusted certificates, or raise `AuthorityInvalid`."""
        try:
            return cls(tuple(x509.load_pem_x509_certificates(pem)), name)
        except ValueError as error:
            raise AuthorityInvalid(f"no certificates: {error}") from error


@dataclass(frozen=True, slots=True)
class Request:
    """A request with the number that its answer must repeat."""

    der: bytes
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an answer says: the time, who says it, and the hash of the answer's bytes."""

    tsr: bytes
    gen_time: datetime
    name: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.tsr).digest()


def request(message: bytes) -> Request:
    """Return a request for a token over SHA-256 of a message, with the signer's certificate."""
    built = (
        TimestampRequestBuilder()
        .data(message)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    if built.nonce is None:
        raise AssertionError("a request without a nonce")
    return Request(built.as_bytes(), built.nonce)


def read(tsr: bytes) -> Token:
    """Return what an answer says, believed by nobody yet, or raise `TokenInvalid`."""
    response = _decoded(tsr)
    return _token(tsr, response, _signer(response))


def verify(tsr: bytes, *, message: bytes, authority: Authority, nonce: int | None = None) -> Token:
    """Return what a token proves about a message, or raise `TokenInvalid`.

    `nonce` is that of the request; a stored token is verified without it.
    """
    response = _decoded(tsr)
    builder = rfc3161_client.VerifierBuilder(roots=list(authority.roots), nonce=nonce)
    try:
        if response.tst_info.message_imprint.hash_algorithm.dotted_string != SHA256:
            raise TokenInvalid("the imprint is not of SHA-256, which was asked for")
        builder.build().verify_message(response, message)
    except (rfc3161_client.VerificationError, ValueError) as error:
        raise TokenInvalid(str(error)) from error
    signer = _signer(response)
    _demand_named_inside(response, signer)
    _demand_name(signer, authority.name)
    return _token(tsr, response, signer)


def _decoded(tsr: bytes) -> TimeStampResponse:
    try:
        response = rfc3161_client.decode_timestamp_response(_in_order(tsr))
        if response.status not in {0, 1}:
            text = "; ".join(response.status_string)
            raise TokenInvalid(
                f"the authority refused with status {response.status} {text}".strip()
            )
        response.tst_info.gen_time  # noqa: B018 -- raises where there is no token
    except ValueError as error:
        raise TokenInvalid(f"not an answer of a time-stamp authority: {error}") from error
    return response


def _in_order(tsr: bytes) -> bytes:
    """Return the answer with its certificates in the order of DER, where the library wants them.

    CMS lets them stand in any order (RFC 5652 10.2.3 is BER), as `openssl ts` does; nothing signs it.
    """
    answer: Any = tsp.TimeStampResp.load(tsr, strict=True)
    if isinstance(answer["time_stamp_token"], core.Void):
        return tsr
    signed = answer["time_stamp_token"]["content"]
    certificates = sorted(one.dump() for one in signed["certificates"])
    if [one.dump() for one in signed["certificates"]] == certificates:
        return tsr
    signed["certificates"] = cms.CertificateSet(
        [cms.CertificateChoices.load(one) for one in certificates]
    )
    return bytes(answer.dump())


def _signer(response: TimeStampResponse) -> x509.Certificate:
    """Return the certificate that the one signature names, whatever else was put beside it."""
    infos = list(response.signed_data.signer_infos)
    if len(infos) != 1:
        raise TokenInvalid(f"{len(infos)} signatures where one is expected")
    found = [
        certificate
        for certificate in map(_certificate, response.signed_data.certificates)
        if (certificate.issuer, certificate.serial_number)
        == (infos[0].issuer, infos[0].serial_number)
    ]
    if len(found) != 1:
        raise TokenInvalid("the signer's certificate is not in the answer, or more than once")
    return found[0]


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise TokenInvalid(f"a certificate that is none: {error}") from error


def _demand_named_inside(response: TimeStampResponse, signer: x509.Certificate) -> None:
    """Demand the signed attribute that names the signer's certificate (RFC 3161 2.4.2, 5816)."""
    der = signer.public_bytes(Encoding.DER)
    for kind, hashed in _certificate_ids(response):
        if hashlib.new(kind, der).digest() == hashed:
            return
    raise TokenInvalid("the signed attributes name another certificate, or none")


def _certificate_ids(response: TimeStampResponse) -> Sequence[tuple[str, bytes]]:
    content: Any = tsp.TimeStampResp.load(response.as_bytes())["time_stamp_token"]["content"]
    found = []
    for attribute in content["signer_infos"][0]["signed_attrs"]:
        kind = attribute["type"].native
        if kind in {"signing_certificate", "signing_certificate_v2"}:
            first = attribute["values"][0]["certs"][0]  # the first one is the signer's
            is_old = kind == "signing_certificate"  # RFC 2634: SHA-1, and no word of it
            algorithm = "sha1" if is_old else first["hash_algorithm"]["algorithm"].native
            found.append((algorithm, first["cert_hash"].native))
    return found


def _demand_name(signer: x509.Certificate, name: str) -> None:
    if name.startswith(FINGERPRINT):
        wanted = name.removeprefix(FINGERPRINT).replace(":", "").lower()
        if hashlib.sha256(signer.public_bytes(Encoding.DER)).hexdigest() != wanted:
            raise TokenInvalid("signed with another certificate than the one that was pinned")
    elif name and _common_names(signer) != [name]:
        raise TokenInvalid(f"signed by {_common_names(signer)}, not by {name}")


def _common_names(certificate: x509.Certificate) -> list[str]:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [str(one.value) for one in names]


def _token(tsr: bytes, response: TimeStampResponse, signer: x509.Certificate) -> Token:
    names = _common_names(signer) or [signer.subject.rfc4514_string()]
    gen_time = response.tst_info.gen_time
    if gen_time.tzinfo is None:
        gen_time = gen_time.replace(tzinfo=UTC)
    return Token(tsr=tsr, gen_time=gen_time, name=names[0])
