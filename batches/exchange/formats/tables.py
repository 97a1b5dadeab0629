"""Read CSV and NDJSON by a declaration: what it does not declare is a problem, never a guess."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from batches.exchange.formats import declared, gates
from batches.exchange.formats.contents import (
    Content,
    HappeningSaid,
    Item,
    ReadingSaid,
    ResultSaid,
)
from batches.exchange.formats.declared import Column, Declaration
from batches.exchange.formats.gates import Number
from batches.exchange.formats.mapping_reports import Report
from compliance import times

MOST_ROWS = 50_000
MOST_COLUMNS = 200
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")


def read(data: bytes, by: Declaration | None, *, kind: str) -> Content:
    """Return the rows of a table, or why they are not read."""
    report = Report()
    items: tuple[Item, ...] = ()
    if by is None:
        report.problem(
            "/", "mapping-missing", "no mapping was named: nobody declared what the columns are"
        )
    elif by.kind != kind:
        report.problem("/", "mapping-differs", f"the mapping is of {by.kind}, the message {kind}")
    elif (text := _decoded(data, by, report)) is not None:
        rows = _csv(text, by, report) if kind == "csv" else _ndjson(text, by, report)
        items = tuple(item for at, row in rows for item in _items(at, row, by, report))
        if not items and report.is_clean:
            report.problem("/", "nothing-mapped", "the table has no row")
    return Content(format=kind, version="1", items=items, report=report)


def _decoded(data: bytes, by: Declaration, report: Report) -> str | None:
    marked = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "")
    wanted = by.encoding if by.encoding in _BOMS.values() else ""
    if marked != wanted:
        report.problem(
            "/", "encoding-differs",
            f"{by.encoding} is declared; the byte order mark says {marked or 'nothing'}",
        )  # fmt: skip
        return None
    try:
        text = data.decode(by.encoding)
    except UnicodeDecodeError as error:
        report.problem("/", "encoding-differs", f"byte {error.start} is not {by.encoding}")
        return None
    if "\0" in text or "\ufffe" in text:
        report.problem("/", "encoding-differs", "the text holds NUL: the encoding is another one")
        return None
    newline = declared.NEWLINES[by.newline]
    rest = text.replace(newline, "")
    if "\r" in rest or "\n" in rest:
        report.problem("/", "newline-differs", f"lines end otherwise than with {by.newline}")
        return None
    return text.replace(newline, "\n")


def _csv(text: str, by: Declaration, report: Report) -> Iterator[tuple[str, Mapping[str, str]]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=by.delimiter, strict=True)
    try:
        headings = next(lines, [])
        if not _demand_headings(headings, by, report):
            return
        for number, fields in enumerate(lines, start=2):
            if number > MOST_ROWS + 1:
                report.problem("/", "too-many-rows", f"a message has at most {MOST_ROWS} rows")
                return
            if len(fields) != len(headings):
                report.problem(
                    f"/{number}", "row-length",
                    f"the row has {len(fields)} fields, not {len(headings)}",
                )  # fmt: skip
                continue
            yield f"/{number}", dict(zip(headings, fields, strict=True))
    except csv.Error as error:
        report.problem(f"/{lines.line_num}", "row-unreadable", str(error))


def _demand_headings(headings: list[str], by: Declaration, report: Report) -> bool:
    if len(headings) > MOST_COLUMNS:
        report.problem("/1", "too-many-columns", f"a table has at most {MOST_COLUMNS} columns")
        return False
    for heading in headings:
        if headings.count(heading) > 1:
            report.problem("/1", "column-twice", "a column is there twice", raw=heading)
        elif heading not in by.columns:
            report.problem(
                f"/1/{heading}", "column-undeclared", "nobody declared what it is", raw=heading
            )
    for heading in by.columns:
        if heading not in headings:
            report.problem("/1", "column-missing", "a declared column is missing", raw=heading)
    return report.is_clean


def _ndjson(text: str, by: Declaration, report: Report) -> Iterator[tuple[str, Mapping[str, str]]]:
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if number > MOST_ROWS:
            report.problem("/", "too-many-rows", f"a message has at most {MOST_ROWS} rows")
            return
        try:
            said = gates.json_(line.encode())
        except (gates.MessageMalformed, gates.TooComplex) as error:
            report.problem(f"/{number}", "row-unreadable", str(error))
            continue
        if row := _row(said, number, by, report):
            yield f"/{number}", row


def _row(said: Any, number: int, by: Declaration, report: Report) -> Mapping[str, str] | None:
    if not isinstance(said, dict):
        report.problem(f"/{number}", "row-unreadable", "the line is no JSON object")
        return None
    problems = report.counts["problems"]
    for name, value in said.items():
        if name not in by.columns:
            report.problem(
                f"/{number}/{name}", "column-undeclared", "nobody declared what it is", raw=name
            )
        elif not isinstance(value, str):
            report.problem(
                f"/{number}/{name}", "value-unreadable", "it is neither a text nor a number"
            )
    for name in by.columns:
        if name not in said:
            report.problem(f"/{number}", "column-missing", "a declared member is missing", raw=name)
    if report.counts["problems"] > problems:
        return None
    return {
        name: value if isinstance(value, Number) else str(value) for name, value in said.items()
    }


def _items(
    at: str, row: Mapping[str, str], by: Declaration, report: Report
) -> Iterator[ResultSaid | ReadingSaid | HappeningSaid]:
    said: dict[str, str] = {}
    measures: list[tuple[str, Column, str]] = []
    problems = report.counts["problems"]
    for heading, column in by.columns.items():
        pointer = f"{at}/{heading}"
        if column.field == "ignore":
            report.unmapped(pointer, "declared to be left")
            continue
        text = _trimmed(row[heading], pointer, by, report)
        if text is None:
            continue
        if text in column.missing:
            report.changed(pointer, before=text, after="", rule="declared to mean: not measured")
            continue
        report.mapped(pointer, f"{by.makes}.{column.tag or column.field}")
        if column.field in ("measure", "value"):
            measures.append((pointer, column, text))
        else:
            said[column.field] = text
    if "at" in said:
        said["at"] = _moment(said["at"], f"{at}", by, report)
    if report.counts["problems"] > problems:
        return
    if by.makes == "events":
        value = _number(*measures[0], by, report) if measures else ""
        if value is not None:
            yield _happening(at, said, value)
        return
    for pointer, column, text in measures:
        value = _number(pointer, column, text, by, report)
        if value is not None:
            yield _measured(pointer, column, value, said, by)


def _trimmed(text: str, pointer: str, by: Declaration, report: Report) -> str | None:
    trimmed = text.strip()
    if trimmed == text:
        return text
    if not by.trim:
        report.problem(pointer, "padded", "the field has spaces around it", raw=text)
        return None
    report.changed(pointer, before=text, after=trimmed, rule="declared to be trimmed")
    return trimmed


def _moment(text: str, pointer: str, by: Declaration, report: Report) -> str:
    try:
        moment = declared.moment(text, by)
    except times.NotAMoment as error:
        report.problem(pointer, "time-unreadable", str(error), raw=text)
        return ""
    after = moment.isoformat()
    if after != text:
        rule = f"time {by.time_format} in zone {by.zone}"
        report.changed(pointer, before=text, after=after, rule=rule)
    return after


def _number(pointer: str, column: Column, text: str, by: Declaration, report: Report) -> str | None:
    number = text
    if number.endswith("%"):
        if not column.percent_sign or column.unit != "%":
            report.problem(pointer, "percent-sign", "a number has a percent sign", raw=text)
            return None
        number = number[:-1]
    if by.decimal_mark == ",":
        if "." in number:
            report.problem(pointer, "number-unreadable", "the decimal mark is a comma", raw=text)
            return None
        number = number.replace(",", ".")
    if not _NUMBER.fullmatch(number):
        report.problem(pointer, "number-unreadable", "this is no number", raw=text)
        return None
    if number != text:
        report.changed(pointer, before=text, after=number, rule="declared form of numbers")
    return number


def _measured(
    pointer: str, column: Column, value: str, said: Mapping[str, str], by: Declaration
) -> ResultSaid | ReadingSaid:
    tag, unit = column.tag or said.get("tag", ""), column.unit or said.get("unit", "")
    if by.makes == "readings":
        return ReadingSaid(
            pointer=pointer, tag=tag, at=said["at"], value=value, unit=unit,
            batch=said.get("batch", ""),
        )  # fmt: skip
    own = said.get("id", "")
    return ResultSaid(
        pointer=pointer, sample=said.get("sample", ""), tag=tag, value=value, unit=unit,
        measured_at=said["at"], batch=said.get("batch", ""), analyst=said.get("analyst", ""),
        id=f"{own}/{tag}" if own else "",
    )  # fmt: skip


def _happening(at: str, said: Mapping[str, str], value: str) -> HappeningSaid:
    return HappeningSaid(
        pointer=at, batch=said.get("batch", ""), kind=said.get("kind", ""), occurred_at=said["at"],
        id=said.get("id", ""), phase=said.get("phase", ""), text=said.get("text", ""),
        tag=said.get("tag", ""), value=value, unit=said.get("unit", ""),
    )  # fmt: skip
