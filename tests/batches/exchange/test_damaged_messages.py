"""Damaged and hostile messages: a refusal with a code or a report, in bounded memory, always."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from batches.exchange.formats import gates
from batches.exchange.models.messages import Message
from compliance.access.models import DeviceKind
from compliance.api_contract import encodings
from compliance.trail.models import Attachment
from tests import factories
from tests.batches.exchange import mutations, posting
from tests.batches.exchange.mutations import Damaged

ROOT = Path(__file__).parents[3]
# `GMP_MUTATIONS=10000` for the full run.
COUNT = int(os.environ.get("GMP_MUTATIONS", "1000"))
MOST_MIB = 400


@pytest.mark.shared
@pytest.mark.requirement("A11-5")
def test_every_damaged_message_gets_an_answer_in_bounded_memory(shared: Path) -> None:
    asked = [str(COUNT), str(mutations.SEED), str(shared / "data/exchange")]

    done = subprocess.run(
        [sys.executable, "-m", "tests.batches.exchange.mutations", *asked],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)

    assert found["failures"] == []
    assert sum(found["outcomes"].values()) == found["count"] == COUNT
    assert found["peak_mib"] < MOST_MIB, found
    assert {"message-malformed", "message-forbidden", "message-too-complex", "quarantined"} <= set(
        found["outcomes"]
    )


def _posted(token: str, number: int, one: Damaged) -> int:
    headers = {"Content-Encoding": one.encoding} if one.encoding else {}
    answer = posting.posted(
        token,
        one.data,
        one.media_type,
        key=f"damaged-{number}",
        query="?mapping=declared",
        **headers,
    )
    return int(answer.status_code)


@pytest.mark.shared
@pytest.mark.django_db
@pytest.mark.requirement("A11-5")
def test_nothing_is_kept_of_what_is_refused_at_the_api(shared: Path) -> None:
    _, token = factories.device_and_token(DeviceKind.LIMS)
    posting.mapping(mutations.TABLE)
    kept = 0

    messages = mutations.damaged(shared / "data/exchange", count=COUNT // 20, seed=7)
    for number, one in enumerate(messages):
        status = _posted(token, number, one)
        files = Message.objects.count()

        assert status == 201 or 400 <= status < 500, (number, one.how, status)
        assert files == Attachment.objects.count()
        assert files - kept in ((0, 1) if status == 201 else (0,)), (number, one.how, status)
        kept = files
    assert kept > 0


@pytest.mark.parametrize("how", mutations.GENERAL)
def test_damage_is_the_same_for_a_seed(how: object) -> None:
    first = how(mutations.CSV, random.Random(3))  # type: ignore[operator]

    assert first == how(mutations.CSV, random.Random(3))  # type: ignore[operator]


def test_packed_bodies_are_unpacked_to_the_limit_and_no_further() -> None:
    import gzip

    assert gates.inflated(gzip.compress(b"x" * 100), encoding="gzip", most=100) == b"x" * 100
    with pytest.raises(gates.MessageTooLarge):
        gates.inflated(gzip.compress(b"x" * 101), encoding="gzip", most=100)
    with pytest.raises(gates.MessageMalformed):
        gates.inflated(gzip.compress(b"x") + b"x", encoding="gzip", most=100)
    with pytest.raises(encodings.EncodingUnknown):
        gates.inflated(b"x", encoding="br", most=100)
