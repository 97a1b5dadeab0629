"""Issue batches against effective master recipes, and link deviations to them (21 CFR 211.188)."""

import re
from datetime import datetime

from batches.execution import copying, sizes, states
from batches.execution.actions import Action
from batches.execution.models import Batch
from batches.execution.sizes import Size
from batches.execution.states import Step
from batches.recipes import master_recipes
from batches.recipes.models import MasterRecipe, RecipeState
from compliance import numbering
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import deviations
from compliance.quality.models import Deviation, Origin, Severity
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.written_once import Lookup

numbered = Lookup(Batch, "number")
_recipe = Lookup(MasterRecipe, "id")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class BatchKnown(Refused):
    """Batch numbers are never used twice (21 CFR 211.188(b))."""

    code = "batch-known"


class BatchNumberInvalid(Refused):
    code = "batch-number-invalid"
    status = 422


class RecipeNotEffective(Refused):
    """A batch follows an effective master recipe, nothing else (21 CFR 211.100)."""

    code = "recipe-not-effective"


class DeviationLinked(Refused):
    code = "deviation-linked"


def with_recipe(number: str) -> Batch | None:
    """Return the batch of a number, with its recipe read, or None."""
    found = numbered(number)
    if found is not None and (recipe := _recipe(found.recipe_id)):
        found.recipe = recipe
    return found


def issue(
    recipe: MasterRecipe, *, number: str, actor: Principal, at: datetime, size: Size | None = None,
    reason: str = "",
) -> Batch:  # fmt: skip
    """Issue a batch: everything of the effective recipe is copied into it, with its digest."""
    authority.demand(actor, Duty.START_BATCH)
    demand_number(number)
    text = recording.demand_reason(reason) if reason else ""
    with recording.recording(
        Action.BATCH_ISSUED, actor=actor, at=at, reason=text or f"batch {number} of {recipe}"
    ):
        # The lock keeps the recipe effective until the batch is committed.
        held = MasterRecipe.objects.select_for_update(no_key=True).get(pk=recipe.pk)
        if held.state != RecipeState.EFFECTIVE:
            raise RecipeNotEffective(
                f"{held} is {held.get_state_display().lower()}; issue against the effective version"
            )
        if Batch.objects.filter(number__iexact=number).exists():
            raise BatchKnown(f"{number} is issued already; batch numbers are never used twice")
        planned = size or sizes.of(held)
        batch = Batch.objects.create(
            number=number,
            recipe=held,
            recipe_digest=master_recipes.digest(held),
            issued_at=at,
            issued_by=actor if isinstance(actor, User) else None,
            issue_reason=text,
            planned_size=planned.quantity if planned else None,
            planned_unit=planned.unit if planned else "",
            scale=sizes.scale(held, size),
        )
        copying.copy(held, batch)
    return batch


def demand_number(number: str) -> None:
    """Refuse what is no batch number."""
    if not _NUMBER.fullmatch(number):
        raise BatchNumberInvalid(
            f"“{number}” is no batch number: 1 to 60 letters, digits, dots, dashes, underscores"
        )


def next_number(recipe: MasterRecipe, *, at: datetime) -> str:
    """Return the next free number of a product's series; it is taken only by `issue`."""
    return numbering.next_number(Batch, prefix=recipe.product.code, at=at)


def link_deviation(
    batch: Batch, *, deviation: Deviation, actor: Principal, at: datetime, reason: str
) -> None:
    """Link a deviation to a batch it concerns; it then blocks the release until it is closed."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVIATION_LINKED, actor=actor, at=at, reason=text):
        held = states.take(batch, Step.LINK_DEVIATION)
        if held.deviations.filter(pk=deviation.pk).exists():
            raise DeviationLinked(f"{deviation.number} is linked to {held.number} already")
        held.deviations.add(deviation)


def open_deviation(
    batch: Batch, *, title: str, description: str, severity: Severity, occurred_at: datetime,
    actor: Principal, at: datetime, origin: Origin = Origin.PERSON,
) -> Deviation:  # fmt: skip
    """Open a deviation about a batch and link the two, in one act."""
    with recording.recording(
        Action.DEVIATION_LINKED, actor=actor, at=at, reason=f"deviation of batch {batch.number}"
    ):
        deviation = deviations.open_(
            title=title, description=description, severity=severity, occurred_at=occurred_at,
            actor=actor, at=at, origin=origin,
        )  # fmt: skip
        link_deviation(
            batch, deviation=deviation, actor=actor, at=at,
            reason=f"{deviation.number} was opened about batch {batch.number}",
        )  # fmt: skip
    return deviation
