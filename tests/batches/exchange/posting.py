"""Post messages as a device does, and declare what they need."""

from typing import Any

from django.test import Client

from batches.exchange import intake, sender_mappings
from batches.exchange.models.messages import Message, SenderMapping
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind
from tests import factories
from tests.factories import NOON

XML, JSON, CSV, NDJSON, RAW = (
    "application/xml", "application/json", "text/csv", "application/x-ndjson",
    "application/octet-stream",
)  # fmt: skip
REASON = "declared after a test with the sender"
ASM: dict[str, Any] = {
    "kind": "asm",
    "zone": "Europe/Paris",
    "leave_unlisted": True,
    "results": [
        {"name": "ammonium/molar concentration", "tag": "ammonium_mmol_l", "unit": "mmol/L"},
    ],
}
FLEX: dict[str, Any] = {
    "kind": "csv", "makes": "results", "encoding": "utf-8", "newline": "lf",
    "time_format": "%m-%d-%Y  %H:%M:%S", "zone": "Europe/Paris",
    "columns": [
        {"name": "Date & Time", "field": "at"},
        {"name": "Sample ID", "field": "sample"},
        {"name": "Lac", "field": "measure", "tag": "lactate_mmol_l", "unit": "mmol/L"},
        {"name": "Operator", "field": "ignore"},
    ],
}  # fmt: skip


def mapping(definition: Any, name: str = "declared") -> SenderMapping:
    """Return an effective mapping, proposed by one person and approved by another."""
    author = factories.person(Role.QC_SUPERVISOR)
    made = sender_mappings.propose(
        name, definition=definition, actor=author, at=NOON, reason=REASON
    )
    return sender_mappings.approve(
        made, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON, reason=REASON
    )


def received(data: bytes, media_type: str, *, by: Device | None = None, **beside: str) -> Message:
    return intake.receive(
        intake.Posted(data=data, media_type=media_type, **beside),
        actor=by or factories.device(DeviceKind.LIMS),
        at=NOON,
    )


def posted(
    token: str, data: bytes, media_type: str, *, key: str = "key-1", query: str = "",
    **headers: str,
) -> Any:  # fmt: skip
    """Post a message over the API as a device."""
    return Client().post(
        f"/api/v1/messages{query}", data=data, content_type=media_type,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key, **headers},
    )  # fmt: skip


def codes(message: Message) -> set[str]:
    return {problem["code"] for problem in message.report["problems"]}
