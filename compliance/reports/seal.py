"""Seal documents with the system's own key, which never poses as a person."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

from asn1crypto import algos
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_signer import PdfSigningSession

from compliance.refusals import Refused
from compliance.reports import appearance, certificates, embedding, verification

KEY_FILE, PASSPHRASE_FILE, AUTHORITY_FILE = "seal.p12", "seal.passphrase", "authority.pem"


class SealExists(Refused):
    """Refuse to overwrite a seal: documents under it must stay verifiable."""

    code = "seal-exists"


class SealUnusable(Refused):
    """Refuse a folder without a whole seal in it, or one that others can read."""

    code = "seal-unusable"


class CannotSeal(Refused):
    """Refuse a file that has no free field for the seal."""

    code = "cannot-seal"


def create_trial_authority(folder: Path, *, at: datetime, number: int = 1) -> None:
    """Make a trial authority with a seal in the folder; raise SealExists when there is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any((folder / name).exists() for name in (KEY_FILE, PASSPHRASE_FILE, AUTHORITY_FILE)):
        raise SealExists(f"{folder} holds a seal already; give a new folder for a new one")
    issued = certificates.trial(at=at, number=number)
    passphrase = secrets.token_urlsafe(32).encode()
    held = pkcs12.serialize_key_and_certificates(
        _common_name(issued.certificate).encode(),
        issued.key,
        issued.certificate,
        [issued.authority],
        BestAvailableEncryption(passphrase),
    )
    _write(folder / PASSPHRASE_FILE, passphrase)
    _write(folder / KEY_FILE, held)
    _write(folder / AUTHORITY_FILE, issued.authority.public_bytes(Encoding.PEM))


def load(folder: Path) -> "Seal":
    """Load a seal; raise SealUnusable when a file is missing, wrong or open to others."""
    for name in (KEY_FILE, PASSPHRASE_FILE):
        path = folder / name
        if not path.is_file():
            raise SealUnusable(f"{path} is missing")
        if path.stat().st_mode & 0o077:
            raise SealUnusable(f"{path} is open to others than its owner: chmod 600 {path}")
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(
            (folder / KEY_FILE).read_bytes(), (folder / PASSPHRASE_FILE).read_bytes().strip()
        )
    except ValueError as refused:
        raise SealUnusable(f"{folder / KEY_FILE} does not open: {refused}") from refused
    if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
        raise SealUnusable(f"{folder / KEY_FILE} holds no RSA key with its certificate")
    return Seal(key, certificate, tuple(chain))


@dataclass(frozen=True)
class Seal:
    """Hold the loaded key of the system's seal with its certificates."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def name(self) -> str:
        """Give the name in the certificate."""
        return _common_name(self.certificate)

    @property
    def is_trial(self) -> bool:
        """Say whether documents under this seal must call it a trial."""
        return "TRIAL" in self.certificate.issuer.rfc4514_string()

    @property
    def trusted(self) -> tuple[bytes, ...]:
        """Give the authorities' certificates (PEM) that make this seal's documents trusted."""
        return tuple(one.public_bytes(Encoding.PEM) for one in self.chain)

    def sign(
        self, pdf: bytes, *, reason: str, location: str, at: datetime, certify: bool = True
    ) -> bytes:
        """Seal a file (PAdES B-B) in the field that was drawn for it.

        Certified, the file allows no change at all. Raise CannotSeal when the field is missing
        or filled.
        """
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        found = list(fields.enumerate_sig_fields(writer.prev))
        if [name for name, value, _ in found if value is None] != [embedding.SEAL_FIELD]:
            raise CannotSeal("the file has no empty field for the seal, or more than one")
        sealing = _ClockedSigner(
            signers.PdfSignatureMetadata(
                field_name=embedding.SEAL_FIELD,
                md_algorithm="sha256",
                subfilter=fields.SigSeedSubFilter.PADES,
                certify=certify,
                docmdp_permissions=fields.MDPPerm.NO_CHANGES,
                reason=reason,
                location=location,
                name=self.name,
            ),
            _KeptKeySigner(self),
            stamp_style=appearance.style(name=self.name, reason=reason, location=location, at=at),
        )
        sealing.at = at
        signed = sealing.sign_pdf(writer, existing_fields_only=True)
        return bytes(signed.getvalue())


def verify(pdf: bytes, *, trusted: tuple[bytes, ...], at: datetime) -> "verification.Verdict":
    """Judge a sealed file at a moment; see `verification.judged`."""
    return verification.judged(pdf, trusted=trusted, at=at)


class _KeptKeySigner(signers.Signer):
    """Sign with a key that stays loaded: pyHanko's own loads and re-checks it each time."""

    def __init__(self, seal: Seal) -> None:
        self._key = seal.key
        super().__init__(
            signing_cert=_parsed(seal.certificate),
            embed_roots=False,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
        )
        for authority in seal.chain:
            self.cert_registry.register(_parsed(authority))

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if dry_run:
            return bytes(self._key.key_size // 8)
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class _ClockedSigner(signers.PdfSigner):
    """Sign at a given moment instead of the clock's."""

    at: datetime

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self.at
        return session


def _parsed(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _write(path: Path, data: bytes) -> None:
    # Created for its owner only: a file that is closed to others later was open before.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
