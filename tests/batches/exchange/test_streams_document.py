"""The example of docs/streams.md computes what the product answers."""

import re
from typing import Any

import pytest

from tests.batches.exchange.sending import Line, lines
from tests.conftest import ROOT


def _example() -> dict[str, Any]:
    text = (ROOT / "docs" / "streams.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, "docs/streams.md", "exec"), found)
    return found


@pytest.mark.django_db
def test_the_example_of_the_document_computes_our_books() -> None:
    example, line = _example(), Line()
    sent = [
        line.said(1, sent_at=line.now.isoformat()),
        line.said(2, id='µ"-2'),
        line.said(3, id="R-1", version=2, reason="read from the wrong scale", corrected_by="Ä. K."),
    ]

    answered = lines(line.send(*sent))

    books = line.get("sources/hist-7/reconciliation", first=1, last=3)
    assert books == {"count": 3, "rolling_hash": example["rolling_hash"](sent)}
    assert [one["content_digest"] for one in answered[:-1]] == [
        example["digest"](one) for one in sent
    ]
    none = line.get("sources/hist-7/reconciliation", first=7, last=9)
    assert none == {"count": 0, "rolling_hash": example["rolling_hash"]([])}
