"""Send lines as a source does, in the tests."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from batches.exchange import sources
from batches.exchange.models import Source
from batches.exchange.sources import Thresholds
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind
from tests import factories


def registered(
    device: Device, code: str = "hist-7", *, at: datetime, thresholds: Thresholds | None = None
) -> Source:
    return sources.register(
        code=code,
        device=device,
        actor=factories.person(Role.SYSTEM_ADMINISTRATOR, at=at),
        at=at,
        reason="the historian of line 7 is connected",
        thresholds=thresholds,
    )


@dataclass
class Line:
    """A source of line 7 with its device, its token and a running batch."""

    now: datetime = field(default_factory=timezone.now)
    code: str = "hist-7"
    kind: DeviceKind = DeviceKind.LIMS

    def __post_init__(self) -> None:
        self.begun = self.now - timedelta(hours=2)
        self.device, token = factories.device_and_token(self.kind, at=self.begun)
        self.source = registered(self.device, self.code, at=self.begun)
        self.batch: Batch = factories.running_batch(at=self.begun)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = Client()

    def said(self, sequence: int | None, **other: Any) -> dict[str, Any]:
        """Return one line: an observation of a minute ago."""
        line: dict[str, Any] = {
            "id": f"R-{sequence}", "kind": "event", "batch": self.batch.number,
            "observed_at": (self.now - timedelta(minutes=1)).isoformat(),
            "data": {"kind": "observation", "text": f"seen as number {sequence}"},
        }  # fmt: skip
        if sequence is not None:
            line["sequence"] = sequence
        return {**line, **other}

    def send(self, *lines: dict[str, Any] | bytes, handling: str = "", **headers: str) -> Any:
        body = b"".join(
            (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines
        )
        if handling:
            headers["Prefer"] = f"handling={handling}"
        answer = self.client.post(
            f"/api/v1/sources/{self.code}/records", body,
            content_type="application/x-ndjson", headers={**self.headers, **headers},
        )  # fmt: skip
        if answer.streaming:
            answer.lines = [json.loads(line) for line in answer.getvalue().splitlines()]
        return answer

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(f"/api/v1/{path}", params, headers=self.headers)
        assert answer.status_code == 200, answer.content
        return answer.json()


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.lines
    return found


def outcomes(answer: Any) -> list[str]:
    return [line["outcome"] for line in lines(answer) if "outcome" in line]
