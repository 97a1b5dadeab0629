"""A time-stamping authority in memory, whose clock the tests set (RFC 3161, RFC 5816)."""

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DER = serialization.Encoding.DER
_PEM = serialization.Encoding.PEM


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authority:
    """A root, possibly one certificate below it, and a signer of time stamps."""

    name: str = "Synthetic TSA"
    has_intermediate: bool = False
    purposes: tuple[Any, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    serial: int = 0
    root_key: Any = field(default_factory=_key)
    middle_key: Any = field(default_factory=_key)
    key: Any = field(default_factory=_key)

    def __post_init__(self) -> None:
        root = f"{self.name} root"
        middle = f"{self.name} middle"
        self.root = _certificate(root, self.root_key, root, self.root_key, is_ca=True)
        self.middle = _certificate(middle, self.middle_key, root, self.root_key, is_ca=True)
        issuer, by = (middle, self.middle_key) if self.has_intermediate else (root, self.root_key)
        self.certificate = _certificate(self.name, self.key, issuer, by, purposes=self.purposes)

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(_PEM)

    @property
    def middle_pem(self) -> bytes:
        return self.middle.public_bytes(_PEM)

    def stamp(
        self,
        message: bytes,
        at: datetime,
        *,
        status: int = 0,
        without: str = "",
        algorithm: str = "sha256_ecdsa",
        shown: bool = True,
    ) -> bytes:
        """Return a TimeStampResp over SHA-256 of a message.

        `without` a signed attribute, with another `algorithm` named than that of the signature, or
        with the signer's certificate not `shown`.
        """
        self.serial += 1
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4.1",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": sha256(message).digest(),
                },
                "serial_number": self.serial,
                "gen_time": at.astimezone(UTC).replace(microsecond=0),
            }
        )
        token = cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": self._signed(
                    info, at, without=without, algorithm=algorithm, shown=shown
                ),
            }
        )
        return bytes(
            tsp.TimeStampResp({"status": {"status": status}, "time_stamp_token": token}).dump()
        )

    def _signed(
        self, info: tsp.TSTInfo, at: datetime, *, without: str, algorithm: str, shown: bool
    ) -> cms.SignedData:
        content = info.dump()
        der = self.certificate.public_bytes(_DER)
        loaded = asn1.Certificate.load(der)
        named = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(der).digest()}]})
        values = {
            "content_type": "tst_info",
            "signing_time": cms.Time({"utc_time": at.replace(microsecond=0)}),
            "message_digest": sha256(content).digest(),
            "signing_certificate_v2": named,
        }
        attributes = cms.CMSAttributes(
            [_attribute(kind, value) for kind, value in values.items() if kind != without]
        )
        signature = self.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
        return cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(content),
                },
                "certificates": [loaded] if shown else [],
                "signer_infos": [
                    {
                        "version": "v1",
                        "sid": cms.SignerIdentifier(
                            {
                                "issuer_and_serial_number": {
                                    "issuer": loaded.issuer,
                                    "serial_number": loaded.serial_number,
                                }
                            }
                        ),
                        "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                        "signed_attrs": attributes,
                        "signature_algorithm": algos.SignedDigestAlgorithm(
                            {"algorithm": algorithm}
                        ),
                        "signature": signature,
                    }
                ],
            }
        )


@functools.cache
def authority() -> Authority:
    """Return the one that most tests use; keys are slow to make."""
    return Authority()


def _attribute(kind: str, value: Any) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def _certificate(
    common: str,
    key: Any,
    issuer: str,
    issuer_key: Any,
    *,
    is_ca: bool = False,
    purposes: tuple[Any, ...] = (),
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=365 * 30))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if purposes:
        built = built.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=True)
    return built.sign(issuer_key, hashes.SHA256())
