"""Judge a sealed file: intact, trusted and wholly covered, each said separately."""

from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from asn1crypto import cms, pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

USAGE = KeyUsageConstraints(key_usage={"non_repudiation"}, extd_key_usage={"1.3.6.1.5.5.7.3.36"})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Say what is known of a sealed file; it is valid only when every part holds."""

    intact: bool = False
    trusted: bool = False
    complete_coverage: bool = False
    signer: str = ""
    signed_at: datetime | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Say whether nothing speaks against the file."""
        return self.intact and self.trusted and self.complete_coverage and not self.problems


def judged(pdf: bytes, *, trusted: tuple[bytes, ...], at: datetime) -> Verdict:
    """Judge a file with these authorities (PEM or DER) at a moment; never raise for a bad file."""
    authorities = [_certificate(data) for data in trusted]
    try:
        return _judged(pdf, authorities, at=at)
    except Exception as refused:
        return Verdict(problems=(f"unreadable: {type(refused).__name__}: {refused}",))


def _judged(pdf: bytes, authorities: list[asn1_x509.Certificate], *, at: datetime) -> Verdict:
    reader = PdfFileReader(BytesIO(pdf), strict=True)
    found = reader.embedded_signatures
    if len(found) != 1:
        return Verdict(problems=(f"{len(found)} signatures, where one seal is expected",))
    signature = found[0]
    context = ValidationContext(
        trust_roots=authorities, allow_fetching=False, moment=at.astimezone(UTC)
    )
    status: Any = validate_pdf_signature(
        signature, context, key_usage_settings=USAGE, skip_diff=True
    )
    problems = _unsigned_bytes_problems(pdf, signature)
    if not status.intact:
        problems.append("the file was changed after it was sealed")
    if not status.valid:
        problems.append("the signature does not belong to the certificate in the file")
    if not status.trusted:
        problems.append("the seal's certificate is of no trusted authority, or out of its time")
    covered = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    if not covered:
        problems.append("something was added after the seal")
    signed_at = status.signer_reported_dt
    certificate = signature.signer_cert
    if signed_at is None or not (
        certificate.not_valid_before <= signed_at <= certificate.not_valid_after
    ):
        problems.append("the seal's certificate was not valid when the file says it was sealed")
    return Verdict(
        intact=bool(status.intact and status.valid),
        trusted=bool(status.trusted),
        complete_coverage=covered,
        signer=certificate.subject.native.get("common_name", ""),
        signed_at=signed_at,
        problems=tuple(problems),
    )


def _unsigned_bytes_problems(pdf: bytes, signature: EmbeddedPdfSignature) -> list[str]:
    """Look at the bytes that no signature covers: the container must hold the signature only.

    It is built anew from its parts and compared, since parsers forgive what follows a structure,
    other spellings of it, and unsigned fields.
    """
    _, first, second, _ = (int(part) for part in signature.byte_range)
    rebuilt = _container(signature).hex().upper().encode()
    container = pdf[first:second]
    expected = b"<" + rebuilt.ljust(len(container) - 2, b"0") + b">"
    return [] if container == expected else ["the signature's container was tampered with"]


def _container(signature: EmbeddedPdfSignature) -> bytes:
    certificates = [choice.chosen for choice in signature.signed_data["certificates"]]
    signer, own = signature.signer_info, signature.signer_cert
    content = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": certificates,
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": {
                        "issuer_and_serial_number": {
                            "issuer": own.issuer,
                            "serial_number": own.serial_number,
                        }
                    },
                    "digest_algorithm": {"algorithm": "sha256"},
                    "signed_attrs": signer["signed_attrs"],
                    "signature_algorithm": {"algorithm": "sha256_rsa"},
                    "signature": signer["signature"].native,
                }
            ],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump())


def _certificate(data: bytes) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(pem.unarmor(data)[2] if pem.detect(data) else data)
