"""Compare what the clients were told with what is there: once each, provable, in both books."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.leaf import Leaf
from tests.faults.clients import ROWS, Client, rolling_hash
from tests.journeys.conftest import Installation

SEALED_S = 120.0  # at most, until a checkpoint covers what was written
_PAGE = 1000
# Readings have no list of their own: how many samples of a batch there are, and how many moments.
READINGS = (
    "import json; from django.db import connection; c = connection.cursor(); "
    'c.execute("SELECT b.number, count(*), count(DISTINCT r.observed_at) FROM execution_reading r '
    'JOIN execution_batch b ON b.id = r.batch_id GROUP BY 1"); '
    "print(json.dumps({n: [a, d] for n, a, d in c.fetchall()}))"
)


class Books:
    """The product's side, asked as each client would ask, without the network that fails."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._installation = installation
        self._url = url
        told = installation.manage("trail", "keys")
        assert told.returncode == 0, told.stderr
        vkeys = [line for line in told.stdout.splitlines() if not line.startswith("#")]
        self._verifiers = [Verifier.parse(vkey) for vkey in vkeys]
        self._samples = json.loads(installation.ask(READINGS).splitlines()[-1])
        self.proven: Counter[str] = Counter()  # receipts of each source: each has a thread

    def faults(self, client: Client) -> list[str]:
        """Say what is not as the client was told."""
        asks = {"readings": self._readings, "events": self._events, "results": self._results,
                "records": self._records}  # fmt: skip
        with httpx.Client(
            base_url=f"{self._url}/api/v1/", timeout=60,
            headers={"Authorization": f"Bearer {client.given.token}"},
        ) as asking:  # fmt: skip
            found = [*asks[client.given.posts](client, asking), *self._proofs(client, asking)]
        return [f"{client.given.source} ({client.given.posts}): {fault}" for fault in found]

    def _readings(self, client: Client, asking: httpx.Client) -> Iterator[str]:
        wanted = len(client.accepted) * ROWS
        there = self._samples.get(client.given.batch, [0, 0])
        if there != [wanted, wanted]:
            yield f"{wanted} samples accepted, {there[0]} there at {there[1]} moments"
        yield from self._books(client, asking)

    def _records(self, client: Client, asking: httpx.Client) -> Iterator[str]:
        texts = [one["text"] for one in _all(asking, f"batches/{client.given.batch}/events")]
        wanted = [f"record {number}" for number in range(1, len(client.accepted) + 1)]
        yield from _differences(wanted, [text for text in texts if text])
        yield from self._books(client, asking)

    @staticmethod
    def _events(client: Client, asking: httpx.Client) -> Iterator[str]:
        events = _all(asking, f"batches/{client.given.batch}/events")
        there = [one["message_id"] for one in events if one["kind"] == "observation"]
        yield from _differences([one.id for one in client.accepted], there)

    @staticmethod
    def _results(client: Client, asking: httpx.Client) -> Iterator[str]:
        batch, source = client.given.batch, client.given.source
        samples = [one["number"] for one in _all(asking, f"batches/{batch}/samples")]
        results = [one["sample"] for one in _all(asking, f"batches/{batch}/results")]
        wanted = [f"{source}-{number}" for number in range(1, len(client.accepted) // 2 + 1)]
        yield from _differences(wanted, samples)
        yield from _differences(wanted, results)

    @staticmethod
    def _books(client: Client, asking: httpx.Client) -> Iterator[str]:
        """Both sides' books: what is expected next, gaps, the count and the rolling hash."""
        last = len(client.accepted)
        path = f"sources/{client.given.source}"
        standing = _get(asking, path)
        if (standing["next_expected"], standing["open_gaps"]) != (last + 1, 0):
            yield f"{last} sent, and it stands at {standing}"
        found = _get(asking, f"{path}/reconciliation", first=1, last=last)
        ours = {"count": last, "rolling_hash": rolling_hash(client.accepted)}
        theirs = {name: found.get(name) for name in ours}
        if ours != theirs:
            yield f"the books differ: {ours}, {theirs}"

    def _proofs(self, client: Client, asking: httpx.Client) -> Iterator[str]:
        deadline = time.monotonic() + SEALED_S
        is_stream = client.given.posts == "records"
        size = 100 if is_stream else 1
        for first in range(0, len(client.accepted), size):
            part = client.accepted[first : first + size]
            while True:
                receipts = _receipts(client, asking, [one.id for one in part], is_stream=is_stream)
                if all(one["proof"]["checkpoint"] for one in receipts):
                    break
                if time.monotonic() > deadline:
                    yield f"{part[0].id} and those after it are not sealed after {SEALED_S:.0f} s"
                    return
                time.sleep(0.5)
            for written, receipt in zip(part, receipts, strict=True):
                if receipt.get("content_digest", receipt.get("request_digest")) != written.digest:
                    yield f"the receipt of {written.id} is of other bytes: {receipt}"
                self._verify(receipt["proof"])
                self.proven[client.given.source] += 1

    def _verify(self, proof: dict[str, Any]) -> None:
        """Follow the path from the leaf to the root that the checkpoint signs, or raise."""
        signed = Checkpoint.parse(note.open(proof["checkpoint"], self._verifiers).text)
        hashed = Leaf(
            origin=signed.origin, index=proof["index"],
            digest=bytes.fromhex(proof["entry_digest"]),
            previous=bytes.fromhex(proof["previous"]),
        )  # fmt: skip
        path = [bytes.fromhex(one) for one in proof["path"]]
        merkle.verify_inclusion(hashed.hash, proof["index"], signed.size, path, signed.root)


def _receipts(
    client: Client, asking: httpx.Client, ids: list[str], *, is_stream: bool
) -> list[dict[str, Any]]:
    """Return the one receipt of each id; two of one, or none, is a fault of the product."""
    if is_stream:
        found = _get(asking, "receipts", source=client.given.source, id=ids)["records"]
        by_id = [one["versions"] for one in found]
    else:
        by_id = [_get(asking, "receipts", idempotency_key=one)["results"] for one in ids]
    assert all(len(one) == 1 for one in by_id), f"not one receipt each: {ids}"
    return [one[0] for one in by_id]


def _differences(wanted: list[str], there: list[str]) -> Iterator[str]:
    lost = set(wanted) - set(there)
    doubled = [name for name, count in Counter(there).items() if count > 1]
    unasked = set(there) - set(wanted)
    for what, names in (("lost", lost), ("doubled", doubled), ("never sent", unasked)):
        if names:
            yield f"{len(names)} {what}: {sorted(names)[:3]}"


def _all(asking: httpx.Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = _get(asking, path, limit=_PAGE, offset=len(found))
        found += page["results"]
        if not page["results"] or len(found) >= page["count"]:
            return found


def _get(asking: httpx.Client, path: str, **query: Any) -> Any:
    """Ask, and wait where the product says that it is asked too often."""
    while (answer := asking.get(path, params=query)).status_code == httpx.codes.TOO_MANY_REQUESTS:
        time.sleep(float(answer.headers["Retry-After"]))
    answer.raise_for_status()
    return answer.json()
