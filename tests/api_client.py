"""A client of the API that keeps the contract: a key with each write, the version of each record."""

import uuid
from typing import Any

from django.test import Client

API = "/api/v1/"
_WRITES = {"POST", "PUT", "PATCH"}


class ApiClient(Client):
    """Django's test client; below /api/v1/ it adds what every client of the API sends.

    An Idempotency-Key of its own for each write, unless the test gives one; and when the answer is
    428, it reads the record that the answer names and sends the same again with its ETag.
    """

    def generic(self, method: str, path: str, *args: Any, **more: Any) -> Any:
        if method not in _WRITES or not str(path).startswith(API):
            return super().generic(method, path, *args, **more)
        headers = {name.lower(): value for name, value in (more.pop("headers", None) or {}).items()}
        if "HTTP_IDEMPOTENCY_KEY" not in more:
            headers.setdefault("idempotency-key", str(uuid.uuid4()))
        answer = super().generic(method, path, *args, headers=headers, **more)
        if answer.status_code == 428 and "if-match" not in headers:
            record = self.get(answer.json()["record"])
            if record.status_code == 200:
                headers["if-match"] = record["ETag"]
                answer = super().generic(method, path, *args, headers=headers, **more)
        return answer
