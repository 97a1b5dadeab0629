"""Follow lots to what they were made of, and to what was made of them (21 CFR 211.184; 211.196)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.db import connection

from batches.assets import ledger, lot_states
from batches.assets.actions import Action
from batches.assets.lot_states import LotStep
from batches.assets.models import LotComponent, MaterialLot
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail import recording

Direction = Literal["made-of", "used-in"]
DEEPEST = 50


class GenealogyCircle(Refused):
    """A lot would be made of itself."""

    code = "genealogy-circle"


@dataclass(frozen=True)
class Node:
    """One lot in a tree: at which depth, reached through which lot, and how much of it went on."""

    depth: int
    number: str
    material: str
    material_name: str
    state: str
    quantity: Decimal
    unit: str
    path: tuple[int, ...]
    pk: int


def link(
    parent: MaterialLot, *, child: MaterialLot, quantity: Decimal, unit: str, actor: Principal,
    at: datetime,
) -> LotComponent:  # fmt: skip
    """Record that one lot was made of another; raise `GenealogyCircle`, or `QuantityInvalid`."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    amount = ledger.exact(quantity)
    if amount <= 0 or unit != child.unit:
        raise ledger.QuantityInvalid(f"give an amount of {child.number} in {child.unit}")
    with recording.recording(
        Action.COMPONENT_LINKED, actor=actor, at=at, reason=f"{parent.number} of {child.number}"
    ):
        held = lot_states.take(parent, LotStep.LINK)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(8423010)")  # as the trigger does
        if child.pk == held.pk or any(one.pk == held.pk for one in tree(child, "made-of")):
            raise GenealogyCircle(
                f"{child.number} is made of {held.number}: it cannot be part of it"
            )
        return LotComponent.objects.create(
            parent=held, child=child, quantity=amount, unit=unit, recorded_at=at
        )


# Each way to a lot is a branch of its own, so that the amounts stay those of that way.
_TREE = """
WITH RECURSIVE tree(depth, pk, quantity, unit, path) AS (
    SELECT 1, c.{to}, c.quantity, c.unit, ARRAY[c.id]
    FROM assets_lotcomponent c WHERE c.{at} = %(lot)s
    UNION ALL
    SELECT t.depth + 1, c.{to}, c.quantity, c.unit, t.path || c.id
    FROM tree t JOIN assets_lotcomponent c ON c.{at} = t.pk
    WHERE t.depth < %(deepest)s
)
SELECT t.depth, l.number, m.code, m.name, l.state, t.quantity, t.unit, t.path, l.id
FROM tree t JOIN assets_materiallot l ON l.id = t.pk JOIN assets_material m ON m.id = l.material_id
ORDER BY t.path
"""
_COLUMNS = {"made-of": ("parent_id", "child_id"), "used-in": ("child_id", "parent_id")}


def tree(lot: MaterialLot, direction: Direction) -> Sequence[Node]:
    """Return the lots below (`made-of`) or above (`used-in`) a lot, each after what leads to it."""
    at, to = _COLUMNS[direction]
    with connection.cursor() as cursor:
        cursor.execute(_TREE.format(at=at, to=to), {"lot": lot.pk, "deepest": DEEPEST})
        return [
            Node(depth, number, code, name, state, quantity, unit, tuple(path), pk)
            for depth, number, code, name, state, quantity, unit, path, pk in cursor.fetchall()
        ]


def lots_reached(lot: MaterialLot, direction: Direction) -> list[int]:
    """Return the keys of all lots in that direction, each once: e.g. what a recall reaches."""
    return sorted({node.pk for node in tree(lot, direction)})
