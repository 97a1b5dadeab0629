"""Hold what a page shows as plain values: facts, tables, pictures and texts in sections."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import ClassVar, Literal, TypeAlias

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Tone = Literal["good", "busy", "warn", "bad", "quiet"]
Cell: TypeAlias = str | SafeString

# One tone a stored value, so that a word looks the same on every page.
TONES: dict[str, Tone] = {
    "accepted": "good", "clean": "good", "closed": "good", "completed": "good", "done": "good",
    "effective": "good", "finished": "good", "forecast": "good", "released": "good",
    "sealed": "good", "reviewed": "good", "claimed": "busy", "draft": "busy", "open": "busy",
    "requested": "busy", "explained": "good", "not-explained": "warn",
    "running": "busy", "under-investigation": "busy", "major": "warn", "not-assessable": "warn",
    "out-of-domain": "warn", "undecided": "warn", "aborted": "bad", "critical": "bad",
    "failed": "bad", "finding": "bad", "locked": "bad", "wrong": "bad", "confirmed": "good",
    "held": "warn", "expired": "warn", "rework": "warn", "rejected": "bad", "recalled": "bad",
    # access
    "qualified": "good", "passed": "good", "keep": "good", "identity-proven": "good",
    "alarm-acknowledged": "good", "session-opened": "busy", "unqualified": "warn",
    "remove": "warn", "role-given": "warn", "role-ended": "warn", "password-set": "warn",
    "identity-withdrawn": "bad", "alarm": "bad",
}  # fmt: skip


def badge(text: str, tone: Tone = "quiet") -> SafeString:
    """Write a state: the word says it, the colour repeats it."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


def state(value: str, label: str) -> SafeString:
    """Write a stored choice with its label, in the tone of its value."""
    return badge(label, TONES.get(value, "quiet"))


def link(text: str, url: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def beside(mark: SafeString, text: str) -> SafeString:
    """Write a mark and a text in one line."""
    return format_html("{} {}", mark, text)


def code(text: str) -> SafeString:
    """Write a digest or an identifier, breakable anywhere."""
    return format_html('<code class="digest">{}</code>', text)


def alarm(text: str) -> SafeString:
    """Write a value outside its limits: a sign and a word for those who see no colour."""
    return format_html('<strong class="alarm">{} <span>out of limits</span></strong>', text)


def changes(changed: Sequence[tuple[str, str, str]]) -> SafeString:
    """Write old and new values of fields (21 CFR 11.10(e): what was there stays readable)."""
    rows = format_html_join(
        "",
        "<div><dt>{}</dt><dd>{} <ins>{}</ins></dd></div>",
        (
            (name.replace("_", " "), format_html("<del>{}</del>", old) if old else "", new or "-")
            for name, old, new in changed
        ),
    )
    return format_html('<dl class="changes">{}</dl>', rows)


def moment(at: datetime | None) -> str:
    """Write a moment with its zone (21 CFR 11.50(a)(2))."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(on: date | None) -> str:
    return "" if on is None else on.isoformat()


def shown(value: object) -> Cell:
    """Write any stored value the way pages show it."""
    match value:
        case SafeString() | str():
            return value
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case datetime():
            return moment(value)
        case date():
            return day(value)
    return str(value)


@dataclass(frozen=True)
class Facts:
    """Pairs of a label and a value."""

    pairs: Sequence[tuple[str, Cell]]
    template: ClassVar[str] = "admin/parts/facts.html"

    @property
    def present(self) -> list[tuple[str, Cell]]:
        return [(label, value) for label, value in self.pairs if value != ""]


@dataclass(frozen=True)
class Table:
    """Rows under headings; `numeric` names the columns that are aligned right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = "None recorded."
    numeric: Sequence[str] = ()
    caption: str = ""
    template: ClassVar[str] = "admin/parts/table.html"

    @property
    def headings(self) -> list[tuple[str, bool]]:
        return [(name, name in self.numeric) for name in self.columns]

    @property
    def cells(self) -> list[list[tuple[Cell, bool]]]:
        numeric = [name in self.numeric for name in self.columns]
        return [list(zip(row, numeric, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Text:
    """A text in paragraphs, as written by people."""

    text: str
    label: str = ""
    template: ClassVar[str] = "admin/parts/text.html"


@dataclass(frozen=True)
class Note:
    """A remark of the product: why something is empty, and what to do next."""

    text: Cell
    tone: Tone = "quiet"
    template: ClassVar[str] = "admin/parts/note.html"


@dataclass(frozen=True)
class Picture:
    """A drawing that the page fetches."""

    url: str
    alt: str
    template: ClassVar[str] = "admin/parts/picture.html"


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Amounts that are compared with the largest of them, or with the `whole` that they are parts of."""

    bars: Sequence[Bar]
    label: str = ""
    whole: float = 0.0
    template: ClassVar[str] = "admin/parts/bars.html"

    @property
    def largest(self) -> float:
        """What fills a whole bar."""
        if self.whole:
            return self.whole
        return max((abs(bar.value) for bar in self.bars), default=0.0) or 1.0

    @property
    def scaled(self) -> list[tuple[Bar, float]]:
        """Each bar with its length in percent of a whole one."""
        return [(bar, round(100 * abs(bar.value) / self.largest, 2)) for bar in self.bars]


@dataclass(frozen=True)
class Signed:
    """A signature's manifestation (21 CFR 11.50): name, user, role, meaning, moment, standing."""

    printed_name: str
    username: str
    role: str
    meaning: str
    at: str
    comment: str
    is_current: bool
    standing: str = ""
    means: str = ""
    template: ClassVar[str] = "admin/parts/signed.html"


@dataclass(frozen=True)
class Folded:
    """Parts behind a line that opens."""

    summary: Cell
    parts: Sequence["Part"]
    is_open: bool = False
    template: ClassVar[str] = "admin/parts/folded.html"


Part: TypeAlias = Facts | Table | Text | Note | Picture | Bars | Signed | Folded


@dataclass(frozen=True)
class Section:
    """A heading with its parts."""

    heading: str
    parts: Sequence[Part]
    anchor: str = ""
    is_wide: bool = True


@dataclass(frozen=True)
class Page:
    """A record as its page shows it."""

    title: str
    subtitle: str = ""
    badges: Sequence[SafeString] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    evidence_url: str = ""  # where a bundle of the record with all that belongs to it is had
