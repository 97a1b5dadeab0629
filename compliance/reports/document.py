"""Describe a report as plain values, before anything is drawn."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from compliance.reports.drawing import Drawing


class Align(StrEnum):
    """Say where a column's text stands."""

    LEFT = "left"
    RIGHT = "right"


class Tone(StrEnum):
    """Say how a verdict is meant, beside its words."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = "neutral"


class Severity(StrEnum):
    """Grade a finding as inspectorates do."""

    CRITICAL = "critical"
    MAJOR = "major"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class ChangedValue:
    """Hold a value that differs from its original entry; `old` may have been changed itself."""

    old: "str | ChangedValue"
    new: str
    who: str
    when: datetime
    why: str
    entry: str = ""


Value: TypeAlias = str | ChangedValue


@dataclass(frozen=True)
class Fact:
    """Pair a label with its value."""

    label: str
    value: Value


@dataclass(frozen=True)
class Tile:
    """State one verdict for the top of the first page."""

    label: str
    verdict: str
    tone: Tone = Tone.NEUTRAL
    note: str = ""


@dataclass(frozen=True)
class Column:
    """Describe a table column; `weight` is its share of the page's width."""

    heading: str
    weight: float = 1.0
    align: Align = Align.LEFT


@dataclass(frozen=True)
class Paragraph:
    """Hold running text; a line feed starts a new line."""

    text: str


@dataclass(frozen=True)
class Facts:
    """List labelled values."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Table:
    """Hold rows of values under columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} has {len(row)} values for {len(self.columns)} columns"
                )


@dataclass(frozen=True)
class Chart:
    """Place a drawing on the page."""

    drawing: Drawing
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class SignatureBlock:
    """Hold what 21 CFR 11.50 wants shown for an electronic signature."""

    printed_name: str
    username: str
    role: str
    meaning: str
    signed_at: datetime
    digest: str
    is_current: bool
    standing: str = "The record has changed since: this signature no longer covers it"
    means: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Hold one observation of a review with its evidence."""

    number: str
    severity: Severity
    clause: str
    text: str
    evidence: tuple[Fact, ...] = ()


Block: TypeAlias = Paragraph | Facts | Table | Chart | SignatureBlock | Finding


@dataclass(frozen=True)
class Section:
    """Group blocks under a heading."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Carry a file inside the document."""

    name: str
    media_type: str
    data: bytes
    description: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """Describe a whole report; the same value always draws the same bytes.

    `digest` is the record's digest in hex, `tree_size` the size of the trail's tree that it
    reflects. The QR code carries `verify_url`, or `verify_text` when there is no address.
    """

    title: str
    number: str
    digest: str
    tree_size: int
    verify_text: str
    generated_at: datetime
    subtitle: str = ""
    facts: tuple[Fact, ...] = ()
    verdicts: tuple[Tile, ...] = ()
    sections: tuple[Section, ...] = ()
    verify_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    watermark: str | None = None
    product: str = "GMP compliance and audit-trail twin"
    language: str = "en"
