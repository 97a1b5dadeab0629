"""Show what was written, changed and taken out in the lines of a version since it was drafted."""

from typing import Any

from batches.recipes import parts
from batches.recipes.actions import Action
from batches.recipes.models import MasterRecipe
from batches.recipes.parts import KINDS, Kind
from compliance.access import page_parts
from compliance.access.page_parts import Cell, Folded, Section, Table
from compliance.trail import capture
from compliance.trail.models import Entry
from compliance.trail.tlog import canonical

NEWEST = 100
_KINDS = {capture.record_of(kind.model): kind for kind in KINDS.values()}


def section(recipe: MasterRecipe) -> Section:
    """Find the entries of lines by the acts in which the version was revised."""
    own = Entry.objects.of_record(capture.record_of(MasterRecipe), recipe.pk)
    acts = list(own.filter(action=Action.RECIPE_REVISED).values_list("act", flat=True))
    found = Entry.objects.filter(act__in=acts, record__in=list(_KINDS), body__isnull=False)
    entries = list(found.order_by("-entry_id")[:NEWEST])
    names = _names(recipe)
    rows = [_row(entry, names) for entry in entries]
    table = Table(
        ["At", "By", "Line", "Change", "Before and after", "Reason"],
        rows,
        empty="No line was changed since it was drafted.",
    )
    if len(rows) < NEWEST:
        return Section("Changes of lines", [table])
    return Section("Changes of lines", [Folded(f"The newest {NEWEST}", [table])])


def _row(entry: Entry, names: dict[tuple[str, str], str]) -> list[Cell]:
    body: Any = canonical.loads((entry.body or "").encode())
    old, new = body.get("old") or {}, body.get("new") or {}
    kind = _KINDS[entry.record]
    name = names.get((entry.record, entry.record_id)) or _gone(kind, old, entry)
    shown = [] if entry.op == "insert" else [name for name in (new or old) if name != "id"]
    return [
        page_parts.moment(entry.at),
        entry.actor,
        f"{kind.singular.capitalize()} {name}",
        {"insert": "added", "update": "changed", "delete": "taken out"}[entry.op],
        page_parts.changes([(name, _text(old.get(name)), _text(new.get(name))) for name in shown]),
        entry.reason,
    ]


def _names(recipe: MasterRecipe) -> dict[tuple[str, str], str]:
    """Return how the lines that are there are called, by record and number."""
    return {
        (record, str(row.pk)): parts.key_of_row(kind, row)
        for record, kind in _KINDS.items()
        for row in parts.rows(recipe, kind)
    }


def _gone(kind: Kind, old: dict[str, Any], entry: Entry) -> str:
    """Return how a line was called that was taken out; a yield had nothing but its phase."""
    if all(name in old for name in kind.key):
        return kind.key_of(old)
    return entry.record_id


def _text(value: Any) -> str:
    if value in (None, ""):
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()
