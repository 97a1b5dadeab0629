"""Read a body of lines as it comes: never more of it in memory than one line."""

from collections.abc import Iterator
from typing import Protocol

from compliance.api_contract.strict_json import TooLarge

CHUNK = 64 * 1024
LONGEST = 1024 * 1024


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def of(stream: Stream, *, most_bytes: int, most_lines: int) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, without its end; raise `TooLarge` beyond the limits."""
    number, held, total = 0, b"", 0
    while chunk := stream.read(CHUNK):
        total += len(chunk)
        if total > most_bytes:
            raise TooLarge(f"post at most {most_bytes // 1024} KiB at once")
        *whole, held = (held + chunk).split(b"\n")
        if len(held) > LONGEST or any(len(line) > LONGEST for line in whole):
            raise TooLarge(f"line {number + 1} or one near it is longer than {LONGEST} bytes")
        for line in whole:
            number = _next(number, most_lines)
            yield number, line
    if held:
        yield _next(number, most_lines), held


def _next(number: int, most_lines: int) -> int:
    if number >= most_lines:
        raise TooLarge(f"post at most {most_lines} lines at once; go on by sequence")
    return number + 1
