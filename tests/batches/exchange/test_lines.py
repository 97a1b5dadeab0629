"""A body of lines is read as it comes, with one line of it in memory."""

import io

import pytest

from batches.exchange import lines
from compliance.api_contract.strict_json import TooLarge


class Dripping(io.BytesIO):
    """A stream that gives seven bytes at most at a time, and remembers how much was asked."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7)


@pytest.mark.parametrize("stream", [io.BytesIO, Dripping])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_are_those_that_were_sent(stream: type[io.BytesIO], end: bytes) -> None:
    body = b'{"a":1}\n\n{"b":"' + b"x" * 200 + b'"}\n{}' + end

    found = list(lines.of(stream(body), most_bytes=10_000, most_lines=10))

    expected = body.removesuffix(b"\n").split(b"\n")
    assert found == list(enumerate(expected, start=1))


def test_a_body_beyond_a_limit_is_refused_where_it_passes_it() -> None:
    read = lines.of(io.BytesIO(b"a\nb\nc\n"), most_bytes=100, most_lines=2)

    assert [next(read), next(read)] == [(1, b"a"), (2, b"b")]
    with pytest.raises(TooLarge):
        next(read)
    with pytest.raises(TooLarge):
        list(lines.of(io.BytesIO(b"a" * 101), most_bytes=100, most_lines=2))
    with pytest.raises(TooLarge):
        list(lines.of(io.BytesIO(b"a" * (lines.LONGEST + 1)), most_bytes=10**9, most_lines=2))
