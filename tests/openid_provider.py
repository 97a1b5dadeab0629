"""A small OpenID provider that really runs: authorization code with PKCE, RS256 ID tokens."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "gmp-record", "client-secret"


@dataclass
class Provider:
    """Who is at the provider's keyboard, and how the provider behaves."""

    subject: str = "subject-1"
    session_since: int = field(default_factory=lambda: int(time.time()) - 3600)
    asks_again: bool = True  # authenticates anew when it is told to
    audience: str = CLIENT
    url: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }  # fmt: skip

    def authorize(self, asked: dict[str, str]) -> str:
        """Authenticate whoever is at the keyboard; return where the browser goes."""
        anew = asked.get("prompt") == "login" or asked.get("max_age") == "0"
        code = secrets.token_urlsafe(16)
        since = int(time.time()) if anew and self.asks_again else self.session_since
        self.codes[code] = {**asked, "auth_time": str(since), "sub": self.subject}
        query = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{query}"

    def token(self, given: dict[str, str]) -> dict[str, Any] | None:
        """Exchange a code once, for the client that holds secret and PKCE verifier."""
        asked = self.codes.pop(given.get("code", ""), None)
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            asked is None
            or given.get("client_secret") != SECRET
            or asked.get("code_challenge") != challenge
            or asked["redirect_uri"] != given.get("redirect_uri")
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": self.audience, "sub": asked["sub"], "iat": now,
            "exp": now + 300, "auth_time": int(asked["auth_time"]),
        }  # fmt: skip
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": token}


class _Answering(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/authorize":
            asked = {name: value[0] for name, value in parse_qs(address.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(asked))
            self.end_headers()
        elif address.path == "/.well-known/openid-configuration":
            self._json(self.provider.configuration())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: value[0] for name, value in parse_qs(body).items()}
        answer = self.provider.token(given)
        self._json(answer or {"error": "invalid_grant"}, status=200 if answer else 400)

    def _json(self, value: Any, status: int = 200) -> None:
        octets = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Provider]:
    """Run a provider on a free port of this machine."""
    provider = Provider()
    handler = type("Answering", (_Answering,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
