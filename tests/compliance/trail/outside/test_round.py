"""One whole round outside: sealed, witnessed, time-stamped, exported, and verified by an outsider."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.trail import (
    exporting,
    keys,
    published,
    stored,
    timestamping,
    trust,
    witness_status,
    witnessing,
)
from compliance.trail.models import LogEvent
from compliance.trail.tlog import merkle, note, tiles, time_tokens
from compliance.trail.tlog.policy import Policy
from compliance.trail.tlog.proof_file import ProofFile, ProofRefused
from compliance.trail.tlog.time_tokens import Authority
from tests import trail_log, witnesses
from tests.compliance.trail.outside.conftest import trust as trusting
from tests.tsa import Ca, Tsa
from tests.witnesses import WitnessProcess

ML_DSA_44 = 0x06


def proof_of(index: int) -> str:
    """Return a proof file from what the database has, under the checkpoint that outsiders see."""
    with connection.cursor() as cursor:
        shown = published.shown(cursor, 1, trust.policy())
        assert shown is not None
        reader = tiles.TiledReader(stored.fetch(cursor, 1))
        steps = tuple(merkle.inclusion_proof(index, shown.size, reader))
    return ProofFile(index=index, steps=steps, checkpoint=shown.cosigned).text()


def test_an_outsider_verifies_an_entry_with_two_witnesses_and_one_time_authority(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    settings.EXPORT, settings.LOG_PUBLIC = str(tmp_path / "worm"), True
    with Tsa(Ca(tmp_path / "ca", "Root")).serving() as tsa:
        settings.TSA_URL, settings.TSA_ROOTS = tsa.url, str(tsa.ca.pem)
        witnessing.collect(timezone.now())
        token = timestamping.stamp(timezone.now())
        # The token's entry is sealed by the next checkpoint, which is witnessed in its turn.
        grown = trail_log.seal_and_sign()
        collected = witnessing.collect(timezone.now())
        timestamping.stamp(timezone.now())
    exporting.export()

    # From here on: what an outsider has, a policy, roots and files.
    policy = Policy.parse(Path(settings.LOG_POLICY).read_bytes())
    proof = ProofFile.parse(proof_of(17))
    leaf = Client().get("/log/1/tile/0/000").content[17 * 32 : 18 * 32]
    verdict = proof.verify(leaf_hash=leaf, policy=policy)
    checkpoint = Client().get("/log/1/checkpoint").content

    assert grown == written_log + 1
    assert collected is not None
    assert (collected.size, collected.shortfall) == (grown, "")
    assert (verdict.checkpoint.size, set(verdict.cosigned)) == (grown, {"w1", "w2"})
    assert policy.weigh(checkpoint).is_met
    text, _ = note.split(checkpoint)
    assert text == note.split(proof.checkpoint)[0]
    assert token is not None
    event = LogEvent.objects.filter(kind="timestamp").earliest("pk")
    assert hashlib.sha256(token.tsr).hexdigest() in event.document
    stored = exporting.opened().get(f"1/checkpoint/000/000/000/000/000/{written_log}/timestamp.tsr")
    signed = exporting.opened().get(f"1/checkpoint/000/000/000/000/000/{written_log}/note")
    assert stored is not None
    assert signed is not None
    authority = Authority.from_pem(tsa.ca.pem.read_bytes(), tsa.name)
    assert time_tokens.verify(stored, message=signed, authority=authority) == token
    with pytest.raises(ProofRefused):
        proof.verify(leaf_hash=leaf[::-1], policy=policy)
    status = witness_status.read()
    assert (status["met_size"], status["shortfall"]) == (grown, "")


def test_a_witness_with_a_post_quantum_key_cosigns(
    written_log: int, settings: Any, tmp_path: Path
) -> None:
    logs = [keys.verifier(size=1).vkey]
    with witnesses.running(tmp_path / "pq", logs, name="w.example/pq", algorithm=ML_DSA_44) as one:
        trusting(settings, tmp_path, [one])

        collected = witnessing.collect(timezone.now())

    assert collected is not None
    assert collected.shortfall == ""
