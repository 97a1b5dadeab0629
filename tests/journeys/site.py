"""A running installation, and the people and devices that talk to it over HTTP."""

import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.journeys import plan

if TYPE_CHECKING:
    from tests.journeys.conftest import Installation


class Refusal(AssertionError):
    """The product answered something else than success."""


class Caller:
    """Whoever calls the API: reads return what was answered, writes fail the test when refused."""

    def __init__(self, url: str, **headers: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1/", timeout=60, headers=headers)

    def close(self) -> None:
        self._client.close()

    def header(self, name: str) -> str:
        return self._client.headers[name]

    def cookies(self) -> dict[str, str]:
        return dict(self._client.cookies)

    def get(self, path: str, **query: Any) -> Any:
        return self._read(self._client.get(path, params=query))

    def post(self, path: str, body: Any = None, *, file: Any = None) -> Any:
        sent: dict[str, Any] = {"json": {} if body is None else body}
        if file is not None:
            sent = {"data": body, "files": file}
        return self._write("POST", path, **sent)

    def put(self, path: str, body: Any) -> Any:
        return self._write("PUT", path, json=body)

    def _write(self, method: str, path: str, **sent: Any) -> Any:
        """Act on the version of the record as it is now, where the act is on one."""
        headers = {**self._forgery(), "Idempotency-Key": str(uuid.uuid4())}
        answer = self._client.request(method, path, headers=headers, **sent)
        if answer.status_code == httpx.codes.PRECONDITION_REQUIRED:
            record = self._client.get(self._client.base_url.join(answer.json()["record"]))
            headers["If-Match"] = record.headers["ETag"]
            answer = self._client.request(method, path, headers=headers, **sent)
        return self._read(answer)

    def lines(self, path: str, rows: str, *, key: str) -> Any:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
        return self._read(self._client.post(path, headers=headers, content=rows))

    def _forgery(self) -> dict[str, str]:
        token = self._client.cookies.get("csrftoken")
        return {"X-CSRFToken": token} if token else {}

    @staticmethod
    def _read(answer: httpx.Response) -> Any:
        if not answer.is_success:
            request = answer.request
            raise Refusal(
                f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:800]}"
            )
        return answer.json() if answer.content else None


class Person(Caller):
    """A person with a session of their own, who signs with their own password."""

    def __init__(self, url: str, username: str, password: str = plan.OWN) -> None:
        super().__init__(url)
        self.username = username
        self.post("session", {"username": username, "password": password})

    def choose_password(self, present: str) -> None:
        self.post("session/password", {"current": present, "new": plan.OWN})

    def sign(self, path: str, **body: Any) -> Any:
        return self.post(path, {**body, "password": plan.OWN})


@contextmanager
def running(installation: "Installation", *words: str) -> Iterator[str]:
    """Run everything that the product needs, and return where it is; what it says is in `up.log`."""
    site = installation.start("up", "--bind", "auto", *words)
    assert site.stdout is not None
    with site.stdout as said:
        try:
            deadline, lines = time.monotonic() + 240, ""
            while "Ready: " not in lines:
                assert time.monotonic() < deadline, lines
                lines += said.readline()
            # What it says later is read too: a full pipe would stop it in the middle of a word.
            reader = threading.Thread(
                target=_written, args=(said, installation.folder / "up.log"), daemon=True
            )
            reader.start()
            yield lines.rsplit("Ready: ", 1)[1].split()[0].rstrip("/")
        finally:
            site.terminate()
            site.wait(timeout=180)
        reader.join(timeout=60)


def _written(lines: Iterable[str], path: Path) -> None:
    with path.open("a") as file:
        for line in lines:
            file.write(line)
            file.flush()


def first_administrator(installation: "Installation") -> str:
    """Have the installation make its first administrator; return the password it drew."""
    done = installation.manage("administrator", plan.ADMINISTRATOR, "Alex Root")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]
