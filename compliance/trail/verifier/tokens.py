"""Verify time-stamp tokens against trusted roots (RFC 3161)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

_SHA256 = "2.16.840.1.101.3.4.2.1"


class TokenInvalid(ValueError):
    """Not a token over this note by an authority below the trusted roots; says why."""


def verify(
    response: bytes,
    *,
    message: bytes,
    roots: Sequence[x509.Certificate],
    authorities: bytes | None,
) -> datetime:
    """Return the time at which a message existed, or raise `TokenInvalid`.

    `authorities` are further certificates from the bundle, which are no roots.
    """
    try:
        decoded = rfc3161_client.decode_timestamp_response(response)
        if decoded.as_bytes() != response:
            raise TokenInvalid("bytes beside the response")
        if decoded.tst_info.message_imprint.hash_algorithm.dotted_string != _SHA256:
            raise TokenInvalid("the imprint is not of SHA-256")
        verifier = rfc3161_client.VerifierBuilder(
            roots=list(roots), intermediates=_issued_below(roots, _certificates(authorities))
        ).build()
        verifier.verify(decoded, sha256(message).digest())
        _demand_only_purpose(decoded)
        at = decoded.tst_info.gen_time
    except (rfc3161_client.VerificationError, x509.ExtensionNotFound, ValueError) as error:
        raise TokenInvalid(str(error)) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _certificates(pem: bytes | None) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem) if pem else []


def _issued_below(
    roots: Iterable[x509.Certificate], offered: Iterable[x509.Certificate]
) -> list[x509.Certificate]:
    """Return the offered certificates that a chain from a root issued.

    The client library trusts intermediates as it trusts roots: an unproven one from the bundle
    would let whoever made the bundle be the authority.
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
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.value.ca and certificate.issuer != certificate.subject


def _is_issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _demand_only_purpose(response: rfc3161_client.TimeStampResponse) -> None:
    """Demand that the signer's certificate is for time stamps and nothing else (RFC 3161 2.3)."""
    (signer,) = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        one = x509.load_der_x509_certificate(der)
        if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number):
            usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
            if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
                raise TokenInvalid("the signer's certificate is for other purposes too")
