"""Read the parts of a time-stamp token that say who signed what and how (RFC 3161, RFC 5652)."""

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from compliance.trail.tlog import der
from compliance.trail.tlog.der import Element, Members

_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"  # RFC 2634: SHA-1, to name and not to sign
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"  # RFC 5035
_HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_RSA = "1.2.840.113549.1.1.1"  # the hash is that of the digest algorithm (RFC 3370 3.2)
_RSA_WITH = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}


class FormInvalid(ValueError):
    """A token that is not in the form of RFC 3161; says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """An answer: `ordered` has the certificates as DER orders a set, which nothing signs."""

    ordered: bytes
    status: int
    content: bytes
    hash: str
    attributes: dict[str, Element]
    algorithm: str

    def demand_signed_by(self, certificate: x509.Certificate) -> None:
        """Demand attributes and an algorithm that fit this signer, or raise `FormInvalid`.

        Whether the signature verifies is for others.
        """
        self._demand_content()
        self._demand_named(certificate.public_bytes(Encoding.DER))
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            fitting = {_RSA, *(one for one, name in _RSA_WITH.items() if name == self.hash)}
        elif isinstance(key, ec.EllipticCurvePublicKey):
            fitting = {one for one, name in _ECDSA_WITH.items() if name == self.hash}
        else:
            raise FormInvalid("the signer's key is neither RSA nor ECDSA")
        if self.algorithm not in fitting:
            raise FormInvalid(f"signature algorithm {self.algorithm} with another key or digest")

    def _demand_content(self) -> None:
        """RFC 5652 5.3 and 11.1, 11.2: both attributes are there, and are of this content."""
        kind, digest = (self.attributes.get(one) for one in (_CONTENT_TYPE, _MESSAGE_DIGEST))
        if kind is None or der.oid(kind) != _TST_INFO:
            raise FormInvalid("the signed attributes are of another kind of content")
        if digest is None or digest.tag != der.OCTETS:
            raise FormInvalid("the signed attributes have no digest")
        if digest.content != hashlib.new(self.hash, self.content).digest():
            raise FormInvalid("the content is another one than was signed")

    def _demand_named(self, certificate: bytes) -> None:
        """Demand the signed attribute that names the signer's certificate (RFC 3161 2.4.1, 5816)."""
        names = {_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2} & self.attributes.keys()
        if not names:
            raise FormInvalid("the signed attributes name no certificate")
        for name in names:
            listed = Members(Members(self.attributes[name]).take(der.SEQUENCE))
            first = Members(listed.take(der.SEQUENCE))  # the first one is the signer's
            kind = "sha1"
            if name == _SIGNING_CERTIFICATE_V2:
                given = first.optional(der.SEQUENCE)
                kind = _hash(given) if given else "sha256"
            digest = hashlib.new(kind, certificate, usedforsecurity=kind != "sha1").digest()
            if first.take(der.OCTETS).content != digest:
                raise FormInvalid("the signed attributes name another certificate")


def read(tsr: bytes) -> TokenForm:
    """Return the form of an answer, or raise `NotDer` or `FormInvalid`."""
    outer = Members(der.whole(tsr))
    status = int.from_bytes(
        Members(outer.take(der.SEQUENCE)).take(der.INTEGER).content, signed=True
    )
    if not outer.left:
        raise FormInvalid(f"no token, and status {status}")
    data = Members(_explicit(outer.take(der.SEQUENCE), _SIGNED_DATA))
    outer.done()
    _demand_version(data, 3)  # RFC 5652 5.1: for content that is not id-data
    announced = {_hash(one) for one in data.take(der.SET).members}
    content = _explicit(data.take(der.SEQUENCE), _TST_INFO)
    certificates = data.optional(der.context(0))
    data.optional(der.context(1))
    signers = data.take(der.SET).members
    data.done()
    if len(signers) != 1:
        raise FormInvalid(f"{len(signers)} signatures where one is expected")
    found = _signer(signers[0], announced)
    return TokenForm(
        ordered=_ordered(tsr, certificates),
        status=status,
        content=der.of(content, der.OCTETS).content,
        hash=found[0],
        attributes=found[1],
        algorithm=found[2],
    )


def _signer(element: Element, announced: set[str]) -> tuple[str, dict[str, Element], str]:
    """Return hash, signed attributes and signature algorithm of the one SignerInfo."""
    info = Members(element)
    _demand_version(info, 1)
    info.take(der.SEQUENCE)  # issuer and serial number: RFC 5652 allows a key identifier, too
    kind = _hash(info.take(der.SEQUENCE))
    if kind not in announced:
        raise FormInvalid("the signer uses a hash that is not announced")
    attributes = _attributes(info.take(der.context(0)))
    algorithm = _algorithm(info.take(der.SEQUENCE))
    info.take(der.OCTETS)
    info.optional(der.context(1))
    info.done()
    return kind, attributes, algorithm


def _attributes(signed: Element) -> dict[str, Element]:
    found: dict[str, Element] = {}
    octets = [one.octets for one in signed.members]
    if octets != sorted(octets):  # RFC 5652 5.3: what is signed is their DER
        raise FormInvalid("the signed attributes are not in the order of DER")
    for one in signed.members:
        attribute = Members(one)
        name = der.oid(attribute.take(der.OID))
        values = attribute.take(der.SET).members
        attribute.done()
        if name in found or len(values) != 1:
            raise FormInvalid(f"attribute {name} is there twice, or has not one value")
        found[name] = values[0]
    return found


def _algorithm(element: Element) -> str:
    """Return the name of a signature algorithm whose parameters are as they must be."""
    members = element.members
    name = der.oid(Members(element).take(der.OID))
    parameters = [one.octets for one in members[1:]]
    # RFC 5754 3.2, 3.3: NULL with RSA (and absent is accepted), absent with ECDSA.
    if parameters and (name in _ECDSA_WITH or parameters != [der.NULL]):
        raise FormInvalid(f"signature algorithm {name} with parameters")
    return name


def _hash(element: Element) -> str:
    """Return the name of an accepted hash; its parameters are absent or NULL (RFC 5754 2)."""
    members = Members(element)
    name = der.oid(members.take(der.OID))
    if name not in _HASHES or [one.octets for one in members.left] not in ([], [der.NULL]):
        raise FormInvalid(f"digest algorithm {name} is not accepted")
    return _HASHES[name]


def _explicit(element: Element, kind: str) -> Element:
    """Return what stands behind the name of its kind."""
    members = Members(element)
    if der.oid(members.take(der.OID)) != kind:
        raise FormInvalid("not the content of a time-stamp token")
    found = members.take(der.context(0)).members
    members.done()
    if len(found) != 1:
        raise FormInvalid("not one content")
    return found[0]


def _demand_version(members: Members, number: int) -> None:
    if members.take(der.INTEGER).content != bytes([number]):
        raise FormInvalid(f"not of version {number}")


def _ordered(tsr: bytes, certificates: Element | None) -> bytes:
    """Put the certificates into the order of DER, where the client library wants them.

    CMS lets them stand in any order (RFC 5652 10.2.3 is BER), as `openssl ts` does.
    """
    if certificates is None:
        return tsr
    ordered = b"".join(sorted(one.octets for one in certificates.members))
    return tsr[: certificates.start] + ordered + tsr[certificates.end :]
