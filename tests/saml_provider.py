"""A SAML identity provider's double: answers an AuthnRequest with a signed assertion."""

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ENTITY, SSO_URL = "https://idp.example/metadata", "https://idp.example/sso"
_RESPONSE = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" \
xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r{id}" Version="2.0" IssueInstant="{now}" \
Destination="{acs}" InResponseTo="{request}"><saml:Issuer>{issuer}</saml:Issuer><samlp:Status>\
<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{assertion}\
</samlp:Response>"""
_ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a{id}" \
Version="2.0" IssueInstant="{now}"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>\
<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>\
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{acs}" InResponseTo="{request}"/>\
</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">\
<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>\
</saml:Conditions><saml:AuthnStatement AuthnInstant="{now}"><saml:AuthnContext>\
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement></saml:Assertion>"""


@dataclass
class SamlProvider:
    subject: str = "saml-subject-1"
    audience: str = ""
    is_signed: bool = True
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, self.key.public_key(), 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def answer(self, address: str) -> tuple[str, dict[str, str]]:
        """Return where the browser posts, and what, after it came with this request."""
        from onelogin.saml2.utils import OneLogin_Saml2_Utils

        given = parse_qs(urlsplit(address).query)
        asked = ElementTree.fromstring(
            zlib.decompress(base64.b64decode(given["SAMLRequest"][0]), -15)
        )
        now, form = datetime.now(UTC), "%Y-%m-%dT%H:%M:%SZ"
        said = {
            "id": asked.attrib["ID"], "request": asked.attrib["ID"], "issuer": ENTITY,
            "acs": asked.attrib["AssertionConsumerServiceURL"], "subject": self.subject,
            "now": now.strftime(form), "begin": (now - timedelta(minutes=2)).strftime(form),
            "end": (now + timedelta(minutes=5)).strftime(form),
            "audience": self.audience or (asked.findtext("{*}Issuer") or ""),
        }  # fmt: skip
        assertion = _ASSERTION.format(**said)
        if self.is_signed:
            key = self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode()  # fmt: skip
            assertion = OneLogin_Saml2_Utils.add_sign(assertion, key, self.certificate).decode()
        response = _RESPONSE.format(assertion=assertion, **said)
        return said["acs"], {"SAMLResponse": base64.b64encode(response.encode()).decode()}
