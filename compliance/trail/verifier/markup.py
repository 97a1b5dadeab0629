"""Show what was entered so that it cannot act, hide or reorder anything: in HTML and in terminals."""

import html
import re
from collections.abc import Iterable, Sequence

# Controls, format characters (bidirectional overrides, zero width), line separators: what a person
# cannot see, or what changes the order in which other text is seen. Written out, since the tables
# of Python grow with Unicode and a report must be the same everywhere.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def text(value: str) -> str:
    """Return a text for people, every unseen character spelled out."""
    return f"<bdi>{html.escape(_spelled(value))}</bdi>"


def line(value: str) -> str:
    """Return a text for one line of a terminal: no escape sequence, no second line."""
    return _spelled(value).replace("\n", "\\u{a}").replace("\t", "\\u{9}")


def code(value: str) -> str:
    """Return a hash or a name of machines."""
    return f"<code>{html.escape(value)}</code>"


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms; the second of each pair is HTML already."""
    return "<dl>" + "".join(f"<dt>{html.escape(a)}</dt><dd>{b}</dd>" for a, b in items) + "</dl>\n"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are HTML already, the first of each row is its heading."""
    head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{one}</td>" for one in rest) + "</tr>\n"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{html.escape(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>\n"
    )


def _spelled(value: str) -> str:
    return _UNSEEN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", value)
