"""What production's own records object to a release (21 CFR 211.165, 211.192)."""

from django.db import connection

from batches.disposition import excursions
from batches.execution import blockers
from batches.execution.models import Batch, BatchEvent, BatchState, EventKind, PhaseState
from batches.laboratory.models import Result
from batches.recipes import master_recipes
from batches.recipes.models import ParameterKind
from compliance.quality.models import DeviationState


@blockers.register("batch-not-completed", clause="21 CFR 211.188")
def state(batch: Batch) -> list[str]:
    if batch.state == BatchState.COMPLETED:
        return []
    return [f"the batch is {batch.get_state_display().lower()}, not completed"]


@blockers.register("phase-not-executed", clause="21 CFR 211.188(b)")
def phases(batch: Batch) -> list[str]:
    undone = batch.phases.exclude(state=PhaseState.DONE).order_by("order")
    return [f"phase {phase.name} is {phase.get_state_display().lower()}" for phase in undone]


@blockers.register("recipe-changed", clause="21 CFR 211.188(a)")
def recipe(batch: Batch) -> list[str]:
    """21 CFR 211.188(a): an accurate reproduction of the master record."""
    if master_recipes.digest(batch.recipe) == batch.recipe_digest:
        return []
    return [f"{batch.recipe} is no longer what the batch was issued against"]


@blockers.register("deviation-open", clause="21 CFR 211.192")
def deviations(batch: Batch) -> list[str]:
    still_open = batch.deviations.unsettled().order_by("number")
    return [
        f"{deviation.number} is {deviation.get_state_display().lower()}: {deviation.title}"
        for deviation in still_open
    ]


@blockers.register("value-missing", clause="21 CFR 211.165(a)")
def required(batch: Batch) -> list[str]:
    """21 CFR 211.165(a): each required test has its result before release."""
    needed = batch.recipe.parameters.filter(is_required=True).order_by("tag")
    return [
        f"{parameter.tag}: the recipe demands a {parameter.get_kind_display().lower()}"
        for parameter in needed
        if not _has_value(batch, parameter.tag, ParameterKind(parameter.kind))
    ]


@blockers.register("outside-limits", clause="21 CFR 211.192")
def limits(batch: Batch) -> list[str]:
    """21 CFR 211.192: a failure is investigated to its conclusion before the release."""
    if batch.deviations.filter(state=DeviationState.CLOSED).exists():
        return []
    return [
        f"{excursion}, and no deviation about it is closed" for excursion in excursions.of(batch)
    ]


def _has_value(batch: Batch, tag: str, kind: ParameterKind) -> bool:
    if kind == ParameterKind.RESULT:
        return Result.objects.filter(sample__batch=batch, tag=tag).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM execution_reading WHERE batch_id = %s AND tag = %s)",
            [batch.pk, tag],
        )
        (found,) = cursor.fetchone()
    measured = BatchEvent.objects.filter(batch=batch, kind=EventKind.MEASUREMENT, tag=tag)
    return bool(found) or measured.exists()
