"""The plant that the exchange is measured with: a device, a running batch, and posts of readings."""

import itertools
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

from compliance.access.models import DeviceKind
from tests import factories
from tests.factories import common

BEGUN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ROWS = 5_000  # a post


def client(address: str, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=120
    )


def historian(part: str) -> tuple[int, str]:
    """Return the number and the token of a device that posts; names are apart for each part."""
    common.numbers = itertools.count(1 + zlib.crc32(part.encode()) % 9000 * 1000)
    device, token = factories.device_and_token(DeviceKind.HISTORIAN, at=BEGUN)
    return device.pk, token


def values(first: int, count: int) -> Iterator[tuple[str, str, str, str]]:
    """Yield samples of two tags, two a second, in order of time."""
    for number in range(first, first + count):
        at = (BEGUN + timedelta(seconds=number // 2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if number % 2:
            yield "ph", at, f"{7 + number % 89 / 1000:.3f}", "[pH]"
        else:
            yield "temperature_c", at, f"{36 + number % 997 / 1000:.3f}", "Cel"


def body(first: int, count: int = ROWS) -> bytes:
    """Return a post of readings as NDJSON."""
    return "".join(
        f'{{"tag":"{tag}","at":"{at}","value":{value},"unit":"{unit}"}}\n'
        for tag, at, value, unit in values(first, count)
    ).encode()


def copied(first: int, *, segment: int, batch: int, count: int = ROWS) -> bytes:
    """Return the same rows as COPY takes them."""
    return "".join(
        f"{segment}\t{position}\t{batch}\t{tag}\t{at}\t{value}\t{unit}\n"
        for position, (tag, at, value, unit) in enumerate(values(first, count))
    ).encode()
