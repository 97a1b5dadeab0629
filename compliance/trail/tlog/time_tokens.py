"""Ask for, read and verify time-stamp tokens over a checkpoint's note (RFC 3161, RFC 5816)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, TimeStampResponse

from compliance.trail.tlog import certificates, token_form
from compliance.trail.tlog.certificates import NotCertificates
from compliance.trail.tlog.token_form import TokenForm

SHA256 = "2.16.840.1.101.3.4.2.1"
QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
FINGERPRINT = "sha256:"
# What `cryptography` raises about certificates in whose bytes somebody had a hand.
_UNREADABLE = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension,
    x509.InvalidVersion, x509.UnsupportedGeneralNameType,
)  # fmt: skip


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
            return cls(certificates.load(pem), name)
        except NotCertificates as error:
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
    response, _ = _decoded(tsr)
    return _token(tsr, response, _signer(response))


def verify(
    tsr: bytes,
    *,
    message: bytes,
    authority: Authority,
    nonce: int | None = None,
    offered: Iterable[x509.Certificate] = (),
) -> Token:
    """Return what a token proves about a message, or raise `TokenInvalid`.

    `nonce` is that of the request; a stored token is verified without it. `offered` are further
    certificates for the way to a root, from whoever brings the token: they are never roots.
    """
    response, form = _decoded(tsr)
    builder = rfc3161_client.VerifierBuilder(
        roots=list(authority.roots),
        intermediates=_issued_below(authority.roots, offered),
        nonce=nonce,
    )
    try:
        if response.tst_info.message_imprint.hash_algorithm.dotted_string != SHA256:
            raise TokenInvalid("the imprint is not of SHA-256, which was asked for")
        builder.build().verify_message(response, message)
        signer = _signer(response)
        form.demand_signed_by(signer)
        _demand_only_purpose(signer)
    except (rfc3161_client.VerificationError, *_UNREADABLE) as error:
        raise TokenInvalid(str(error)) from error
    _demand_name(signer, authority.name)
    return _token(tsr, response, signer)


def _decoded(tsr: bytes) -> tuple[TimeStampResponse, TokenForm]:
    try:
        form = token_form.read(tsr)
        response = rfc3161_client.decode_timestamp_response(form.ordered)
        if response.status != 0 or form.status != 0:
            text = "; ".join(response.status_string)
            raise TokenInvalid(
                f"the authority refused with status {response.status} {text}".strip()
            )
        if response.as_bytes() != form.ordered:
            raise TokenInvalid("not an answer in DER")
        response.tst_info.gen_time  # noqa: B018 -- raises where there is no token
    except ValueError as error:
        raise TokenInvalid(f"not an answer of a time-stamp authority: {error}") from error
    return response, form


def _issued_below(
    roots: Iterable[x509.Certificate], offered: Iterable[x509.Certificate]
) -> list[x509.Certificate]:
    """Return the offered certificates that a chain from a root issued.

    The client library trusts intermediates as it trusts roots: an unproven one would let whoever
    offers it be the authority.
    """
    trusted, waiting = list(roots), [one for one in offered if _is_authority(one)]
    accepted: list[x509.Certificate] = []
    while found := [one for one in waiting if any(_is_issued(one, by) for by in trusted)]:
        waiting = [one for one in waiting if one not in found]
        trusted += found
        accepted += [one for one in found if one not in accepted and one not in roots]
    return accepted


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except _UNREADABLE:
        return False
    return constraints.value.ca and certificate.issuer != certificate.subject


def _is_issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


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
    except (ValueError, x509.InvalidVersion) as error:
        raise TokenInvalid(f"a certificate that is none: {error}") from error


def _demand_only_purpose(signer: x509.Certificate) -> None:
    """Demand that the signer's certificate is for time stamps and nothing else (RFC 3161 2.3)."""
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TokenInvalid("the signer's certificate is for other purposes too")


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
