"""Read the log of a manufacturing execution system: one measurement a line, nothing dropped."""

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from decimal import Decimal

HEADER = (
    "Timestamp", "Batch_ID", "Step", "Operator", "Value_Measured", "Unit", "Critical_Alarm",
)  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)


class LogInvalid(ValueError):
    """The file is no such log, or a line of it cannot be read; says which and why."""


@dataclass(frozen=True)
class Row:
    """One line, each field as written. `timestamp` has no zone: the log gives none."""

    line: int
    timestamp: str
    batch: str
    step: str
    operator: str
    value: str
    unit: str
    critical_alarm: bool

    @property
    def number(self) -> Decimal:
        return Decimal(self.value)


@dataclass(frozen=True)
class MesLog:
    """The whole log with the digest of its bytes."""

    rows: tuple[Row, ...]
    sha256: str

    @property
    def batches(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.batch for row in self.rows))

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.step for row in self.rows))


def is_one(data: bytes) -> bool:
    """Say whether the first line is the header of such a log."""
    first = data.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip()
    return first == ",".join(HEADER).encode()


def parse(data: bytes) -> MesLog:
    """Read every line, or raise `LogInvalid` naming the first that cannot be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LogInvalid(f"the log is not UTF-8: {error}") from error
    if "\0" in text:
        raise LogInvalid("the log holds a NUL character")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        if tuple(header) != HEADER:
            raise LogInvalid(f"line 1 is not the header {','.join(HEADER)}")
        rows = tuple(_row(lines.line_num, fields) for fields in lines if fields)
    except csv.Error as error:
        raise LogInvalid(f"line {lines.line_num}: {error}") from error
    return MesLog(rows, hashlib.sha256(data).hexdigest())


def _row(line: int, fields: list[str]) -> Row:
    if len(fields) != len(HEADER):
        raise LogInvalid(f"line {line} has {len(fields)} fields, not {len(HEADER)}")
    timestamp, batch, step, operator, value, unit, alarm = (field.strip() for field in fields)
    for name, text, is_right in (
        ("Timestamp", timestamp, _MOMENT.fullmatch(timestamp)),
        ("Batch_ID", batch, batch),
        ("Step", step, step),
        ("Value_Measured", value, _NUMBER.fullmatch(value)),
        ("Critical_Alarm", alarm, alarm in {"0", "1"}),
    ):
        if not is_right:
            raise LogInvalid(f"line {line}: {name} cannot be read: “{text}”")
    return Row(line, timestamp, batch, step, operator, value, unit, alarm == "1")
