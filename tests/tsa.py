"""A time-stamp authority for tests: `openssl ts` with a CA of its own behind HTTP, and its sins."""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[ tsa ]
default_tsa = own
[ own ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/{stem}.pem
certs = {folder}/ca.pem
signer_key = {folder}/{stem}.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha512
accuracy = secs:1
clock_precision_digits = 6
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Ca:
    """A root that certifies authorities."""

    folder: Path
    name: str
    key: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self._built(self.name, self.key, is_ca=True)
        (self.folder / "ca.pem").write_bytes(
            self.certificate.public_bytes(serialization.Encoding.PEM)
        )

    @property
    def pem(self) -> Path:
        return self.folder / "ca.pem"

    def certify(
        self, common: str, stem: str, *, purpose: Any = None, serial: int | None = None
    ) -> x509.Certificate:
        """Make a key and a certificate for time-stamping, as files beside the root."""
        key = _key()
        certificate = self._built(
            common, key, purpose=purpose or ExtendedKeyUsageOID.TIME_STAMPING, serial=serial
        )
        (self.folder / f"{stem}.key").write_bytes(_pem(key))
        (self.folder / f"{stem}.pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )
        return certificate

    def _built(
        self,
        common: str,
        key: rsa.RSAPrivateKey,
        *,
        is_ca: bool = False,
        purpose: Any = None,
        serial: int | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if purpose is not None:
            built = built.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        return built.sign(self.key, hashes.SHA256())


@dataclass
class Tsa:
    """An authority that answers over HTTP; `spoil` alters its answers, `is_down` keeps it silent."""

    ca: Ca
    name: str = "Clock of the harbour"
    stem: str = "tsa"
    is_down: bool = False
    requests: int = 0
    url: str = ""
    before: Callable[[bytes], bytes] = bytes  # what becomes of a query
    spoil: Callable[[bytes], bytes] = bytes  # what becomes of an answer

    def __post_init__(self) -> None:
        self.certificate = self.ca.certify(self.name, self.stem)
        self._lock = threading.Lock()
        folder = self.ca.folder
        (folder / f"{self.stem}.cnf").write_text(CONFIG.format(folder=folder, stem=self.stem))

    def answer(self, query: bytes) -> bytes:
        """Stamp a query with `openssl ts -reply`."""
        folder = self.ca.folder
        with self._lock:  # openssl keeps its serial number in a file
            self.requests += 1
            (folder / "query.tsq").write_bytes(self.before(query))
            subprocess.run(
                [
                    *("openssl", "ts", "-reply", "-config", f"{folder}/{self.stem}.cnf"),
                    *("-queryfile", f"{folder}/query.tsq", "-out", f"{folder}/answer.tsr"),
                ],
                check=True,
                capture_output=True,
            )
            return self.spoil((folder / "answer.tsr").read_bytes())

    @contextmanager
    def serving(self) -> Iterator["Tsa"]:
        tsa = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                if tsa.is_down:
                    self.connection.close()
                    return
                is_query = self.headers["Content-Type"] == "application/timestamp-query"
                body = tsa.answer(query) if is_query else b""
                self.send_response(200 if is_query else 415)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def handle(self) -> None:
                with suppress(OSError, ValueError):  # the sender went away, or we did
                    super().handle()

            def finish(self) -> None:
                with suppress(OSError, ValueError):
                    super().finish()

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}/tsr"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def other_nonce(query: bytes) -> bytes:
    """Return the query as if somebody had asked with another number: an old answer, replayed."""
    asked = tsp.TimeStampReq.load(query)
    asked["nonce"] = 4711
    return bytes(asked.dump(force=True))


def other_message(query: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(query)
    asked["message_imprint"]["hashed_message"] = hashlib.sha256(b"another note").digest()
    return bytes(asked.dump(force=True))


def without_certificate(query: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(query)
    asked["cert_req"] = False
    return bytes(asked.dump(force=True))


def with_certificates(tsr: bytes, *certificates: x509.Certificate) -> bytes:
    """Put more certificates into an answer, in front: nothing signs that set (CVE of 2025/26)."""
    answer = tsp.TimeStampResp.load(tsr)
    signed = answer["time_stamp_token"]["content"]
    injected = [
        asn1_x509.Certificate.load(one.public_bytes(serialization.Encoding.DER))
        for one in certificates
    ]
    known = [choice.chosen for choice in signed["certificates"]]
    signed["certificates"] = cms.CertificateSet(
        [cms.CertificateChoices("certificate", one) for one in (*injected, *known)]
    )
    return bytes(answer.dump(force=True))
