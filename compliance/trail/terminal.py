"""Show timelines in a terminal: as tables for people, as JSON lines for machines."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from compliance.trail import differences
from compliance.trail.differences import Difference
from compliance.trail.entry_text import EntryUnreadable
from compliance.trail.models import Entry
from compliance.trail.standing import Standing
from compliance.trail.words import Piece

STYLES = {"same": "", "removed": "red strike", "added": "green"}
SHOWN = 200


def as_json(entry: Entry, secured: Standing) -> dict[str, Any]:
    """Return an entry as machines read it: its members, with what is beside its bytes."""
    return {
        "entry_id": entry.entry_id,
        "index": entry.index,
        "digest": None if entry.digest is None else bytes(entry.digest).hex(),
        "secured": [str(mark) for mark in secured.of(entry.index)],
        "body": None if entry.body is None else _members(entry.body),
    }


def _members(body: str) -> Any:
    """Return what a body says; the text itself where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def table(entries: Iterable[Entry], secured: Standing, *, title: str) -> Table:
    """Return a table of entries, with their changes marked."""
    made = Table(title=title, title_justify="left", show_lines=True)
    for name in ("Entry", "When and who", "What", "Changes"):
        made.add_column(name, overflow="fold")
    for entry in entries:
        marks = "\n".join(secured.of(entry.index))
        why = Text(f"Reason: {entry.reason}\n" if entry.reason else "")
        made.add_row(
            f"{entry.entry_id}\n{marks}",
            Text(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC\n{entry.actor}\n{entry.role}"),
            Text(
                f"{entry.action}, {entry.op}\n{entry.record} {entry.record_id}\n"
                f"entry {entry.record_seq} of this record"
            ),
            why.append_text(_changed(entry.body)),
        )
    return made


def _changed(body: str | None) -> Text:
    try:
        return changes(differences.of_body(body))
    except EntryUnreadable as error:
        return Text(f"unreadable: {error}", style="red")


def changes(found: Iterable[Difference]) -> Text:
    """Return differences as marked text."""
    text = Text()
    for n, one in enumerate(found):
        text.append(("\n" if n else "") + f"{one.field}: ", style="bold")
        for line in one.lines:
            text.append(f"\n  {line.path}: ")
            text.append(line.old or "", style=STYLES["removed"])
            text.append(f" {line.new or ''}", style=STYLES["added"])
        if not one.lines:
            for side in (one.old, one.new):
                text.append_text(_side(side))
    return text


def rendered(made: Table) -> str:
    """Return a table as wide as the terminal is."""
    console = Console(soft_wrap=False)
    with console.capture() as captured:
        console.print(made)
    return captured.get()


def json_lines(entries: Iterable[Entry], secured: Standing) -> Iterator[str]:
    """Yield one line an entry."""
    for entry in entries:
        yield json.dumps(as_json(entry, secured), ensure_ascii=False, sort_keys=True)


def _side(side: tuple[Piece, ...] | None) -> Text:
    text = Text()
    for piece in side or ():
        text.append(piece.text, style=STYLES[piece.mark])
        if len(text) > SHOWN:
            text.truncate(SHOWN, overflow="ellipsis")
            break
    return text.append(" ") if side else text
