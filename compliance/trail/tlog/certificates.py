"""Read PEM files of certificates strictly: nothing is skipped, and what is cut off is seen."""

from collections.abc import Iterator

from cryptography import x509

from compliance.trail.tlog import der, octets

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_BOUNDARY = "-----"


class NotCertificates(ValueError):
    """Not one or more certificates in PEM; says what else."""


def encoded(pem: bytes) -> list[bytes]:
    """Return the DER of each certificate, or raise `NotCertificates`.

    Text between them is explanatory (RFC 7468 2). Of each only the outermost form is looked at.
    """
    try:
        found = [_certificate("".join(block)) for block in _blocks(pem.decode("latin-1"))]
    except ValueError as error:
        raise NotCertificates(str(error)) from error
    if not found:
        raise NotCertificates("no certificate is in it")
    return found


def load(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return all certificates, or raise `NotCertificates` when one of them cannot be used."""
    try:
        return tuple(map(x509.load_der_x509_certificate, encoded(pem)))
    except (ValueError, x509.InvalidVersion) as error:
        raise NotCertificates(str(error)) from error


def usable(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates that can be used; the others serve no chain."""
    return tuple(_usable(encoded(pem)))


def _usable(ders: list[bytes]) -> Iterator[x509.Certificate]:
    for one in ders:
        try:
            yield x509.load_der_x509_certificate(one)
        except (ValueError, x509.InvalidVersion):
            continue


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        if block is None and line == BEGIN:
            block = []
        elif block is not None and line == END:
            yield block
            block = None
        elif line.startswith(_BOUNDARY):
            raise NotCertificates(f"{line[:60]!r} where no such line belongs")
        elif block is not None:
            block.append(line)
    if block is not None:
        raise NotCertificates("the last certificate is cut off")


def _certificate(base64: str) -> bytes:
    """Return bytes that have the outermost form of a certificate (RFC 5280 4.1)."""
    data = octets.from_base64(base64)
    members = der.Members(der.whole(data))
    for tag in (der.SEQUENCE, der.SEQUENCE, der.BITS):
        members.take(tag)
    members.done()
    return data
