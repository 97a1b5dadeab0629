"""Show the rules of segregation of duties: which role may do what, and what excludes what."""

from compliance.access import page_parts, segregation
from compliance.access.duties import DUTIES, LABELS, Duty, Role
from compliance.access.page_parts import Cell, Note, Section, Table


def sections() -> list[Section]:
    """Return the page's sections, printed from the tables that the product itself asks."""
    return [
        Section("Roles that nobody holds together", [_conflicts()]),
        Section("Acts that one person does not do on the same record", [_rules()]),
        Section(
            "Which role may do what",
            [
                Note(
                    "Printed from the table that every act asks. There is no role that may do "
                    "everything, and none that may act in somebody else's name."
                ),
                _matrix(),
            ],
        ),
    ]


def _conflicts() -> Table:
    rows: list[list[Cell]] = [
        [LABELS[one.first], LABELS[one.second], one.why] for one in segregation.conflicts()
    ]
    return Table(["Role", "Excludes", "Why"], rows)


def _rules() -> Table:
    rows: list[list[Cell]] = [
        [
            f"Whoever {one.first}",
            f"is not the one {one.second}",
            one.scope,
            one.clause,
            page_parts.code(one.held_by),
        ]
        for one in segregation.rules()
    ]
    return Table(["Who", "Is not", "Where", "Clause", "Held by"], rows)


def _matrix() -> Table:
    names = [role.value for role in Role] + ["device"]
    labels = [LABELS[role] for role in Role] + ["Device"]
    rows: list[list[Cell]] = [
        [
            duty.value.replace("-", " ").capitalize(),
            *("yes" if duty in DUTIES[name] else "" for name in names),
        ]
        for duty in Duty
    ]
    return Table(["Duty", *labels], rows)
