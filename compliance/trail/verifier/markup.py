"""Write HTML in which nothing that was entered can act, hide or reorder anything."""

import html
import unicodedata
from collections.abc import Iterable, Sequence

# Controls, format characters (bidirectional overrides, zero width), surrogates, line separators:
# what a person cannot see, or what changes the order in which other text is seen.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LAYOUT = frozenset("\n\t")


def text(value: str) -> str:
    """Return a text for people, every unseen character spelled out."""
    shown = "".join(
        f"\\u{{{ord(one):x}}}" if one not in _LAYOUT and _is_unseen(one) else one for one in value
    )
    return f"<bdi>{html.escape(shown)}</bdi>"


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


def _is_unseen(one: str) -> bool:
    return one > "\x7e" and unicodedata.category(one) in _UNSEEN or one < " "
