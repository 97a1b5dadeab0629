"""Test that base64 has one form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import octets


@settings(derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=50))
def test_bytes_are_read_back_from_their_text(data: bytes) -> None:
    assert octets.from_base64(octets.to_base64(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "QQ",
        "QQ=",
        "QQ===",
        "QR==",
        "QUF=",
        "Q Q==",
        "QQ==\n",
        "\nQQ==",
        "QQ==QQ==",
        "_-8=",
        "é",
        "=",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base64"):
        octets.from_base64(text)
