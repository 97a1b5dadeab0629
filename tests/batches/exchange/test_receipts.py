"""“Did you get this?” is answered for each id, with what proves it."""

import json
from typing import Any

import pytest
from django.test import Client

from compliance.trail import keys
from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier
from compliance.trail.tlog.leaf import Leaf
from tests import trail_log
from tests.batches.exchange.sending import Line, lines
from tests.conftest import FreshLog

NUMBERS = 3


def _verify(proof: dict[str, Any], verifier: Verifier) -> None:
    """Follow the path from the leaf to the root that the checkpoint signs, as an outsider does."""
    signed = Checkpoint.parse(note.open(proof["checkpoint"], [verifier]).text)
    hashed = Leaf(
        origin=signed.origin, index=proof["index"], digest=bytes.fromhex(proof["entry_digest"]),
        previous=bytes.fromhex(proof["previous"]),
    )  # fmt: skip
    path = [bytes.fromhex(one) for one in proof["path"]]
    merkle.verify_inclusion(hashed.hash, proof["index"], signed.size, path, signed.root)


@pytest.mark.django_db
def test_a_receipt_has_digest_times_and_entry_at_once_for_every_id_asked() -> None:
    line = Line()
    answered = lines(line.send(line.said(1), line.said(2)))

    found = line.get("receipts", source="hist-7", id=["R-1", "R-none", "R-2"])

    assert found["source"] == "hist-7"
    assert [(one["id"], one["is_received"]) for one in found["records"]] == [
        ("R-1", True), ("R-none", False), ("R-2", True),
    ]  # fmt: skip
    [version] = found["records"][0]["versions"]
    assert version["content_digest"] == answered[0]["content_digest"]
    assert version["recorded_at"]
    assert version["proof"]["entry_id"] > 0
    assert (version["proof"]["index"], version["proof"]["checkpoint"]) == (None, "")


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"source": "hist-7"}, {}, {"source": "hist-7", "id": ["x"] * 0}])
def test_a_question_for_nothing_is_refused(asked: dict[str, Any]) -> None:
    line = Line()

    assert line.client.get("/api/v1/receipts", asked, headers=line.headers).status_code == 422


def test_a_receipt_has_the_inclusion_proof_once_a_checkpoint_covers_it(fresh_log: FreshLog) -> None:
    line = Line()
    lines(line.send(*(line.said(n) for n in range(1, NUMBERS + 1))))
    body = json.dumps(line.said(None)["data"] | {"occurred_at": line.said(None)["observed_at"]})
    posted = Client().post(
        f"/api/v1/batches/{line.batch.number}/events", body, content_type="application/json",
        headers={**line.headers, "Idempotency-Key": "k-1"},
    )  # fmt: skip
    assert posted.status_code == 201, posted.content
    size = trail_log.seal_and_sign()

    ids = [f"R-{n}" for n in range(1, NUMBERS + 1)]
    records = line.get("receipts", source="hist-7", id=ids)["records"]
    [by_key] = line.get("receipts", idempotency_key="k-1")["results"]

    verifier = Verifier.parse(keys.verifier(size=size).vkey)
    proofs = [one["versions"][0]["proof"] for one in records] + [by_key["proof"]]
    for proof in proofs:
        assert proof["tree_size"] == size
        _verify(proof, verifier)
    forged = {**proofs[0], "entry_digest": "0" * 64}
    with pytest.raises(merkle.ProofInvalid):
        _verify(forged, verifier)
