"""Show the difference between two versions on a page, long lists folded."""

from typing import Any

from batches.recipes.differences import Difference, FieldChange, LineChange
from batches.recipes.models import MasterRecipe
from batches.recipes.parts import KINDS
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Folded, Note, Page, Part, Section, Table, Tone
from compliance.trail.tlog import canonical

SHOWN = 5  # changed lines of a list that are shown without folding
_TONES: dict[str, Tone] = {"added": "good", "removed": "bad", "changed": "warn"}


def url(recipe: MasterRecipe, other: MasterRecipe) -> str:
    base = record_admin.url(recipe).removesuffix("change/")
    return f"{base}difference/?with={other.version}"


def of(recipe: MasterRecipe, other: MasterRecipe, difference: Difference) -> Page:
    """Return what has changed from the other version to this one."""
    sections = [_summary(recipe, other, difference)]
    if difference.header:
        sections.append(Section("Header", [_header(difference)]))
    for kind in KINDS.values():
        lines = difference.of(kind.name)
        if lines:
            sections.append(Section(kind.name.capitalize(), _lines(kind.singular, lines)))
    return Page(f"{other} → {recipe}", "What is different", [], sections)


def _summary(recipe: MasterRecipe, other: MasterRecipe, difference: Difference) -> Section:
    if difference.is_empty:
        return Section("Difference", [Note("The two versions say the same.")])
    counts = [[name, str(len(difference.of(name)))] for name in KINDS if difference.of(name)]
    rows: list[list[Cell]] = [["header", str(len(difference.header))], *counts]
    versions: list[list[Cell]] = [
        ["Before", record_admin.link(other), other.get_state_display(), other.change_number],
        ["After", record_admin.link(recipe), recipe.get_state_display(), recipe.change_number],
    ]
    return Section(
        "Difference",
        [
            Table(["", "Version", "State", "Change"], versions),
            Table(["Part", "Differences"], rows, numeric=["Differences"]),
        ],
    )


def _header(difference: Difference) -> Table:
    rows: list[list[Cell]] = [
        [one.field.replace("_", " "), _shown(one.before), _shown(one.after)]
        for one in difference.header
    ]
    return Table(["Value", "Before", "After"], rows)


def _lines(singular: str, lines: list[LineChange]) -> list[Part]:
    rows: list[list[Cell]] = [
        [line.key, page_parts.badge(line.change, _TONES[line.change]), _fields(line)]
        for line in lines
    ]
    table = Table([singular.capitalize(), "Change", "Before and after"], rows)
    return [table] if len(lines) <= SHOWN else [Folded(f"{len(lines)} differences", [table])]


def _fields(line: LineChange) -> Cell:
    said = [one for one in line.fields if not _is_nothing(one)]
    return page_parts.changes([(one.field, _shown(one.before), _shown(one.after)) for one in said])


def _is_nothing(one: FieldChange) -> bool:
    """An added or removed line has empty fields, which say nothing."""
    return one.before in (None, "", []) and one.after in (None, "", [])


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()
