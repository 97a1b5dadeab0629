"""Write, change and take out single lines of a draft."""

from datetime import datetime
from typing import Any

from batches.recipes import master_recipes, parts, states
from batches.recipes.actions import Action
from batches.recipes.drafts import PartDraft
from batches.recipes.models import MasterRecipe
from batches.recipes.parts import Kind
from batches.recipes.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class LineUnknown(Refused):
    code = "recipe-line-unknown"
    status = 404


def put(
    recipe: MasterRecipe, *, kind: Kind, line: PartDraft, actor: User, at: datetime, reason: str,
    place: int | None = None,
) -> MasterRecipe:  # fmt: skip
    """Write a line, in the place of the one with its key; a new one comes last or to its place."""

    def changed(lines: list[Any]) -> list[Any]:
        key = kind.key_of(vars(line))
        keys = [kind.key_of(vars(one)) for one in lines]
        found = keys.index(key) if key in keys else len(lines)
        rest = [*lines[:found], *lines[found + 1 :]]
        wanted = found if place is None else place - 1
        return [*rest[:wanted], line, *rest[wanted:]]

    return _change(recipe, kind, changed, actor=actor, at=at, reason=reason)


def remove(
    recipe: MasterRecipe, *, kind: Kind, key: str, actor: User, at: datetime, reason: str
) -> MasterRecipe:
    """Take a line out of a draft; the trail keeps it with the reason."""

    def changed(lines: list[Any]) -> list[Any]:
        kept = [one for one in lines if kind.key_of(vars(one)) != key]
        if len(kept) == len(lines):
            raise LineUnknown(f"{recipe} has no {kind.singular} {key}")
        return kept

    return _change(recipe, kind, changed, actor=actor, at=at, reason=reason)


def _change(
    recipe: MasterRecipe, kind: Kind, changed: Any, *, actor: User, at: datetime, reason: str
) -> MasterRecipe:
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RECIPE_REVISED, actor=actor, at=at, reason=text):
        held = states.take(recipe, Step.REVISE)  # before it is read: nobody's line gets lost
        lines = parts.drafts(kind, parts.content(held, kind))
        content = master_recipes.present(held, **{kind.name: changed(lines)})
        return master_recipes.revise(held, content=content, actor=actor, at=at, reason=text)
