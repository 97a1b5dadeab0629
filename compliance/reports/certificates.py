"""Make the certificates of a trial authority, which nobody but the plant itself trusts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
RSA_BITS = 3072
AUTHORITY_YEARS, SEAL_YEARS = 10, 5
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Issued:
    """Hold a new seal key with its certificate and that of its authority."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate


def trial(*, at: datetime, number: int = 1) -> Issued:
    """Make an authority and one seal under it; the authority's key is forgotten at once.

    Nobody can then issue a second, look-alike seal; a new seal is a new authority.
    """
    authority_key, key = _key(), _key()
    authority = _named(f"TRIAL authority {at.year}-{number:02d}")
    issued_by = (
        _builder(authority, authority, authority_key.public_key(), at=at, years=AUTHORITY_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = _named(f"TRIAL system seal {at.year}-{number:02d}")
    certificate = (
        _builder(subject, authority, key.public_key(), at=at, years=SEAL_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        # pdfsig wants emailProtection beside documentSigning.
        .add_extension(
            x509.ExtendedKeyUsage([DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    return Issued(key, certificate, issued_by)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)


def _named(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TRIAL - issued by no public authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, *, at: datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + years * YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_cert_sign=issues,
        crl_sign=issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
