"""Read a plant's deviation report in Markdown: its number, title and what it claims, as written."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_TITLE = re.compile(r"^#\s.*?Deviation Report:\s*(?P<number>[A-Z]{2,5}-\d{4}-\d{1,6})\s*$", re.M)
_CLAIM = re.compile(r"^(?P<key>[A-Z][A-Za-z ()]{2,40}):[ \t]+(?P<value>\S.{0,200})$", re.M)
# What is claimed in prose rather than in a field of its own.
_PROSE = {
    "operator": re.compile(r"\bOperator (OP_[A-Z]{2}_\d{2})\b"),
    "operator_alarms": re.compile(r"\((\d+) total alarms\)"),
    "stable_range": re.compile(r"\bstable within the (\d+(?:\.\d+)?mg - \d+(?:\.\d+)?mg) range"),
    "alarm_triggered": re.compile(r"\btriggered a (system-level critical alarm)\b"),
}
_SECTIONS = ("Event Description",)


class ReportInvalid(ValueError):
    """The file is no such report."""


@dataclass(frozen=True)
class DeviationReport:
    """A report with its fields: keys in lower case with underscores, values as written."""

    number: str
    title: str
    claims: Mapping[str, str]
    text: str
    sha256: str


def is_one(data: bytes) -> bool:
    """Say whether the file has the title of such a report."""
    return _TITLE.search(data.decode("utf-8", errors="replace")) is not None


def parse(data: bytes) -> DeviationReport:
    """Read a report, or raise `ReportInvalid`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportInvalid(f"the report is not UTF-8: {error}") from error
    if (title := _TITLE.search(text)) is None:
        raise ReportInvalid("the report has no title “# Deviation Report: XX-YYYY-NNN”")
    claims = {_key(found["key"]): found["value"].strip() for found in _CLAIM.finditer(_event(text))}
    for key, pattern in _PROSE.items():
        if (found := pattern.search(text)) is not None:
            claims[key] = found[1]
    return DeviationReport(
        number=title["number"],
        title=_summary(text) or title["number"],
        claims=claims,
        text=text,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _event(text: str) -> str:
    """Return the section that describes the event; the whole report when it has none."""
    sections = re.split(r"^##\s+", text, flags=re.M)
    described = [
        one for one in sections if any(name in one.split("\n", 1)[0] for name in _SECTIONS)
    ]
    return described[0] if described else text


def _summary(text: str) -> str:
    """Return the first sentence of the summary, shortened to a title."""
    found = re.search(r"^##.*Summary\s*\n+(?P<text>[^\n]+)", text, re.M)
    return found["text"].split(". ")[0][:180] if found else ""


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
