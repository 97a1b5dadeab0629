"""A person at the API: signs in, keeps the session, repeats what a restart interrupted."""

import time
import uuid
from collections.abc import Callable
from typing import Any, Self

import httpx

READINGS = 10  # of a record that changes before it is acted on
LATER = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)


class Unexpected(RuntimeError):
    """The product answered something else than the demonstration expects."""


class Person:
    """A signed-in person over HTTP. What the server did not answer is sent again while it is away:
    each write has a key, so that it happens once."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.username = username
        self._client = httpx.Client(base_url=f"{url}/api/v1/", timeout=30)
        self._credentials = {"username": username, "password": password}

    def __enter__(self) -> Self:
        self._sign_in()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self._ask("GET", path).json()

    def content(self, path: str) -> bytes:
        return self._ask("GET", path).content

    def post(self, path: str, body: dict[str, Any], *, refused: int | None = None) -> Any:
        """Send one act; `refused` is the status of a refusal that is expected and returned."""
        return self._write("POST", path, body, refused)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._write("PUT", path, body, None)

    def wait_for(self, path: str, is_done: Callable[[Any], bool], *, at_most_s: float) -> Any:
        """Ask again until the answer is as wanted; raise `Unexpected` when it never is."""
        deadline = time.monotonic() + at_most_s
        while True:
            answer = self.get(path)
            if is_done(answer):
                return answer
            if time.monotonic() > deadline:
                raise Unexpected(f"{path} did not become ready in {at_most_s:.0f} s: {answer}")
            time.sleep(0.5)

    def _write(self, method: str, path: str, body: dict[str, Any], refused: int | None) -> Any:
        headers = {**self._forgery_token(), "Idempotency-Key": str(uuid.uuid4())}
        response = self._ask(method, path, json=body, headers=headers)
        if response.status_code == httpx.codes.PRECONDITION_REQUIRED:
            # Named from the root of the site; the client puts its base before any other path.
            record = str(self._client.base_url.join(response.json()["record"]))
            for _ in range(READINGS):
                headers["If-Match"] = self._ask("GET", record).headers["ETag"]
                response = self._ask(method, path, json=body, headers=headers)
                if response.status_code != httpx.codes.PRECONDITION_FAILED:
                    break  # else it changed between reading and acting
        if response.is_success or response.status_code == refused:
            return response.json() if response.content else None
        raise Unexpected(f"{method} {path}: {response.status_code} {response.text[:500]}")

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        deadline = time.monotonic() + 90
        while True:
            try:
                response = self._client.request(method, path, **request)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
                continue
            if response.status_code in LATER and time.monotonic() < deadline:
                # As it says itself: a quick machine asks more often than a person may.
                time.sleep(int(response.headers.get("Retry-After", 1)))
                continue
            if method == "GET" and not response.is_success:
                raise Unexpected(f"GET {path}: {response.status_code} {response.text[:300]}")
            return response

    def _sign_in(self) -> None:
        response = self._ask("POST", "session", json=self._credentials)
        if not response.is_success:
            raise Unexpected(f"{self.username} cannot sign in: {response.text[:300]}")

    def _forgery_token(self) -> dict[str, str]:
        token = self._client.cookies.get("csrftoken")
        return {"X-CSRFToken": token} if token else {}
